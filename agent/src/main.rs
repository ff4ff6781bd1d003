//! Cofferdam agent.
fn main() {}
