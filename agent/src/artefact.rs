//! Bits from the region's artefact store, by hash.

use crate::host::{command::LocalFuture, durable::FileError};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    patch::LockedFile,
};
use cofferdam_proto::artefact::{FindArtefacts, SuppliedArtefact, Whereabouts};
use sha2::{Digest as _, Sha256};
use std::{
    fs::File,
    io::Write,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// How long fetching one file may take: as long as apt has for a patch's packages.
const DEADLINE: Duration = Duration::from_secs(4000);

/// How often a broken transfer is begun again without a byte more than before (guess).
const TRIES: u32 = 5;

/// The wait before that: a session that broke is dialled again within seconds.
const AGAIN: Duration = Duration::from_secs(2);

/// The region's artefact store. One body asks the coordinator, another answers by script.
pub trait Artefacts {
    /// Hands over the bytes that have a digest, piece by piece and in order, but for the first `from`.
    /// They are not checked yet: the receiver does that.
    ///
    /// # Errors
    /// [`FailureKind::Network`] when the store cannot be reached, [`FailureKind::NotFound`] when it
    /// does not have them; what the receiver fails with is passed on.
    fn fetch<'a>(
        &'a self,
        digest: Digest,
        from: u64,
        receiver: &'a mut dyn Receiver,
    ) -> LocalFuture<'a, Result<(), Failure>>;

    /// Asks where package files are to be had from: one answer for each that is wanted, in order.
    ///
    /// # Errors
    /// A [`Failure`] when the store cannot be asked.
    fn find(&self, asked: FindArtefacts) -> LocalFuture<'_, Result<Vec<Whereabouts>, Failure>>;

    /// Brings a package file to the store.
    ///
    /// # Errors
    /// A [`Failure`] when it cannot be read, or the store does not take it.
    fn supply<'a>(
        &'a self,
        artefact: SuppliedArtefact,
        file: &'a Path,
    ) -> LocalFuture<'a, Result<(), Failure>>;
}

/// Takes bytes as they come.
pub trait Receiver {
    /// Takes the next piece, and says how long the one after it is to wait.
    ///
    /// # Errors
    /// A [`Failure`] when it wants no more.
    fn take(&mut self, piece: &[u8]) -> Result<Duration, Failure>;
}

/// Fetches a file, no faster than `rate` KiB a second, and proves its size and hash. A transfer that
/// breaks goes on at the byte where it was.
///
/// # Errors
/// [`FailureKind::Signature`] when other bytes came than are locked; any other [`Failure`] when
/// they could not be fetched or written. Then `into` is not to be used.
pub async fn fetch(
    artefacts: &dyn Artefacts,
    wanted: &LockedFile,
    rate: Option<NonZeroU32>,
    into: &Path,
) -> Result<(), Failure> {
    let mut file = Proving {
        rate,
        since: Instant::now(),
        path: into.to_owned(),
        file: File::create(into).map_err(FileError::of("making", into))?,
        hasher: Sha256::new(),
        wanted,
        length: 0,
    };
    let Ok(fetched) = timeout(DEADLINE, receive(artefacts, &mut file)).await else {
        let detail = format!(
            "fetching {} took over {} s",
            wanted.sha256,
            DEADLINE.as_secs()
        );
        return Err(Failure::new(FailureKind::Network, detail));
    };
    fetched?;
    file.finish()
}

/// Receives all of a file, in as many transfers as it takes while each brings something.
async fn receive(artefacts: &dyn Artefacts, file: &mut Proving<'_>) -> Result<(), Failure> {
    let mut fruitless = 0;
    loop {
        let (digest, had) = (file.wanted.sha256, file.length);
        let Err(failure) = artefacts.fetch(digest, had, file).await else {
            return Ok(());
        };
        fruitless = if file.length > had { 0 } else { fruitless + 1 };
        if failure.kind != FailureKind::Network || fruitless >= TRIES {
            return Err(failure);
        }
        tracing::info!(%failure, "goes on after {} bytes", file.length);
        sleep(AGAIN).await;
    }
}

/// A file that is written, counted and hashed as it comes.
struct Proving<'a> {
    path: PathBuf,
    file: File,
    hasher: Sha256,
    wanted: &'a LockedFile,
    length: u64,
    rate: Option<NonZeroU32>,
    since: Instant,
}

