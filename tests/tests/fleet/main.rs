//! The built programs as processes on loopback: a coordinator, its agents, an operator, and what
//! happens to them.

#![cfg(test)]

mod certificates;
mod hundred;
mod kills;
mod packages;
mod refusals;
mod silence;
