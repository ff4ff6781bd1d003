//! Staging, apart from runs: one rollout's bits at a time, and what other hosts of the region need.

use crate::{
    actions::{Actions, StageRequest},
    task::Task,
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    id::RolloutId,
    patch::Content,
    report::ReportBody,
};
use cofferdam_proto::artefact::SupplyRequest;
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
    supplies: VecDeque<SupplyRequest>,
    supplying: Option<SupplyRequest>,
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
            supplies: VecDeque::new(),
            supplying: None,
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
        if self
            .supplying
            .as_ref()
            .is_some_and(|supply| !serves(supply, &request))
        {
            // What this host needs itself goes first.
            self.supplying = None;
            self.work.cancel();
        }
        self.releases.remove(&request.rollout);
        self.waiting.push_back(request);
    }

    /// Takes a request to bring packages to the artefact store: when nothing else is to be done. One too
    /// many is dropped, since whoever stages brings what is missing.
    pub(crate) fn supply(&mut self, request: SupplyRequest) {
        if self.supplies.len() < MAX_WAITING && !self.supplies.contains(&request) {
            self.supplies.push_back(request);
        }
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
        } else if let Some(request) = self.supplies.pop_front() {
            self.supplying = Some(request.clone());
            self.work.start(bring(actions, request));
        }
    }

    /// Waits for something that is to be reported, or for work that is over in silence; for ever
    /// when nothing goes on.
    pub(crate) async fn outcome(&mut self) -> Option<ReportBody> {
        let outcome = self.work.outcome().await;
        self.supplying = None;
        self.current = None;
        outcome
    }
}

/// Whether what is brought to the store is needed here too: to begin anew would fetch it twice.
fn serves(supply: &SupplyRequest, request: &StageRequest) -> bool {
    match &request.content {
        Content::Packages { packages, .. } => packages.iter().any(|p| supply.packages.contains(p)),
        Content::Config { .. } | Content::Noop => false,
    }
}

async fn let_go<A: Actions>(actions: Rc<A>, rollout: RolloutId) -> Option<ReportBody> {
    let released = time::timeout(STAGE_DEADLINE, actions.release(&rollout)).await;
    if released.is_err() {
        tracing::warn!(%rollout, "staged bits could not be let go in time");
    }
    None
}

async fn bring<A: Actions>(actions: Rc<A>, request: SupplyRequest) -> Option<ReportBody> {
    match time::timeout(STAGE_DEADLINE, actions.supply(&request)).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => tracing::info!(%failure, "not all was brought to the artefact store"),
        Err(_) => tracing::warn!("packages could not be brought to the artefact store in time"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::{Effect, ScriptedActions};
    use cofferdam_engine::{
        digest::Digest,
        patch::{ConffilePolicies, KernelFallback, LockedPackage},
        reach::Reach,
    };

    fn package(name: &str) -> LockedPackage {
        LockedPackage {
            name: name.to_owned(),
            version: "2".to_owned(),
            sha256: Digest::of(name),
            size: 1,
        }
    }

    /// What a host did that was staging something of its own while it brought `tool` to the store.
    async fn staged_while_it_brings_tool(own: &str) -> Vec<Effect> {
        let actions = ScriptedActions::new(Duration::from_secs(1));
        let mut staging = Staging::new(Rc::new(actions.clone()));
        staging.supply(SupplyRequest {
            packages: vec![package("tool")],
            reach: Reach::Every,
        });
        staging.proceed(None);
        staging.stage(StageRequest {
            rollout: RolloutId::new("r1").unwrap(),
            lock_digest: Digest::of("lock"),
            content: Content::Packages {
                packages: vec![package(own)],
                reach: Reach::Every,
            },
            conffiles: ConffilePolicies::default(),
            kernel_fallback: KernelFallback::default(),
            one_way: false,
            rate_kib: None,
        });
        loop {
            staging.proceed(None);
            if staging.outcome().await.is_some() {
                return actions.effects();
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_host_brings_and_needs_itself_is_brought_to_the_end() {
        let effects = staged_while_it_brings_tool("tool").await;
        let staged = Effect::Staged(Digest::of("lock"));
        assert_eq!(effects, [Effect::Supplied, staged]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_host_needs_itself_goes_before_what_it_brings_for_others() {
        let effects = staged_while_it_brings_tool("other").await;
        assert_eq!(effects, [Effect::Staged(Digest::of("lock"))]);
    }
}
