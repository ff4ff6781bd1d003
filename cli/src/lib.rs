//! The operator's command: what `cofferdam` does, as a library that its tests can call.
//!
//! ```text
//! args --> command/* --client--> the coordinator's operator API
//!              ^    \
//!   demo/*: a whole  `--> render/*: every answer is a view, shown as text or as JSON
//!   fleet, driven by
//!   the same commands
//! ```

pub mod advisory;
pub mod args;
pub mod bundle;
pub mod channel;
pub mod client;
pub mod clock;
pub mod command;
pub mod config;
pub mod demo;
pub mod exit;
pub mod fetch;
pub mod file;
pub mod http_date;
pub mod pieces;
pub mod pki;
pub mod render;
pub mod rollout_file;
pub mod signing;
