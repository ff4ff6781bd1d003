//! The built command against a scripted coordinator: what each command prints and how it exits.
#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod answers;
mod bundles;
mod connection;
mod coordinator;
mod fleet;
mod lab;
mod queries;
mod rehearse;
mod rollouts;
mod sources;
mod standing;
