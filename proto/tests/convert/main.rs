//! Conversion between messages and checked types: nothing lost, nothing wrong let in.
#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod amend;
mod artefacts;
mod declared;
mod denials;
mod drawn;
mod golden;
mod guard;
mod hostile;
mod hosts;
mod numbers;
mod operator;
mod queries;
mod refused;
mod reservations;
mod sample;
mod session;