impl Receiver for Proving<'_> {
    fn take(&mut self, piece: &[u8]) -> Result<Duration, Failure> {
        self.length += piece.len() as u64;
        if self.length > self.wanted.size {
            return Err(self.other(&format!("more than {} bytes", self.wanted.size)));
        }
        self.hasher.update(piece);
        let written = self.file.write_all(piece);
        written.map_err(FileError::of("writing", &self.path))?;
        let due = self.rate.map_or(Duration::ZERO, |kib| {
            Duration::from_millis(self.length.saturating_mul(1000) / (u64::from(kib.get()) * 1024))
        });
        Ok(due.saturating_sub(self.since.elapsed()))
    }
}

impl Proving<'_> {
    fn finish(mut self) -> Result<(), Failure> {
        let digest = Digest::from_bytes(std::mem::take(&mut self.hasher).finalize().into());
        if digest != self.wanted.sha256 {
            return Err(self.other(&format!("{} bytes of {digest}", self.length)));
        }
        Ok(())
    }

    fn other(&self, came: &str) -> Failure {
        let detail = format!("the artefact store sent {came} for {}", self.wanted.sha256);
        Failure::new(FailureKind::Signature, detail)
    }
}

#[cfg(test)]
pub(crate) mod scripted {
    use super::*;
    use cofferdam_proto::artefact::WantedArtefact;
    use std::{
        cell::{Cell, RefCell},
        collections::{BTreeMap, BTreeSet},
        fs,
        rc::Rc,
    };

    /// A store that answers with these bytes, whatever their digest is, and takes what it lacks.
    /// Clones are the same one.
    #[derive(Clone, Default)]
    pub(crate) struct Scripted(Rc<Script>);

    #[derive(Default)]
    struct Script {
        files: RefCell<BTreeMap<Digest, Vec<u8>>>,
        supplied: RefCell<Vec<SuppliedArtefact>>,
        given_up: RefCell<Vec<WantedArtefact>>,
        refused: RefCell<BTreeSet<Digest>>,
        /// Each transfer breaks after so many bytes. 0: none does.
        breaks_after: Cell<usize>,
        is_away: Cell<bool>,
    }

    impl Scripted {
        /// A store with these files.
        pub(crate) fn with(files: impl IntoIterator<Item = (Digest, Vec<u8>)>) -> Self {
            let store = Self::default();
            store.0.files.borrow_mut().extend(files);
            store
        }

        /// Notes that a package is stored.
        pub(crate) fn holds(&self, artefact: SuppliedArtefact, bytes: Vec<u8>) {
            let digest = artefact.file.sha256;
            self.0.files.borrow_mut().insert(digest, bytes);
            self.0.supplied.borrow_mut().push(artefact);
        }

        /// Lets each transfer break after so many bytes.
        pub(crate) fn breaks_after(&self, bytes: usize) {
            self.0.breaks_after.set(bytes);
        }

        /// Replaces the bytes of every file.
        pub(crate) fn forge(&self, bytes: &[u8]) {
            let mut files = self.0.files.borrow_mut();
            files.values_mut().for_each(|file| *file = bytes.to_vec());
        }

        /// Lets the store be asked in vain.
        pub(crate) fn is_away(&self) {
            self.0.is_away.set(true);
        }

        /// The packages that it holds, in the order in which they came.
        pub(crate) fn packages(&self) -> Vec<String> {
            let supplied = self.0.supplied.borrow();
            let name =
                |one: &SuppliedArtefact| format!("{} {}", one.package.name, one.package.version);
            supplied.iter().map(name).collect()
        }

        /// How often somebody could not bring what it was told to.
        pub(crate) fn given_up(&self) -> usize {
            self.0.given_up.borrow().len()
        }

        /// The files that somebody asked for another of.
        pub(crate) fn refused(&self) -> BTreeSet<Digest> {
            self.0.refused.borrow().clone()
        }

        /// The files that it holds of a package, in the order in which they came.
        pub(crate) fn files_of(&self, name: &str, version: &str) -> Vec<Digest> {
            let supplied = self.0.supplied.borrow();
            let is_it = |one: &&SuppliedArtefact| {
                one.package.name == name && one.package.version == version
            };
            let files = supplied.iter().filter(is_it);
            files.map(|one| one.file.sha256).collect()
        }

        fn whereabouts(&self, wanted: &WantedArtefact) -> Whereabouts {
            self.0.refused.borrow_mut().extend(&wanted.refused);
            let supplied = self.0.supplied.borrow();
            let is_it = |one: &&SuppliedArtefact| match &wanted.locked {
                Some(file) => one.file == *file,
                None => one.package == wanted.package && !wanted.refused.contains(&one.file.sha256),
            };
            if let Some(found) = supplied.iter().find(is_it) {
                return Whereabouts::Stored(found.file.clone());
            }
            let is_given_up =
                |one: &WantedArtefact| one.package == wanted.package && one.locked == wanted.locked;
            if self.0.given_up.borrow().iter().any(is_given_up) {
                let reason = "it was given up".to_owned();
                return Whereabouts::Elsewhere { reason };
            }
            Whereabouts::Bring
        }
    }

