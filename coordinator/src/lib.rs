//! Cofferdam coordinator.

pub mod clock;
pub mod config;
pub mod store;
