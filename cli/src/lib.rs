//! The operator's command: what `cofferdam` does, as a library that its tests can call.

pub mod clock;
pub mod demo;
pub mod exit;
pub mod file;
pub mod pki;
