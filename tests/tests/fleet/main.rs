//! The built programs as processes on loopback: a coordinator, its agents, an operator, and what
//! happens to them.

mod hundred;
mod kills;
mod silence;
