//! Whether the agent lives, as hooks see it: by its process, and by the sign of life that it gives each minute.
//!
//! A process that is stopped, or hangs in a deadlock, still stands in the kernel's table. It guards nothing and
//! tells nobody, so that it counts as dead.

use super::{decision::AgentState, places::Places};
use crate::{
    clock,
    host::{
        boot,
        durable::{self, FileError},
        leftover, process_table,
    },
};
use std::{fs, time::Duration};

/// How long after a boot an agent that has not run yet counts as one that is about to (guess: a boot
/// takes seconds, a disk check minutes). A machine made from an old image upgrades itself just then.
pub const STARTS_WITHIN: Duration = Duration::from_secs(600);

/// How long an agent may give no sign: three of those that it gives each minute, of which one may be late on
/// a machine that is short of everything (guess).
pub const SILENT_FOR: Duration = Duration::from_secs(180);

/// Says that the agent lives, and which process it is.
///
/// # Errors
/// [`FileError`] when it cannot be written: hooks then take the agent for dead, sooner or later.
pub fn begin(places: &Places) -> Result<(), FileError> {
    // First, so that nobody sees this process with the last sign of the one before it.
    sign(places)?;
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    leftover::write_down(&places.agent(), own)
}

/// Says that the agent still lives.
///
/// # Errors
/// [`FileError`] when it cannot be written.
pub fn sign(places: &Places) -> Result<(), FileError> {
    durable::write(&places.alive(), clock::awake().to_string().as_bytes())
}

/// The agent, as it stands now.
pub fn state(places: &Places) -> AgentState {
    let process = match leftover::find(&places.agent()) {
        Ok(process) => process,
        Err(_) => return AgentState::Awaited,
    };
    match process {
        Some(process) if is_stopped(process.pid) => AgentState::Hung,
        Some(_) => of_sign(sign_of(places), clock::awake()),
        None if places.agent().exists() => AgentState::Dead,
        None if since_boot() >= STARTS_WITHIN => AgentState::Dead,
        None => AgentState::Awaited,
    }
}

/// How long this system is up: in a container less than its kernel.
fn since_boot() -> Duration {
    Duration::from_millis(clock::uptime()).saturating_sub(boot::begun())
}

fn is_stopped(pid: i32) -> bool {
    process_table::find(pid).is_some_and(|entry| entry.is_stopped)
}

/// When the agent gave its last sign. Absent: it gives none, as those of earlier releases.
fn sign_of(places: &Places) -> Option<u64> {
    fs::read_to_string(places.alive()).ok()?.parse().ok()
}

/// An agent that runs, by its last sign.
fn of_sign(sign: Option<u64>, now: u64) -> AgentState {
    match sign.map(|sign| Duration::from_millis(now.saturating_sub(sign))) {
        Some(silence) if silence > SILENT_FOR => AgentState::Hung,
        Some(_) | None => AgentState::Alive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };
    use std::process::Command;

    #[test]
    fn an_agent_that_is_stopped_or_silent_hangs_and_one_that_ended_is_dead() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::new(&folder.path().join("state"), &folder.path().join("run"));
        begin(&places).unwrap();
        assert_eq!(state(&places), AgentState::Alive);
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        leftover::write_down(&places.agent(), pid).unwrap();
        assert_eq!(state(&places), AgentState::Alive);
        kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
        crate::patience::eventually("it to be stopped", || state(&places) == AgentState::Hung);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(state(&places), AgentState::Dead);
    }

    #[test]
    fn three_signs_may_not_be_missed() {
        for (sign, now, expected) in [
            (Some(10_000), 190_000, AgentState::Alive),
            (Some(10_000), 190_001, AgentState::Hung),
            // A sign of later than now, and an agent that gives none.
            (Some(10_000), 0, AgentState::Alive),
            (None, 999_999_999, AgentState::Alive),
        ] {
            assert_eq!(of_sign(sign, now), expected, "{sign:?} {now}");
        }
    }
}
