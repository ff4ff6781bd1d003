//! Compares a host with its image, cheaply when nothing moved.

use super::{
    contents::{Contents, ContentsError, Glance, Reader, stamp},
    hang::{LookError, Progress},
    image::{self, Image, ImageError, Sealed},
    pattern::Pattern,
    report::{Effect, Report, Standing},
    settings::FirstBoot,
    store::{LetIn, Store, Under},
};
use crate::{
    clock,
    host::{
        durable::{self, FileError},
        root::Root,
        stamp::Stamp,
        versioned::RecordError,
    },
};
use cofferdam_engine::{digest::Digest, time::Timestamp};
use cofferdam_proto::error_chain;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Where a machine's id is, and the most of it that is read: it has 32 digits (machine-id(5)).
const MACHINE_ID: (&str, usize) = ("/etc/machine-id", 64);

/// The host that is compared.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its tree.
    pub root: Root,
    /// What the agent remembers of it.
    pub store: Store,
    /// What drift does to it on the first boot from an image.
    pub first_boot: FirstBoot,
    /// The machine's id. Empty: it has none.
    pub machine: String,
    clock: PathBuf,
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The digest of the seal. Absent: there is none that can be used.
    pub seal: Option<Digest>,
    /// Whether the host was never let in since it was sealed.
    pub is_first_boot: bool,
    /// What is expected now that the change that an order made is accounted for. Absent: no order made one.
    pub accounted: Option<Contents>,
    /// What was found. When is for the caller to say.
    pub report: Report,
}

/// A host could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// Its seal cannot be used.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// What is on it cannot be told.
    #[error(transparent)]
    Contents(#[from] ContentsError),
    /// What the agent remembers cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A file of its own cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// It did not come to an end.
    #[error(transparent)]
    Look(#[from] LookError),
}

impl Comparison {
    /// What is found of a host that could not be compared.
    pub fn unknown(subject: &Subject, error: &CompareError) -> Self {
        let is_first_boot = subject.is_first_boot(None);
        let why = error_chain(error);
        let effect = subject.effect(is_first_boot);
        Self {
            seal: None,
            is_first_boot,
            accounted: None,
            report: Report::without_image(Standing::Unknown { why }, effect),
        }
    }
}

impl Subject {
    /// A host on a root, with what the agent remembers of it in a state folder.
    pub fn new(root: Root, state_dir: &Path, first_boot: FirstBoot) -> Self {
        let (path, most) = MACHINE_ID;
        // A machine whose id cannot be read has none: then the seal alone tells hosts apart.
        let place = root.resolve(Path::new(path)).ok();
        let id = place.and_then(|place| durable::read_some(&place, most).ok().flatten());
        Self {
            root,
            store: Store::new(state_dir),
            first_boot,
            machine: String::from_utf8_lossy(&id.unwrap_or_default())
                .trim()
                .to_owned(),
            clock: state_dir.join("clock"),
        }
    }

    /// The moment now, as the agent tells it.
    pub fn now(&self) -> Timestamp {
        clock::moment(&self.clock)
    }

    /// Whether the host was never let in since it was sealed. Of a seal that cannot be used: never at all.
    fn is_first_boot(&self, seal: Option<Digest>) -> bool {
        let is_it = |let_in: LetIn| {
            let_in.machine == self.machine && seal.is_none_or(|seal| seal == let_in.seal)
        };
        match self.store.let_in() {
            Ok(let_in) => !let_in.is_some_and(is_it),
            // Only a host that was let in has one, whatever became of it.
            Err(_) => false,
        }
    }

    fn effect(&self, is_first_boot: bool) -> Effect {
        match self.first_boot {
            FirstBoot::Hold if is_first_boot => Effect::Holds,
            FirstBoot::Hold | FirstBoot::Warn => Effect::Warns,
        }
    }
}

/// Compares, and remembers what it has read.
#[derive(Debug, Default)]
pub struct Comparer {
    reader: Reader,
    last: Option<Basis>,
}

/// What a comparison was made of, by its stamps.
#[derive(Debug)]
struct Basis {
    image: Option<Stamp>,
    store: [Option<Stamp>; 3],
    watched: BTreeSet<Pattern>,
    glance: Option<Glance>,
}

impl Comparer {
    /// Whether a comparison would find the same as the last one did, since nothing has moved. It reads
    /// no file.
    pub fn is_settled(&self, subject: &Subject, progress: &Progress) -> bool {
        let Some(last) = &self.last else {
            return false;
        };
        let image = image::place(&subject.root).ok().and_then(|p| stamp(&p));
        if (image, subject.store.stamps()) != (last.image, last.store) {
            return false;
        }
        let Some(glance) = &last.glance else {
            return true;
        };
        let now = Glance::at(&subject.root, &last.watched, progress);
        now.is_ok_and(|now| now == *glance)
    }

    /// Compares a host with its image. It writes nothing.
    pub fn compare(&mut self, subject: &Subject, progress: &Progress) -> Comparison {
        self.forget();
        self.try_compare(subject, progress).unwrap_or_else(|error| {
            self.forget();
            Comparison::unknown(subject, &error)
        })
    }

    /// Forgets what the last comparison was made of: the next one reads.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// Reads what is on a host now, as far as its seal watches it. Absent: it is not sealed.
    ///
    /// # Errors
    /// [`CompareError`] when that cannot be told.
    pub fn now(
        &mut self,
        subject: &Subject,
        progress: &Progress,
    ) -> Result<Option<Under>, CompareError> {
        let Some(Sealed { seal, image }) = Image::find(&subject.root)? else {
            return Ok(None);
        };
        let contents = self.reader.read(&subject.root, &image.watched, progress)?;
        Ok(Some(Under { seal, contents }))
    }

    fn try_compare(
        &mut self,
        subject: &Subject,
        progress: &Progress,
    ) -> Result<Comparison, CompareError> {
        // Stamps come first: what moves while files are read is found the next time.
        let mut basis = Basis {
            image: stamp(&image::place(&subject.root)?),
            store: subject.store.stamps(),
            watched: BTreeSet::new(),
            glance: None,
        };
        let Some(sealed) = Image::find(&subject.root)? else {
            self.last = Some(basis);
            return Ok(Comparison {
                seal: None,
                is_first_boot: false,
                accounted: None,
                report: Report::without_image(Standing::Unsealed, Effect::Warns),
            });
        };
        basis.watched.clone_from(&sealed.image.watched);
        basis.glance = Some(Glance::at(&subject.root, &basis.watched, progress)?);
        let now = self
            .reader
            .read(&subject.root, &sealed.image.watched, progress)?;
        let expected = subject.store.expected(sealed.seal)?;
        let mut expected = expected.unwrap_or_else(|| sealed.image.contents.clone());
        let before = subject.store.before(sealed.seal)?;
        if let Some(before) = &before {
            expected.follow(before, &now);
        }
        let is_first_boot = subject.is_first_boot(Some(sealed.seal));
        let effect = subject.effect(is_first_boot);
        self.last = Some(basis);
        Ok(Comparison {
            seal: Some(sealed.seal),
            is_first_boot,
            report: Report::compare(&subject.root, &sealed, &expected, &now, effect),
            accounted: before.map(|_| expected),
        })
    }
}
