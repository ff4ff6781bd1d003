//! Cofferdam coordinator.
fn main() {}
