//! Debian hosts in containers that boot, reboot, lose power and install packages for real. Where they
//! cannot run, the run says `left out: real fleet` and why, once.

#![cfg(test)]

mod agents;
mod asked;
mod at_boot;
mod cut_short;
mod dead_release;
mod dnf;
mod drain;
mod drift;
mod effect;
mod exempt;
mod failures;
mod guard;
mod guarded;
mod hosts;
mod image;
mod needrestart;
mod packagekit;
mod packages;
mod regions;
mod reservation;
mod responder;
mod traces;
mod way_back;
