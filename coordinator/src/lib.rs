//! Cofferdam coordinator.

pub mod artefact;
pub mod clock;
pub mod config;
pub mod store;
