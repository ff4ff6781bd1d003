//! Queries that hosts are to answer: who is still waited for, and who waits.

use cofferdam_engine::{failure::Failure, id::HostId, query::Answer};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;

/// What came of asking one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It answered.
    Answered(Result<Answer, Failure>),
    /// Its session ended before it did.
    Lost,
}

/// What hosts answer, as it comes. Each host is heard once at most. Dropping it ends the query.
pub(crate) type Answers = mpsc::Receiver<(HostId, Heard)>;

/// The queries that are under way, by the number that hosts give back.
#[derive(Debug, Default)]
pub(super) struct Queries {
    open: BTreeMap<u64, Open>,
    last: u64,
}

#[derive(Debug)]
struct Open {
    waiting: BTreeSet<HostId>,
    /// Has room for one message of each host that was asked.
    answers: mpsc::Sender<(HostId, Heard)>,
}

impl Queries {
    /// None yet, to be numbered from the next on.
    pub(super) fn after(last: u64) -> Self {
        let open = BTreeMap::new();
        Self { open, last }
    }

    /// A number for the next query.
    pub(super) fn next_request(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Waits for the answers of hosts that were asked under a number.
    pub(super) fn wait(&mut self, request: u64, waiting: BTreeSet<HostId>) -> Answers {
        self.forget_ended();
        let (answers, receiver) = mpsc::channel(waiting.len().max(1));
        if !waiting.is_empty() {
            self.open.insert(request, Open { waiting, answers });
        }
        receiver
    }

    /// Takes in a host's answer. One that nobody waits for is dropped.
    pub(super) fn answered(
        &mut self,
        host: &HostId,
        request: u64,
        result: Result<Answer, Failure>,
    ) {
        if let Some(open) = self.open.get_mut(&request) {
            open.hear(host, Heard::Answered(result));
        }
        self.forget_ended();
    }

    /// Takes in that a host's session ended.
    pub(super) fn lost(&mut self, host: &HostId) {
        for open in self.open.values_mut() {
            open.hear(host, Heard::Lost);
        }
        self.forget_ended();
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn forget_ended(&mut self) {
        self.open
            .retain(|_, open| !open.waiting.is_empty() && !open.answers.is_closed());
    }
}

impl Open {
    fn hear(&mut self, host: &HostId, heard: Heard) {
        if self.waiting.remove(host) {
            // There is room for each host; nobody there means that nobody waits.
            self.answers.try_send((host.clone(), heard)).ok();
        }
    }
}
