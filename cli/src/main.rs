//! Cofferdam.
fn main() {}
