//! Staging, apart from runs: one rollout's bits at a time.

use crate::{
    actions::{Actions, StageRequest},
    task::Task,
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    id::RolloutId,
    report::ReportBody,
};
use std::{
    collections::{BTreeSet, VecDeque},
    rc::Rc,
    time::Duration,
};
use tokio::time;

/// How long the bits of one rollout may take (guess: a large closure over a slow line;
/// the coordinator asks again).
const STAGE_DEADLINE: Duration = Duration::from_secs(30 * 60);

/// The most rollouts that wait to be staged or released on one host (guess). More is asked again.
const MAX_WAITING: usize = 32;

/// Stages and releases bits, one rollout after the other.
pub(crate) struct Staging<A> {
    actions: Rc<A>,
    waiting: VecDeque<StageRequest>,
    releases: BTreeSet<RolloutId>,
    current: Option<StageRequest>,
    work: Task<Option<ReportBody>>,
}

impl<A: Actions> Staging<A> {
    /// Staging at rest.
    pub(crate) fn new(actions: Rc<A>) -> Self {
        Self {
            actions,
            waiting: VecDeque::new(),
            releases: BTreeSet::new(),
            current: None,
            work: Task::idle(),
        }
    }

    /// Takes a request. One that waits or goes on already is not taken twice.
    pub(crate) fn stage(&mut self, request: StageRequest) {
        let known = self.waiting.contains(&request) || self.current.as_ref() == Some(&request);
        if known {
            return;
        }
        if self.waiting.len() >= MAX_WAITING {
            tracing::warn!(rollout = %request.rollout, "too many rollouts wait to be staged");
            return;
        }
        self.releases.remove(&request.rollout);
        self.waiting.push_back(request);
    }

    /// Lets a rollout's bits go when no run needs them.
    pub(crate) fn release(&mut self, rollout: RolloutId) {
        self.waiting.retain(|request| request.rollout != rollout);
        if self.releases.len() < MAX_WAITING {
            self.releases.insert(rollout);
        }
    }

    /// Begins the next piece of work, if none goes on. `in_use` is the rollout of the open run.
    pub(crate) fn proceed(&mut self, in_use: Option<&RolloutId>) {
        if !self.work.is_idle() {
            return;
        }
        let release = self.releases.iter().find(|r| Some(*r) != in_use).cloned();
        let actions = Rc::clone(&self.actions);
        if let Some(rollout) = release {
            self.releases.remove(&rollout);
            self.work.start(let_go(actions, rollout));
            return;
        }
        self.current = self.waiting.pop_front();
        if let Some(request) = self.current.clone() {
            self.work.start(prove(actions, request));
        }
    }

    /// Waits for something that is to be reported, or for work that is over in silence; for ever
    /// when nothing goes on.
    pub(crate) async fn outcome(&mut self) -> Option<ReportBody> {
        let outcome = self.work.outcome().await;
        self.current = None;
        outcome
    }
}

async fn let_go<A: Actions>(actions: Rc<A>, rollout: RolloutId) -> Option<ReportBody> {
    let released = time::timeout(STAGE_DEADLINE, actions.release(&rollout)).await;
    if released.is_err() {
        tracing::warn!(%rollout, "staged bits could not be let go in time");
    }
    None
}

async fn prove<A: Actions>(actions: Rc<A>, request: StageRequest) -> Option<ReportBody> {
    let staged = time::timeout(STAGE_DEADLINE, actions.stage(&request)).await;
    let failure = match staged {
        Ok(result) => result.err(),
        Err(_) => Some(Failure::new(
            FailureKind::TimedOut,
            format!("staging took longer than {} s", STAGE_DEADLINE.as_secs()),
        )),
    };
    Some(ReportBody::Staged {
        rollout: request.rollout,
        lock_digest: request.lock_digest,
        failure,
    })
}
