//! The link between a region and its control plane, where they are two processes.
//!
//! ```text
//!   region: Uplink --- dials, gRPC, mutual TLS ---> LinkApi :control plane
//!     news of its driver (ring), summaries          driver: mirror, rollouts
//!     driver: cells         <--- what it is told ---
//! ```
//!
//! Both ends read and write by themselves, so neither can keep the other waiting for ever: what a reader
//! takes in goes to the driver, and a writer looks at what the driver has stored. Nothing is sent that is
//! not stored, and nothing is acknowledged that is not stored either.

mod control;
mod copy;
mod current;
mod dial;
mod frame;
mod region;
mod ring;

pub use self::dial::{Dial, Dialled, Inbound, Opening};
pub(crate) use self::{
    control::LinkApi, current::Current, dial::DialInTurn, region::Uplink, ring::Ring,
};

use crate::driver::Stopping;
use cofferdam_engine::fleet::FleetError;
use cofferdam_proto::session::MISSED_HEARTBEATS;
use tonic::Status;

/// Messages that wait to be sent on a link at most (guess: some round trips' worth).
const QUEUE: usize = 64;

/// The largest message: a rollout file and its lock file, as an assignment has them, and more.
pub(crate) const MESSAGE_BYTES: usize = 32 << 20;

/// Answers of hosts that wait to be handed up at most: one of each of a region's hosts (guess).
pub(crate) const ANSWERS: usize = 32 * 1024;

/// Things taken from the driver, or given to it, at once at most.
const BATCH: usize = 256;

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the other side closed it")]
    ByPeer,
    #[error("a newer link of the region took its place")]
    Replaced,
    #[error("nothing was heard for {MISSED_HEARTBEATS} heartbeats")]
    Silence,
    #[error("the connection broke")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the other side sent what cannot be read")]
    Malformed(#[from] frame::FrameError),
    #[error("what the other side sent does not fit")]
    Refused(#[from] FleetError),
    #[error(transparent)]
    Stopping(#[from] Stopping),
}

impl From<Status> for Ended {
    fn from(status: Status) -> Self {
        Self::Broken(Box::new(cofferdam_proto::status::CallError::from(status)))
    }
}
