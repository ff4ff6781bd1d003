//! The guard: takes every way by which a host's packages change, and refuses what nobody ordered.
//!
//! Duty: the agent's own changes pass, those in a window that a person opened, and those while an operator
//! has reserved the host; any other is refused
//! (`enforce`) or only written down (`observe`), with who tried, by whom that was started, and which
//! packages. In: drop-ins that make apt, dpkg, dnf and systemd ask. Out: exit codes, [`events`].
//!
//! ```text
//!   install --> drop-ins of each channel, and a manifest of them   <-- proof, each minute
//!   apt, dpkg, dnf, systemd --> hook --> decision --> 0 | 1, an event, a message
//!                                ^ manifest (settings), /proc (who asks), run folder (order, window)
//! ```
//!
//! A hook is a process of its own that reads a few files, so it decides whether or not an agent runs and
//! whether or not there is a network. It goes by the settings in the manifest: a config file that cannot
//! be read any more changes nothing about what is refused.
//!
//! The running agent tells its coordinator at once how the guard stands and what it saw: [`keeper`] notices,
//! [`word`] puts it in words, and `telling` says it, when there is somebody to hear it. What hooks write down
//! waits in the record until then.

pub mod asker;
pub mod channels;
pub mod command;
pub mod decision;
pub mod events;
pub mod hook;
pub mod install;
pub(crate) mod keeper;
pub mod lasting;
pub mod life;
pub mod manifest;
mod overridden;
pub mod places;
pub mod proof;
pub mod refusal;
pub mod reserved;
pub mod settings;
pub mod span;
pub mod standing;
pub mod status;
pub mod uninstall;
pub mod window;
pub mod word;
