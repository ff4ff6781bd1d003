//! The agent: patches its own host, and nothing else.
//!
//! An [`Agent`] is put together of who it is, what acts on the host, a journal, a clock and a
//! connector; production and simulation differ only there. All of it runs on one thread.

mod acceptance;
pub mod actions;
mod admission;
pub mod advice;
mod agent;
pub mod arguments;
pub mod artefact;
pub mod boot_loader;
pub mod checks;
pub mod clock;
pub mod config;
pub mod config_file;
pub mod drift;
mod driver;
pub mod effect;
pub mod evidence;
pub mod flag;
#[cfg(test)]
mod fuzz;
mod greeting;
pub mod grpc;
pub mod guard;
pub mod health;
pub mod host;
pub mod identity;
mod inquiry;
mod inventory;
pub mod journal;
pub mod kernel_trial;
pub mod link;
pub mod log;
pub mod outbox;
pub mod output;
pub mod packages;
#[cfg(test)]
mod patience;
pub mod pattern;
mod premise;
pub mod production;
pub mod profile;
pub mod pulse;
mod query;
mod runner;
#[cfg(test)]
mod sample;
mod service;
mod session;
pub mod signals;
mod simulation;
mod staging;
pub mod step;
mod task;
pub mod telling;
pub mod trust;
mod uplink;
pub mod warrants;

pub use agent::Agent;
pub use driver::DriverError;
