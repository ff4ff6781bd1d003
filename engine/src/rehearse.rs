//! The engine's machines in virtual time, over a modelled fleet.
//!
//! [`world`] is a coordinator and its agents; what their hosts do and how long that takes is a
//! [`Model`]'s to say.

mod beginning;
mod bound;
pub mod incident;
mod left;
pub mod made_up;
mod model;
mod modelled;
mod notes;
mod observe;
mod play;
mod reboots;
pub mod recorded;
pub mod report;
pub mod scenario;
mod spread;
mod stage;
mod watch;
pub mod world;

pub use model::{Does, Model, Moment, Step};
pub use modelled::Modelled;
pub use play::{MOST, Rehearsal};
pub use reboots::Reboots;
pub use spread::Spread;