    impl Artefacts for Scripted {
        fn fetch<'a>(
            &'a self,
            digest: Digest,
            from: u64,
            receiver: &'a mut dyn Receiver,
        ) -> LocalFuture<'a, Result<(), Failure>> {
            Box::pin(async move {
                let files = self.0.files.borrow();
                let Some(bytes) = files.get(&digest) else {
                    return Err(Failure::new(FailureKind::NotFound, digest.to_string()));
                };
                let rest = &bytes[usize::try_from(from).unwrap().min(bytes.len())..];
                let breaks_after = self.0.breaks_after.get();
                let breaks = breaks_after > 0 && rest.len() > breaks_after;
                let sent = if breaks { &rest[..breaks_after] } else { rest };
                for piece in sent.chunks(3) {
                    receiver.take(piece)?;
                }
                match breaks {
                    true => Err(Failure::new(FailureKind::Network, "the link broke")),
                    false => Ok(()),
                }
            })
        }

        fn find(&self, asked: FindArtefacts) -> LocalFuture<'_, Result<Vec<Whereabouts>, Failure>> {
            self.0.given_up.borrow_mut().extend(asked.cannot);
            let found = match self.0.is_away.get() {
                true => Err(Failure::new(FailureKind::Unsupported, "what is that?")),
                false => Ok(asked
                    .wanted
                    .iter()
                    .map(|one| self.whereabouts(one))
                    .collect()),
            };
            Box::pin(async move { found })
        }

        fn supply<'a>(
            &'a self,
            artefact: SuppliedArtefact,
            file: &'a Path,
        ) -> LocalFuture<'a, Result<(), Failure>> {
            let bytes = fs::read(file).unwrap();
            assert_eq!(Digest::of(&bytes), artefact.file.sha256);
            self.holds(artefact, bytes);
            Box::pin(async { Ok(()) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{scripted::Scripted, *};
    use std::fs;

    fn wanted() -> LockedFile {
        LockedFile {
            sha256: Digest::of("what is wanted"),
            size: 14,
        }
    }

    async fn fetched(store: &Scripted, rate: Option<NonZeroU32>) -> Result<Vec<u8>, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fetch(store, &wanted(), rate, &path).await?;
        Ok(fs::read(path).unwrap())
    }

    fn sending(bytes: &[u8]) -> Scripted {
        Scripted::with([(wanted().sha256, bytes.to_vec())])
    }

    #[tokio::test]
    async fn what_is_wanted_is_taken() {
        let store = sending(b"what is wanted");
        assert_eq!(fetched(&store, None).await.unwrap(), b"what is wanted");
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        for other in [
            &b"what is wasted"[..],
            b"what is",
            b"",
            b"what is wanted, and more",
        ] {
            let failure = fetched(&sending(other), None).await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Signature, "{failure}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_transfer_that_breaks_goes_on_where_it_was() {
        let store = sending(b"what is wanted");
        store.breaks_after(4);
        assert_eq!(fetched(&store, None).await.unwrap(), b"what is wanted");
    }

    /// A store whose transfers bring nothing; it counts them.
    struct Broken(std::cell::Cell<u32>);

    impl Artefacts for Broken {
        fn fetch<'a>(
            &'a self,
            _: Digest,
            _: u64,
            _: &'a mut dyn Receiver,
        ) -> LocalFuture<'a, Result<(), Failure>> {
            self.0.set(self.0.get() + 1);
            let broken = Failure::new(FailureKind::Network, "broken");
            Box::pin(std::future::ready(Err(broken)))
        }

        fn find(&self, _: FindArtefacts) -> LocalFuture<'_, Result<Vec<Whereabouts>, Failure>> {
            Box::pin(std::future::ready(Ok(Vec::new())))
        }

        fn supply<'a>(
            &'a self,
            _: SuppliedArtefact,
            _: &'a Path,
        ) -> LocalFuture<'a, Result<(), Failure>> {
            Box::pin(std::future::ready(Ok(())))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_transfer_that_brings_nothing_is_given_up() {
        let (store, folder) = (Broken(0.into()), tempfile::tempdir().unwrap());
        let into = folder.path().join("x");
        let failure = fetch(&store, &wanted(), None, &into).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Network);
        assert_eq!(store.0.get(), TRIES);
    }
}
