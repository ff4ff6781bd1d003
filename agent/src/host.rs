//! The host itself: its files, processes, units, connections and facts.

pub mod boot;
pub mod captured;
pub mod cgroup;
pub mod command;
pub mod connections;
pub mod dialled;
pub mod durable;
#[cfg(test)]
mod fuzz;
pub mod keep;
pub mod leftover;
pub mod local_program;
pub mod locks;
pub(crate) mod manager;
pub(crate) mod notice;
pub mod os_release;
pub mod owner;
pub mod printable;
pub mod process;
pub mod process_table;
pub mod root;
pub mod settings;
pub mod sockets;
pub mod space;
pub mod stamp;
mod transcript;
pub mod unit;
pub mod unit_state;
pub mod users;
pub mod versioned;
