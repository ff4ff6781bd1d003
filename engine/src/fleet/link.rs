//! What a control plane and a region tell each other where they are two processes.
//!
//! ```text
//!             Told, numbered; kept until it is taken
//!   control ------------------------------------------> region
//!           <------------------------------------------
//!             News of its cells, numbered; Summaries, numbered and kept until they are taken
//! ```
//!
//! Each side numbers what it tells and takes nothing in twice. What is told and is lost is told again: a
//! region keeps its summaries, and a control plane what it told, until the other has stored it. News
//! are not kept for ever: where some are missing, the region sends a copy of its cells instead.
//!
//! A region that is not heard of is silent as a whole. What it was told of rollouts and has not said to have
//! stored is forgotten, whenever that was, since a rollout tells it anew, its stops first, once the region is
//! heard again; so no leave to start hosts waits in front of the stop that ended it.

mod ask;
mod control;
mod event;
mod lost;
mod mirror;
mod region;

pub use control::TakenIn;
pub use event::{Copy, Has, LinkEvent, News, Told};

pub(super) use control::Links;
pub(super) use region::Uplink;
