//! `cofferdam-agent guard`: for the person at the host, for packages, and for hooks. None needs a network
//! or a running agent.

use super::{
    asker::Asker,
    events::{self, EventsError, What},
    hook::{self, Channel},
    install::{self, Changed, InstallError},
    lasting::LastingError,
    life,
    manifest::ManifestError,
    overridden::Overridden,
    places::Places,
    proof::Proof,
    reserved::Reserved,
    settings::Mode,
    standing::Standing,
    status::Status,
    uninstall,
    window::{Window, WindowError},
};
use crate::{
    clock,
    config::{ConfigError, RUN_DIR, STATE_DIR, Settings},
    host::{durable::FileError, process::Processes, root::Root, unit},
    output::Output,
};
use cofferdam_engine::{duration, failure::Failure, time::millis};
use cofferdam_proto::error_chain;
use nix::unistd::geteuid;
use std::{
    error::Error,
    fmt::Display,
    io::{self, Write},
    iter,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// What a hook ends with that refuses, and one that cannot tell.
const REFUSED: u8 = 1;
const CANNOT_TELL: u8 = 2;

/// What the status ends with of a guard that is there and not in control.
const NOT_IN_CONTROL: u8 = 3;

/// Where systemd shows that it runs the machine.
pub(super) const SYSTEMD: &str = "/run/systemd/system";

/// A command to the guard.
#[derive(Debug, clap::Subcommand)]
pub enum GuardCommand {
    /// Shows what the guard does, whether it is in control, and what it last saw. Exits with 3 when control is
    /// lost.
    Status {
        /// The form of what is said.
        #[arg(long, short, value_enum, default_value = "text")]
        output: Output,
    },
    /// Lets every change of packages pass for a while, and writes down who said so.
    Allow {
        /// How long, as in `30m`; 24 h at most.
        #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
        lasts: Duration,
        /// Why, for those who ask later.
        #[arg(long)]
        reason: String,
    },
    /// Closes the window that `allow` opened.
    Deny,
    /// Takes every upgrade channel of this host, as the config file says.
    Install,
    /// Puts every upgrade channel back as it was.
    Uninstall,
    /// Decides about a change of packages: called by apt, dpkg, dnf and systemd.
    #[command(hide = true)]
    Hook {
        /// The agent's state folder.
        #[arg(long)]
        state_dir: PathBuf,
        /// Who calls.
        #[command(subcommand)]
        channel: Channel,
    },
}

/// Why a command to the guard failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The config file is of no use.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The guard was not installed.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// What is installed cannot be told or taken back.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// No window was opened.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The record of events cannot be read.
    #[error(transparent)]
    Events(#[from] EventsError),
    /// The window or the reservation cannot be told.
    #[error(transparent)]
    Lasting(#[from] LastingError),
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no guard that a window could be opened in.
    #[error("there is no guard here: nothing is refused, and no window is needed")]
    NoGuard,
    /// Whoever called may not.
    #[error("only root may: use sudo")]
    NotRoot(#[source] Box<Self>),
    /// systemd could not be told.
    #[error("drop-ins are in place, but systemd does not know: run `systemctl daemon-reload`: {0}")]
    Systemd(Failure),
    /// The standard output or the event loop cannot be had.
    #[error("this program cannot work here")]
    Outside(#[source] io::Error),
}

impl GuardCommand {
    /// Carries it out; `config` is the agent's config file.
    ///
    /// # Errors
    /// [`CommandError`]. A hook that refuses, or cannot tell, is none: it has its exit codes.
    pub fn carry_out(self, config: &Path) -> Result<ExitCode, CommandError> {
        self.try_out(config).map_err(|error| {
            let is_for_want_of_rights = !geteuid().is_root() && is_denied(&error);
            match is_for_want_of_rights {
                true => CommandError::NotRoot(Box::new(error)),
                false => error,
            }
        })
    }

    fn try_out(self, config: &Path) -> Result<ExitCode, CommandError> {
        match self {
            Self::Hook { state_dir, channel } => return Ok(answer(&channel, &state_dir)),
            Self::Install => take(config)?,
            Self::Uninstall => put_back(&places(config)?)?,
            Self::Status { output } => {
                let status = status(&places(config)?)?;
                say(output.of(&status))?;
                return Ok(match status.is_in_control() {
                    true => ExitCode::SUCCESS,
                    false => ExitCode::from(NOT_IN_CONTROL),
                });
            }
            Self::Allow { lasts, reason } => {
                let places = places(config)?;
                allow(&Root::machine(), &places, lasts, &reason)?;
            }
            Self::Deny => deny(&places(config)?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Whether the system said that somebody has no right to something.
fn is_denied(error: &CommandError) -> bool {
    let mut causes = iter::successors(error.source(), |&error| error.source());
    causes.any(|cause| {
        let cause = cause.downcast_ref::<io::Error>();
        cause.is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    })
}

fn answer(channel: &Channel, state_dir: &Path) -> ExitCode {
    match hook::decide(channel, state_dir) {
        Ok(decision) if decision.passes() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(REFUSED),
        Err(error) => {
            eprintln!(
                "cofferdam-agent: the guard cannot tell: {}",
                error_chain(&error)
            );
            ExitCode::from(CANNOT_TELL)
        }
    }
}

/// The guard's places. A config file that is of no use must not keep anyone from opening a window, or
/// from taking the guard away: then those that the packages use.
fn places(config: &Path) -> Result<Places, CommandError> {
    let error = match Settings::load(config) {
        Ok(settings) => return Ok(Places::new(&settings.state_dir, &settings.run_dir)),
        Err(error) => error,
    };
    let usual = Places::new(Path::new(STATE_DIR), Path::new(RUN_DIR));
    match Standing::find(&Root::machine(), &usual) {
        Ok(Standing::Listed(manifest)) => Ok(Places::new(Path::new(STATE_DIR), &manifest.run_dir)),
        // Drop-ins are known wherever the state folder is: there is no guard at all, or one to be repaired.
        Ok(Standing::Orphaned(_) | Standing::Nothing) => Ok(usual),
        Err(_) => Err(error.into()),
    }
}

fn take(config: &Path) -> Result<(), CommandError> {
    let settings = Settings::load(config)?;
    let places = Places::new(&settings.state_dir, &settings.run_dir);
    let changed = install::install(&Root::machine(), &places, &settings.guard)?;
    tell_systemd(&changed)?;
    let mode = match settings.guard.mode {
        Mode::Observe => "observes",
        Mode::Enforce => "enforces",
    };
    say(format!(
        "the guard {mode}; {} files were written\n",
        changed.files.len()
    ))
}

fn put_back(places: &Places) -> Result<(), CommandError> {
    let Some(changed) = uninstall::uninstall(&Root::machine(), places)? else {
        return say("the guard is not installed; nothing to do\n");
    };
    tell_systemd(&changed)?;
    for saved in &changed.saved {
        say(format!(
            "a file that was changed is kept as {}\n",
            saved.display()
        ))?;
    }
    say(format!(
        "the guard is gone; {} files were taken away\n",
        changed.files.len()
    ))
}

fn tell_systemd(changed: &Changed) -> Result<(), CommandError> {
    if !changed.concerns_systemd() || !Path::new(SYSTEMD).is_dir() {
        return Ok(());
    }
    wait_for(unit::read_again(&Processes))?.map_err(CommandError::Systemd)
}

/// Waits for something, in a program that does nothing else meanwhile.
fn wait_for<T>(future: impl Future<Output = T>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CommandError::Outside)?;
    Ok(runtime.block_on(future))
}

fn status(places: &Places) -> Result<Status, CommandError> {
    let manifest = Standing::listed(&Root::machine(), places)?;
    let (lost, overridden) = match &manifest {
        Some(manifest) => {
            let lost = Proof::default().lost(&Root::machine(), manifest);
            let mut overridden = Overridden::default();
            let overridden = wait_for(overridden.look(manifest, &lost, &Processes))?;
            (lost, overridden)
        }
        None => (Vec::new(), Vec::new()),
    };
    let log = events::log(places)?;
    Ok(Status {
        installed: manifest.as_ref().map(Into::into),
        lost,
        overridden,
        window: Window::find(places)?.map(Into::into),
        reserved: Reserved::find(places)?.map(Into::into),
        agent: life::state(places),
        dropped: log.dropped,
        events: log.events,
        now: clock::moment(&places.clock()),
    })
}

/// A window that nobody would hear of is closed again, and where hooks would not heed it none is opened.
fn allow(root: &Root, places: &Places, lasts: Duration, reason: &str) -> Result<(), CommandError> {
    if Standing::listed(root, places)?.is_none() {
        return Err(CommandError::NoGuard);
    }
    let by = Asker::of_this_process();
    let window = Window::open(places, lasts, reason, &by)?;
    let what = What::Allowed {
        for_ms: millis(lasts),
        reason: window.reason,
        by,
    };
    if let Err(error) = events::record(places, what) {
        Window::close(places)?;
        return Err(error.into());
    }
    say(format!(
        "every change of packages passes for {}; `cofferdam-agent guard deny` ends that\n",
        duration::format(lasts)
    ))
}

fn deny(places: &Places) -> Result<(), CommandError> {
    if !Window::close(places)? {
        return say("no window was open\n");
    }
    let by = Asker::of_this_process();
    events::record(places, What::Denied { by })?;
    say("the window is closed\n")
}

fn say(text: impl Display) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    let written = write!(out, "{text}").and_then(|()| out.flush());
    written.map_err(CommandError::Outside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_window_is_refused_where_no_guard_would_heed_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path().join("root")).unwrap();
        let places = Places::new(&folder.path().join("state"), &folder.path().join("run"));
        let allowed = || allow(&root, &places, Duration::from_secs(60), "a disk is full");
        assert!(matches!(allowed(), Err(CommandError::NoGuard)));
        fs::create_dir_all(places.manifest().parent().unwrap()).unwrap();
        fs::write(places.manifest(), "{").unwrap();
        let error = allowed().unwrap_err().to_string();
        let cure =
            "the guard's list of its files is damaged: `cofferdam-agent guard install` repairs it";
        assert!(error.starts_with(cure), "{error}");
        assert_eq!(Window::find(&places).unwrap(), None);
    }

    #[test]
    fn only_a_missing_right_is_called_one() {
        let of = |kind: io::ErrorKind| {
            let denied = FileError::of("reading", Path::new("/x"))(kind.into());
            CommandError::from(ManifestError::from(denied))
        };
        assert!(is_denied(&of(io::ErrorKind::PermissionDenied)));
        assert!(!is_denied(&of(io::ErrorKind::StorageFull)));
    }
}
