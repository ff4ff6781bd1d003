//! The agent: patches its own host, and nothing else.

pub mod actions;
pub mod checks;
pub mod clock;
pub mod flag;
pub mod health;
pub mod host;
pub mod journal;
pub mod outbox;
pub mod packages;
#[cfg(test)]
mod sample;
