//! A session's two directions, and who opens it.

use cofferdam_proto::session::{FromAgent, ToAgent};
use std::{error::Error, fmt, pin::Pin};
use tokio::sync::mpsc;
use tokio_stream::Stream;

/// The messages that may wait to be sent in one session (guess: a run's reports and its claim).
pub const LINK_CAPACITY: usize = 16;

/// Opens sessions. One body dials over mutual TLS; simulations and tests have their own.
#[allow(
    async_fn_in_trait,
    reason = "the agent runs on one thread; no caller needs the futures to be Send"
)]
pub trait Connector: 'static {
    /// Opens a session with a coordinator.
    ///
    /// # Errors
    /// [`LinkError`] when it cannot be reached or is not who it should be.
    async fn connect(&self, coordinator: &Coordinator) -> Result<Link, LinkError>;
}

/// Where a coordinator is, as `HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinator(pub String);

impl fmt::Display for Coordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An open session. Dropping it closes it.
pub struct Link {
    /// What the agent says.
    pub outbound: mpsc::Sender<FromAgent>,
    /// What the coordinator says. Its end, or an error, is the session's.
    pub inbound: Inbound,
}

/// What a coordinator says in one session.
pub type Inbound = Pin<Box<dyn Stream<Item = Result<ToAgent, LinkError>>>>;

/// A session could not be opened, or broke.
#[derive(Debug, thiserror::Error)]
#[error("the session with {coordinator} failed")]
pub struct LinkError {
    /// The coordinator.
    pub coordinator: Coordinator,
    /// What went wrong.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}
