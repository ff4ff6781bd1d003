//! The built programs as processes on loopback: a coordinator, its agents, an operator, and what
//! happens to them.

#![cfg(test)]

mod artefacts;
mod balancer;
mod bundles;
mod certificates;
mod clocks;
mod full_disk;
mod guard;
mod hundred;
mod kills;
mod packages;
mod practice;
mod query;
mod refusals;
mod signed;
mod silence;
mod upgrade;
mod warrants;
mod way_back;
