//! Cofferdam coordinator.
