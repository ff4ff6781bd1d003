//! `cofferdam-agent seal`, `drift` and `evidence`: for image builders, and for the person at the host. None of
//! them needs a network or a running agent.

use super::{
    compare::{Comparer, Comparison, Subject},
    hang::{self, LookError},
    image,
    pattern::{FindError, Pattern},
    report::{Effect, ImageFacts, Report, Standing},
    seal::{self, SealError},
};
use crate::{
    config::{self, ConfigError, DriftConfig},
    evidence::{record::Evidence, told::Told},
    host::{
        root::{Root, RootError},
        versioned::RecordError,
    },
    output::Output,
};
use cofferdam_engine::{duration, time::Timestamp};
use serde::Serialize;
use std::{
    fmt,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// A command about drift.
#[derive(Debug, clap::Subcommand)]
pub enum DriftCommand {
    /// Seals a tree: what is on it now is what its hosts are expected to be.
    Seal {
        /// The tree of an image, whose own config file says which files are watched.
        #[arg(long, default_value = "/")]
        root: PathBuf,
    },
    /// Shows what changed on this host since its image was sealed, but by orders.
    Drift {
        /// Another tree than this machine's own.
        #[arg(long, default_value = "/")]
        root: PathBuf,
        /// The form of what is said.
        #[arg(long, short, value_enum, default_value = "text")]
        output: Output,
    },
    /// Shows what this host looked up and dialled in the first minutes after its boot.
    Evidence {
        /// The form of what is said.
        #[arg(long, short, value_enum, default_value = "text")]
        output: Output,
    },
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The folder cannot serve as a root.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The config file is of no use.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The root was not sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It was sealed, and which patterns lead to nothing cannot be told.
    #[error(transparent)]
    Find(#[from] FindError),
    /// What is watched cannot be looked at.
    #[error(transparent)]
    Look(#[from] LookError),
    /// The boot evidence cannot be read.
    #[error(transparent)]
    Evidence(#[from] RecordError),
    /// The standard output cannot be had.
    #[error("the standard output cannot be written")]
    Output(#[source] io::Error),
}

impl DriftCommand {
    /// Carries it out; `config` is the config file that the person named. Absent: the tree's own.
    ///
    /// # Errors
    /// [`CommandError`]. That a host cannot be compared is none: it is what is shown.
    pub fn carry_out(&self, config: Option<&Path>) -> Result<(), CommandError> {
        match self {
            Self::Seal { root } => seal(Root::new(root)?, config),
            Self::Drift { root, output } => show(Root::new(root)?, config, *output),
            Self::Evidence { output } => {
                show_evidence(&settings(&Root::machine(), config)?, *output)
            }
        }
    }
}

fn seal(root: Root, config: Option<&Path>) -> Result<(), CommandError> {
    let watched = settings(&root, config)?.drift.files;
    let place = root.join(image::PATH);
    let (sealed, empty) = hang::once(move |progress| {
        let sealed = seal::seal(&root, watched, progress)?;
        let empty = seal::empty_patterns(&root, &sealed.image.watched, progress)?;
        let empty: Vec<Pattern> = empty.into_iter().cloned().collect();
        Ok::<_, CommandError>((sealed, empty))
    })??;
    let facts = ImageFacts::of(&sealed);
    let mut text = format!(
        "sealed {} packages and {} files as {}\nin {}\n",
        facts.packages,
        facts.files,
        facts.seal,
        place.display()
    );
    for pattern in empty {
        text += &format!("nothing is at {pattern}: what comes there is drift\n");
    }
    say(&text)
}

fn show(root: Root, config: Option<&Path>, output: Output) -> Result<(), CommandError> {
    let config = settings(&root, config)?;
    let state_dir = match root.is_machine() {
        true => config.state_dir,
        false => root.join(&config.state_dir.to_string_lossy()),
    };
    let subject = Subject::new(root, &state_dir, config.drift.first_boot);
    let looked = subject.clone();
    let compared = hang::once(move |progress| Comparer::default().compare(&looked, progress));
    let compared = compared.unwrap_or_else(|error| Comparison::unknown(&subject, &error.into()));
    let report = compared.report;
    let last = subject.store.report().unwrap_or_default();
    let now = subject.now();
    let report = report.following(last.as_ref(), now);
    say(&output.of(&Shown { report, now }))
}

fn show_evidence(config: &DriftConfig, output: Output) -> Result<(), CommandError> {
    let text = match (Evidence::load(&config.state_dir)?, output) {
        (Some(evidence), _) => output.of(&Told::now(evidence)),
        (None, Output::Json) => "null\n".to_owned(),
        (None, Output::Text) if config.drift.boot_evidence.is_some() => {
            "none yet: the next boot is watched\n".to_owned()
        }
        (None, Output::Text) => {
            "none: [drift] of agent.toml asks for it with boot_evidence = \"5m\"\n".to_owned()
        }
    };
    say(&text)
}

/// What is told of drift. An image need not say yet which host it will be, so no more of the file is
/// asked for; and without one, nobody has said anything else than usual.
fn settings(root: &Root, config: Option<&Path>) -> Result<DriftConfig, CommandError> {
    match config {
        Some(config) => Ok(DriftConfig::load(config)?),
        None => {
            let usual = root.join(config::FILE);
            match usual.exists() {
                true => Ok(DriftConfig::load(&usual)?),
                false => Ok(DriftConfig::default()),
            }
        }
    }
}

fn say(text: &str) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(CommandError::Output)
}

/// A report, as it is shown: to programs as the agent keeps it.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    report: Report,
    #[serde(skip)]
    now: Timestamp,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            image,
            standing,
            effect,
            changes,
            more,
            unread,
            found_at,
        } = &self.report;
        if let Some(image) = image {
            let (packages, files) = (image.packages, image.files);
            let ago = self.ago(image.sealed_at);
            writeln!(
                f,
                "image   sealed {ago} ago: {packages} packages, {files} files"
            )?;
        }
        match (standing, effect) {
            (Standing::Unsealed, _) => {
                return writeln!(
                    f,
                    "image   not sealed: `cofferdam-agent seal` accepts what is here"
                );
            }
            (_, Effect::Holds) => {
                writeln!(
                    f,
                    "boot    not let in since it was sealed: drift holds this host back"
                )?;
            }
            (_, Effect::Warns) => writeln!(f, "boot    drift is a warning")?,
        }
        match standing {
            Standing::Unsealed => {}
            Standing::Same => writeln!(f, "drift   none")?,
            Standing::Unknown { why } => writeln!(f, "drift   cannot be told: {why}")?,
            Standing::Drifted => {
                let (total, ago) = (self.report.total(), self.ago(*found_at));
                let changes = if total == 1 { "change" } else { "changes" };
                writeln!(f, "drift   {total} {changes}, found {ago} ago")?;
            }
        }
        for change in changes {
            writeln!(f, "  {change}")?;
        }
        if *more > 0 {
            writeln!(f, "  and {more} more")?;
        }
        for log in unread {
            writeln!(f, "not read: {log}")?;
        }
        if *standing == Standing::Drifted {
            writeln!(
                f,
                "`cofferdam-agent seal` accepts what is here as the image"
            )?;
        }
        Ok(())
    }
}

impl Shown {
    fn ago(&self, then: Timestamp) -> String {
        let seconds = self.now.since(then).as_secs();
        duration::format(Duration::from_secs(seconds))
    }
}
