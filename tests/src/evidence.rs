//! What processes left behind: their output, and what agents' journals say was done.

use crate::site::Site;
use cofferdam_agent::journal::{History, Record};
use cofferdam_engine::{
    id::{HostId, Incarnation, OrderKey, RolloutId},
    order::Direction,
    run::{Ending, RunState},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Fails when a log has a panic, or an ERROR line in which no announced part stands.
///
/// # Panics
/// When one has.
pub fn assert_calm(logs: &[PathBuf], announced: &[&str]) {
    for log in logs {
        let text = fs::read_to_string(log).unwrap_or_default();
        for line in text.lines() {
            let is_error = line.contains("ERROR") || line.contains("\"level\":\"error\"");
            let is_announced = announced.iter().any(|part| line.contains(part));
            assert!(
                !line.contains("panicked") && (!is_error || is_announced),
                "{}: {line}",
                log.display()
            );
        }
    }
}

/// Fails unless a host's agent applied one order, and that one patched it.
///
/// # Panics
/// When it did not.
pub fn assert_patched_once(site: &Site, host: &HostId) {
    let orders = orders(&site.journal(host));
    let patched: Vec<_> = orders.values().filter(|told| told.applied()).collect();
    assert_eq!(patched.len(), 1, "{host}: {orders:#?}");
    assert_eq!(patched[0].ending(), Some(Ending::Patched), "{host}");
}

/// The states that the run of one order went through, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Of which rollout.
    pub rollout: RolloutId,
    /// Forward or back.
    pub direction: Direction,
    /// The states, from `Claiming`.
    pub states: Vec<RunState>,
}

impl Told {
    /// Whether the host was changed, or may have been.
    pub fn applied(&self) -> bool {
        self.states.contains(&RunState::Applying)
    }

    /// How it ended. Nothing while it is open.
    pub fn ending(&self) -> Option<Ending> {
        match self.states.last() {
            Some(RunState::Ended(ending)) => Some(*ending),
            Some(_) | None => None,
        }
    }
}

/// Reads an agent's journal: each order that it ever accepted, and what became of it. A line that is being
/// written is not read yet.
///
/// # Panics
/// When the journal cannot be read, or the same order was accepted twice: promise 7.
pub fn orders(journal: &Path) -> BTreeMap<OrderKey, Told> {
    let text = fs::read_to_string(journal).expect("the agent has a journal");
    let mut told: BTreeMap<OrderKey, Told> = BTreeMap::new();
    let mut history = History::begin(Incarnation(0));
    let written = text.rfind('\n').map_or("", |end| &text[..end]);
    for record in written.lines().flat_map(records) {
        history
            .apply(&record)
            .expect("each record follows from those before it");
        let Some(run) = history.run() else { continue };
        let order = run.order();
        if let Record::Accepted { .. } = record {
            let new = Told {
                rollout: order.grant.rollout.clone(),
                direction: order.direction,
                states: Vec::new(),
            };
            let before = told.insert(order.key, new);
            assert_eq!(before, None, "order {} was accepted twice", order.key);
        }
        if let Some(told) = told.get_mut(&order.key)
            && told.states.last() != Some(&run.state())
        {
            told.states.push(run.state());
        }
    }
    told
}

/// A line of the journal: `VERSION CRC32 JSON`, the JSON an array of records.
fn records(line: &str) -> Vec<Record> {
    let json = line.splitn(3, ' ').nth(2).expect("a line has three parts");
    serde_json::from_str(json).expect("a line holds records")
}
