//! Looks at what is installed after a run may have changed it, and says when it is something else.

use crate::{actions::Actions, greeting::facts, task::Task};
use cofferdam_engine::{
    digest::Digest,
    failure::Failure,
    inventory::PackageSet,
    patch::Content,
    run::{Run, RunState},
};
use std::{rc::Rc, time::Duration};
use tokio::time;

/// The wait after a look that failed (guess: nobody waits for it; a session's hello says it too).
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Watches over what the coordinator was told of the installed packages in this session. Nothing is
/// done while no run changes them: each run costs one look, or two where it goes back.
pub(crate) struct Inventory<A> {
    actions: Rc<A>,
    told: Option<Digest>,
    is_doubted: bool,
    wait: Duration,
    work: Task<Result<PackageSet, Failure>>,
}

impl<A: Actions> Inventory<A> {
    /// A watch that has told nobody anything, and doubts nothing.
    pub(crate) fn new(actions: Rc<A>) -> Self {
        Self {
            actions,
            told: None,
            is_doubted: false,
            wait: Duration::ZERO,
            work: Task::idle(),
        }
    }

    /// What the coordinator was just told by a hello.
    pub(crate) fn told(&mut self, packages: Digest) {
        self.told = Some(packages);
    }

    /// Follows the open run: looks once it has left a step that changes packages, and there is
    /// somebody to tell. A hello during that step says what was half done, so it does not count.
    pub(crate) fn follow(&mut self, run: Option<&Run>, is_open: bool) {
        if run.is_some_and(changes_packages) {
            self.is_doubted = true;
            self.wait = Duration::ZERO;
            self.work.cancel();
        } else if !is_open {
            self.work.cancel();
        } else if self.is_doubted && self.work.is_idle() {
            self.work.start(look(Rc::clone(&self.actions), self.wait));
        }
    }

    /// Waits for a look; for ever when none goes on. What is installed, when the coordinator was
    /// told something else.
    pub(crate) async fn outcome(&mut self) -> Option<PackageSet> {
        let packages = match self.work.outcome().await {
            Ok(packages) => packages,
            Err(failure) => {
                tracing::warn!(%failure, "what is installed after a run is not to be had yet");
                self.wait = AGAIN_AFTER;
                return None;
            }
        };
        self.is_doubted = false;
        self.found(packages)
    }

    /// Takes in what is installed now, as somebody else found who looked. The same, when the coordinator was told
    /// something else.
    pub(crate) fn found(&mut self, packages: PackageSet) -> Option<PackageSet> {
        let digest = packages.digest();
        (self.told.replace(digest) != Some(digest)).then_some(packages)
    }
}

/// Whether the run is in a step that changes packages.
fn changes_packages(run: &Run) -> bool {
    let has_packages = match run.order().content {
        Content::Packages { .. } => true,
        Content::Config { .. } | Content::Noop => false,
    };
    has_packages && matches!(run.state(), RunState::Applying | RunState::RollingBack)
}

async fn look<A: Actions>(actions: Rc<A>, wait: Duration) -> Result<PackageSet, Failure> {
    time::sleep(wait).await;
    facts(actions).await.map(|(_, packages)| packages)
}
