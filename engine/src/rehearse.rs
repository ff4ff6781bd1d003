//! The engine's machines in virtual time, over a modelled fleet.
//!
//! [`world`] is a coordinator and its agents; what their hosts do and how long that takes is a
//! [`Model`]'s to say.

mod model;
mod modelled;
pub mod scenario;
mod spread;
pub mod world;

pub use model::{Does, Model, Moment, Step};
pub use modelled::Modelled;
pub use spread::Spread;
