//! The state file: what the agent tells the health responder, and so every load balancer.
//!
//! It lies in the run folder, which a reboot empties: a responder that finds no file says *not
//! available*. The agent writes it by rename, so that a reader sees the old state or the new one,
//! and an agent that died or hangs changes nothing. JSON, with the fields of [`State`].

pub mod weight;

use crate::{
    checks::verdict::{Measure, Reading, Verdict},
    clock,
    host::durable::{self, FileError},
};
use serde::{Deserialize, Serialize};
use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};
use weight::Weight;

/// The version of the state file's format that this program reads and writes.
pub const FORMAT: u32 = 1;

/// The most bytes of a state file: some hundred checks with a line each, and nothing that could fill the
/// responder's memory (guess).
pub const MAX_BYTES: usize = 256 * 1024;

/// The name of the state file in the run folder.
pub const FILE_NAME: &str = "state.json";

/// What the state file says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The format: [`FORMAT`]. A reader refuses any other.
    pub version: u32,
    /// The host, by the name in its certificate.
    pub host: String,
    /// The version of the agent that wrote the file.
    pub agent: String,
    /// Whether load balancers are to send traffic.
    pub flag: FlagState,
    /// Why the flag is not up, in one line. Empty while it is up.
    pub reason: String,
    /// Whether the host was found well since its boot. An agent that starts again trusts it.
    #[serde(default)]
    pub proved: bool,
    /// How much of its full traffic the host is to have, while the flag is up, each from its moment on; in
    /// order of those. Empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<Weight>,
    /// The rollout that last patched this host. Absent: none has.
    pub release: Option<String>,
    /// The last verdict of each check and probe, and of each signal. Empty: none was made yet.
    pub checks: Vec<CheckState>,
}

/// The flag as it stands in the state file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlagState {
    /// The host is available.
    Up,
    /// It takes nothing new; what it has begun may end.
    Draining,
    /// It is not available: what is still sent may be lost.
    Down,
}

/// One check or signal as it stands in the state file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckState {
    /// The name of the check, probe or signal.
    pub name: String,
    /// Which of these it is. Agents before there were signals wrote none.
    #[serde(default)]
    pub source: Source,
    /// `pass`, `fail` or `no-data`.
    pub verdict: Verdict,
    /// The number that it goes by, and its threshold. Absent: it goes by none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// When it was read, by the boot-time clock, in milliseconds. Absent: an agent that did not say so
    /// wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_ms: Option<u64>,
    /// Since when it has this verdict, as `read_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    /// What it said, in one line. Empty: nothing.
    pub output: String,
}

/// Where a verdict comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A program of `checks.d` or a probe of the application: what the host must be.
    #[default]
    Check,
    /// A signal that the agent reads of the machine: what a patch must not make worse.
    Signal,
}

/// The state file does not say what is expected.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// There is none.
    #[error("there is no state file {0}")]
    Missing(PathBuf),
    /// It could not be read.
    #[error("the state file could not be read")]
    Unreadable(#[source] FileError),
    /// It is not what an agent writes.
    #[error("the state file {path} is garbled")]
    Garbled {
        /// The file.
        path: PathBuf,
        /// Where.
        #[source]
        source: serde_json::Error,
    },
    /// It is longer than any agent writes.
    #[error("the state file {0} has more than {MAX_BYTES} bytes")]
    TooLong(PathBuf),
    /// It has another format.
    #[error("the state file {path} has format {found}, {FORMAT} is expected")]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

impl State {
    /// A reading as it is to stand here: with the moment since when it has its verdict.
    fn shown(&self, source: Source, reading: &Reading, now_ms: u64) -> CheckState {
        let mut checks = self.checks.iter();
        let is_it = |check: &&CheckState| check.source == source && check.name == reading.name;
        let last = checks.find(is_it);
        let same = last.filter(|check| check.verdict == reading.verdict);
        CheckState {
            name: reading.name.clone(),
            source,
            verdict: reading.verdict,
            measure: reading.measure.clone(),
            read_ms: Some(now_ms),
            since_ms: Some(same.and_then(|check| check.since_ms).unwrap_or(now_ms)),
            output: reading.output.clone(),
        }
    }

    /// Reads the state file.
    ///
    /// # Errors
    /// [`StateError`] when it is missing, cannot be read or is not understood.
    pub fn read(path: &Path) -> Result<Self, StateError> {
        let content = durable::read_some(path, MAX_BYTES + 1)
            .map_err(StateError::Unreadable)?
            .ok_or_else(|| StateError::Missing(path.to_owned()))?;
        if content.len() > MAX_BYTES {
            return Err(StateError::TooLong(path.to_owned()));
        }
        let state: Self = serde_json::from_slice(&content).map_err(|source| {
            let path = path.to_owned();
            StateError::Garbled { path, source }
        })?;
        if state.version != FORMAT {
            return Err(StateError::OtherFormat {
                path: path.to_owned(),
                found: state.version,
            });
        }
        Ok(state)
    }
}

/// The agent's hand on the state file: its only writer.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    state: RefCell<State>,
    /// Whether an agent before this one wrote it.
    was_there: bool,
}

