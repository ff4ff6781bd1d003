//! The agent: patches its own host, and nothing else.

pub mod actions;
