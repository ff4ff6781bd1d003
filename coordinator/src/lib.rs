//! Cofferdam coordinator.

pub mod store;