impl StateFile {
    /// Takes the state file of a run folder. What an agent before this one wrote there stays as it
    /// is until this one says something; without it the flag is down.
    pub fn open(run_dir: &Path, host: &str, release: Option<String>) -> Self {
        let path = run_dir.join(FILE_NAME);
        let found = State::read(&path).ok();
        let mut state = found.clone().unwrap_or_else(|| State {
            version: FORMAT,
            host: host.to_owned(),
            agent: String::new(),
            flag: FlagState::Down,
            reason: "the agent has not put the flag up yet".to_owned(),
            proved: false,
            weights: Vec::new(),
            release: None,
            checks: Vec::new(),
        });
        host.clone_into(&mut state.host);
        state.agent = env!("CARGO_PKG_VERSION").to_owned();
        state.release = release;
        Self {
            path,
            was_there: found.is_some(),
            state: RefCell::new(state),
        }
    }

    /// Puts the flag somewhere, for all traffic if it is up. The reason says why it is not.
    ///
    /// # Errors
    /// [`FileError`] when the file could not be written; then it says what it said before.
    pub fn set(&self, flag: FlagState, reason: &str) -> Result<(), FileError> {
        self.change(|state| {
            state.flag = flag;
            reason.clone_into(&mut state.reason);
            state.weights.clear();
        })
    }

    /// Puts the flag up, for traffic to come back by these weights. One that is up already stays as it is.
    ///
    /// # Errors
    /// [`FileError`] when the file could not be written; then it says what it said before.
    pub fn put_up(&self, weights: Vec<Weight>) -> Result<(), FileError> {
        match self.is_up() {
            true => self.change(|_| {}),
            false => self.weigh(weights),
        }
    }

    /// Puts the flag up with these weights, whatever it had before.
    ///
    /// # Errors
    /// [`FileError`] when the file could not be written; then it says what it said before.
    pub fn weigh(&self, weights: Vec<Weight>) -> Result<(), FileError> {
        self.change(|state| {
            state.flag = FlagState::Up;
            state.proved = true;
            state.reason.clear();
            state.weights = weights;
        })
    }

    /// Says that the host was found well since its boot.
    ///
    /// # Errors
    /// [`FileError`] when the file could not be written; then it says what it said before.
    pub fn prove(&self) -> Result<(), FileError> {
        self.change(|state| state.proved = true)
    }

    /// Whether the host was found well since its boot.
    pub fn is_proved(&self) -> bool {
        self.state.borrow().proved
    }

    /// Says which rollout patched the host last.
    ///
    /// # Errors
    /// [`FileError`] when the file could not be written; then it says what it said before.
    pub fn set_release(&self, release: &str) -> Result<(), FileError> {
        self.change(|state| state.release = Some(release.to_owned()))
    }

    /// Shows what one source says now, in place of what it said before.
    ///
    /// # Errors
    /// [`FileError`] when the file could not be written; then it says what it said before.
    pub fn show(&self, source: Source, readings: &[Reading]) -> Result<(), FileError> {
        let now = clock::uptime();
        self.change(|state| {
            let shown: Vec<CheckState> = readings
                .iter()
                .map(|reading| state.shown(source, reading, now))
                .collect();
            state.checks.retain(|check| check.source != source);
            let at = match source {
                Source::Check => 0,
                Source::Signal => state.checks.len(),
            };
            state.checks.splice(at..at, shown);
        })
    }

    /// Whether the flag is up.
    pub fn is_up(&self) -> bool {
        self.state.borrow().flag == FlagState::Up
    }

    /// The flag as load balancers were told it. Absent: they were told nothing since the boot.
    pub fn told(&self) -> Option<FlagState> {
        self.was_there.then(|| self.state.borrow().flag)
    }

    /// Where the flag is.
    pub fn flag(&self) -> FlagState {
        self.state.borrow().flag
    }

    /// How much of its full traffic the host is to have at a moment, in percent, while the flag is up.
    pub fn percent(&self, now_ms: u64) -> u64 {
        weight::at(&self.state.borrow().weights, now_ms)
    }

    /// Why the flag is down. Empty while it is up.
    pub fn reason(&self) -> String {
        self.state.borrow().reason.clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> Result<(), FileError> {
        let mut next = self.state.borrow().clone();
        change(&mut next);
        // Others may have removed or damaged it, and who reads it must not wait for a change.
        let is_there = || State::read(&self.path).is_ok_and(|there| there == next);
        if next == *self.state.borrow() && is_there() {
            return Ok(());
        }
        let json = serde_json::to_vec_pretty(&next).expect("plain data becomes JSON");
        durable::write(&self.path, &json)?;
        *self.state.borrow_mut() = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
