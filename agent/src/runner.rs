//! Carries out what the open run wants: one step at a time, cancelled when its state is left.

use crate::{actions::Actions, task::Task};
use cofferdam_engine::{
    failure::Failure,
    id::OrderKey,
    order::Order,
    run::{Run, RunCommand, RunEvent, RunState},
    time::Timestamp,
};
use std::rc::Rc;

/// Carries out a run's commands.
pub(crate) struct Runner<A> {
    actions: Rc<A>,
    begun: Option<(OrderKey, RunState)>,
    step: Task<RunEvent>,
}

impl<A: Actions> Runner<A> {
    /// A runner at rest.
    pub(crate) fn new(actions: Rc<A>) -> Self {
        Self {
            actions,
            begun: None,
            step: Task::idle(),
        }
    }

    /// Begins the step of the state that the run is in, once, and cancels the one before it.
    pub(crate) fn follow(&mut self, run: &Run, now: Timestamp) {
        let at = (run.order().key, run.state());
        if self.begun == Some(at) {
            return;
        }
        self.step.cancel();
        self.begun = Some(at);
        let Some(command) = run.decide(now).command else {
            return;
        };
        let order = Rc::new(run.order().clone());
        let actions = Rc::clone(&self.actions);
        match command {
            RunCommand::Claim(_) => {}
            RunCommand::Drain
            | RunCommand::Apply
            | RunCommand::Reboot
            | RunCommand::Verify
            | RunCommand::RollBack
            | RunCommand::Readmit => self.step.start(carry_out(actions, command, order)),
        }
    }

    /// Waits for the outcome of the step; for ever when there is none.
    pub(crate) async fn outcome(&mut self) -> RunEvent {
        self.step.outcome().await
    }

    /// Leaves the step to itself: the agent goes, and what it started may finish.
    pub(crate) fn abandon(&mut self) {
        self.step.abandon();
    }
}

async fn carry_out<A: Actions>(actions: Rc<A>, command: RunCommand, order: Rc<Order>) -> RunEvent {
    let order = &order;
    let result: Result<bool, Failure> = match command {
        RunCommand::Claim(_) => return std::future::pending().await,
        RunCommand::Drain => actions.drain(order).await.map(|()| false),
        RunCommand::Apply => actions.apply(order).await.map(|done| done.needs_reboot),
        RunCommand::Reboot => actions.reboot(order).await.map(|()| false),
        RunCommand::Verify => actions.verify(order).await.map(|()| false),
        RunCommand::RollBack => return roll_back(&*actions, order).await,
        RunCommand::Readmit => actions.readmit(order).await.map(|()| false),
    };
    match result {
        Ok(needs_reboot) => RunEvent::done(needs_reboot),
        Err(failure) => RunEvent::Failed(failure),
    }
}

async fn roll_back<A: Actions>(actions: &A, order: &Order) -> RunEvent {
    match actions.rollback(order).await {
        Ok(exceptions) => RunEvent::Done {
            needs_reboot: false,
            exceptions,
        },
        Err(failure) => RunEvent::Failed(failure),
    }
}
