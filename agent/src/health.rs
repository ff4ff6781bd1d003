//! The health responder: a process of its own that tells load balancers what the state file says and
//! the application answers.
//!
//! ```text
//! agent --rename--> RUN/state.json <--read a request--+
//!                                                     |
//!   load balancer, people --GET /ready, /healthz--> serve ----> prober threads --> application
//!   HAProxy --connect--> one line ----------------/  (one poll loop)
//! ```
//!
//! It knows nothing of the agent but that file, so an agent that died, hangs, is upgraded or lost its
//! certificate never changes an answer: what the file says stands until it is replaced. A reboot empties
//! its folder, and without it the host is not available.
//!
//! A config file that is of no use keeps it from nothing: it goes by the last one that was of use, and
//! where it knows of none it says *not available*. Its pages say why.
//!
//! One thread serves, with a poll loop that never waits for one client; up to [`probing::MOST_THREADS`]
//! more ask the application, and only when somebody asks here. Each connection is for one question of at
//! most [`request::MAX_BYTES`] and ends after [`serve::Limits::deadline`]; when there is no room for one
//! more, the one that has kept its place longest goes. Nothing happens while nobody asks.
//!
//! Sockets are kept by systemd (see [`listening`]), and one that is told to stop first answers those
//! inside: a restart of the responder refuses nobody, and leaves nobody without an answer.

pub mod application;
pub mod connection;
pub mod line;
pub mod listening;
pub mod page;
pub mod probing;
pub mod request;
pub mod seen;
pub mod serve;
pub mod taken;
#[cfg(test)]
mod tests;

use crate::{
    config::{Basis, ResponderConfig},
    flag,
};
use listening::{Listeners, OpenError};
use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};
use probing::Prober;
use serve::{Limits, Server, Told};
use std::{
    io,
    os::fd::{AsFd as _, OwnedFd},
};

/// Why the responder does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A port is not to be had.
    #[error(transparent)]
    Listen(#[from] OpenError),
    /// Its threads, their bell or what tells it to stop could not be made.
    #[error("the health responder could not start")]
    Start(#[source] io::Error),
    /// The kernel does not say what happens on its sockets.
    #[error("the health responder could not wait for its clients")]
    Poll(#[source] io::Error),
}

/// Serves what the config says until the process is told to stop.
///
/// # Errors
/// [`ServeError`] when it cannot begin, or the kernel does not let it wait.
pub fn run(config: ResponderConfig) -> Result<(), ServeError> {
    // Before there are threads, which would not know of it.
    let stop = stop_signals().map_err(ServeError::Start)?;
    let listeners = Listeners::open(config.health, config.agent_check)?;
    let prober = Prober::start(config.probes).map_err(ServeError::Start)?;
    listeners.hand_over();
    if let Basis::Copy(why) | Basis::Nothing(why) = &config.basis {
        eprintln!("cofferdam-health: {why}");
    }
    let told = Told {
        state_file: config.run_dir.join(flag::FILE_NAME),
        basis: config.basis,
    };
    let server = Server::new(listeners, prober, told, Limits::default(), stop);
    server.serve().map_err(ServeError::Poll)
}

/// What can be read once the process is told to stop.
fn stop_signals() -> io::Result<OwnedFd> {
    let signals = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT]);
    signals.thread_block()?;
    let told = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC)?;
    told.as_fd().try_clone_to_owned()
}
