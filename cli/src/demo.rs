//! `cofferdam demo`: a real rollout on this machine.

pub mod folder;
pub mod host;
pub mod processes;
pub mod repository;
pub mod root;
pub mod tool;
