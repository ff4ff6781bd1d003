//! Watches the host's own health outside a run, and says when it changes.

use crate::{
    actions::{Actions, Service},
    task::Task,
};
use cofferdam_engine::report::ReportBody;
use std::{rc::Rc, time::Duration};
use tokio::time;

/// How often the host is asked (guess: a load balancer asks as often).
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Watches the host's own health.
pub(crate) struct ServiceWatch<A> {
    actions: Rc<A>,
    told: Option<bool>,
    work: Task<Option<Service>>,
}

impl<A: Actions> ServiceWatch<A> {
    /// A watch that has told nobody anything.
    pub(crate) fn new(actions: Rc<A>) -> Self {
        Self {
            actions,
            told: None,
            work: Task::idle(),
        }
    }

    /// What the coordinator was just told by other means.
    pub(crate) fn told(&mut self, in_service: bool) {
        self.told = Some(in_service);
    }

    /// What the coordinator believes is not known any more: whatever is found next is said.
    pub(crate) fn doubt(&mut self) {
        self.told = None;
    }

    /// Goes on watching, or stops.
    pub(crate) fn watch(&mut self, wanted: bool) {
        if !wanted {
            self.work.cancel();
        } else if self.work.is_idle() {
            self.work.start(look(Rc::clone(&self.actions)));
        }
    }

    /// Waits for the host to be asked. The answer, when it is not what the coordinator was told.
    pub(crate) async fn outcome(&mut self) -> Option<ReportBody> {
        let service = self.work.outcome().await?;
        if self.told == Some(service.in_service) {
            return None;
        }
        Some(ReportBody::Service {
            in_service: service.in_service,
            detail: service.detail,
        })
    }
}

/// Asks the host once, after a while. No answer in time is no answer: nothing is said then.
async fn look<A: Actions>(actions: Rc<A>) -> Option<Service> {
    time::sleep(ASK_EVERY).await;
    time::timeout(ASK_EVERY, actions.in_service()).await.ok()
}
