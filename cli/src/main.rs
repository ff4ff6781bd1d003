//! `cofferdam`: the operator's command.

fn main() {}
