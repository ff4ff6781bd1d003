//! The agent: patches its own host, and nothing else.

pub mod actions;
pub mod checks;
pub mod flag;
pub mod health;
pub mod host;
pub mod packages;
