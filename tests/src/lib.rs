//! What the tests of Cofferdam share: it starts the built programs as processes on loopback, talks
//! to them as an operator does, hurts them, and looks at what they leave behind.
//!
//! A [`fleet::Fleet`] is one coordinator and its agents in a folder of their own, a
//! [`real_fleet::RealFleet`] the same on Debian hosts that really boot. Nothing here sleeps for time to
//! pass: [`patience::eventually`] waits for conditions, each with a deadline.

pub mod balancer;
pub mod deadly;
pub mod debian;
pub mod evidence;
pub mod faked_clock;
pub mod figures;
pub mod fleet;
pub mod folder;
pub mod greeting;
pub mod load;
pub mod machine;
pub mod on_paper;
pub mod patience;
pub mod pki;
pub mod ports;
pub mod process;
pub mod real_fleet;
pub mod responder;
pub mod rollout;
pub mod sealing;
pub mod simulation;
pub mod site;
pub mod size;
pub mod small_disk;
pub mod swarm;
pub mod usage;
pub mod virtual_fleet;
