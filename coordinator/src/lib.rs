//! The Cofferdam coordinator: control plane and region in one process.
//!
//! ```text
//!  agents    --- gRPC ---> api::agent, session ----+                 +--> store (log, checkpoints)
//!  operators --- gRPC ---> api::operator ----------+--> driver ------+
//!  monitoring -- HTTP ---> web --------------------+    owns the     +--> sessions --> agents
//!                                                       engine's Fleet
//! ```
//!
//! The [driver] owns the engine's state; everything else sends it messages, and [view]
//! turns the state into what people read. Production and simulation differ in what [`start()`] is
//! given: a store, a clock, and where connections come from.

mod api;
pub mod artefact;
pub mod clock;
pub mod config;
mod driver;
pub mod link;
pub mod metrics;
pub mod production;
mod resolve;
mod server;
mod session;
mod sessions;
mod start;
pub mod store;
mod tasks;
mod view;
mod web;

pub use driver::{DriverError, HistoryError, StoredHistory, read_history, write_checkpoint};
pub use start::{RunError, Running, Setup, start};
