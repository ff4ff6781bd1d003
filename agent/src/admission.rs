//! Lets a host that booted back into traffic, outside a run.

use crate::{actions::Actions, task::Task};
use std::rc::Rc;

/// Lets the host in once. A run that opens meanwhile takes over, and it begins anew after that.
pub(crate) struct Admission<A> {
    actions: Rc<A>,
    is_over: bool,
    work: Task<()>,
}

impl<A: Actions> Admission<A> {
    /// An admission that has not begun.
    pub(crate) fn new(actions: Rc<A>) -> Self {
        Self {
            actions,
            is_over: false,
            work: Task::idle(),
        }
    }

    /// Goes on, or stops.
    pub(crate) fn follow(&mut self, wanted: bool) {
        if !wanted {
            self.work.cancel();
        } else if self.work.is_idle() && !self.is_over {
            let actions = Rc::clone(&self.actions);
            self.work.start(async move { actions.admit().await });
        }
    }

    /// Waits until the host is let in; for ever when nothing goes on.
    pub(crate) async fn outcome(&mut self) {
        self.work.outcome().await;
        self.is_over = true;
    }
}
