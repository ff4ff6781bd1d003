//! Answers what an installation would bring, one question at a time.

use crate::{actions::Actions, task::Task};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    wish::Wish,
};
use cofferdam_proto::session::FromAgent;
use std::{collections::VecDeque, rc::Rc, time::Duration};
use tokio::time;

/// How long one answer may take (measured: an `apt-get -s dist-upgrade` takes 2 s; a slow disk ten
/// times that).
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// The most questions that wait (guess: one operator plans at a time).
const MAX_WAITING: usize = 8;

/// Answers questions of one session, one after the other.
pub(crate) struct Simulation<A> {
    actions: Rc<A>,
    waiting: VecDeque<(u64, Wish)>,
    work: Task<FromAgent>,
}

impl<A: Actions> Simulation<A> {
    /// No questions.
    pub(crate) fn new(actions: Rc<A>) -> Self {
        Self {
            actions,
            waiting: VecDeque::new(),
            work: Task::idle(),
        }
    }

    /// Takes a question. When too many wait it is answered at once, with that.
    pub(crate) fn ask(&mut self, request: u64, wish: Wish) -> Option<FromAgent> {
        if self.waiting.len() >= MAX_WAITING {
            let detail = format!("{MAX_WAITING} simulations wait already");
            let result = Err(Failure::new(FailureKind::Locked, detail));
            return Some(FromAgent::Simulated { request, result });
        }
        self.waiting.push_back((request, wish));
        self.proceed();
        None
    }

    /// Forgets all questions: nobody waits for the answers.
    pub(crate) fn forget(&mut self) {
        self.waiting.clear();
        self.work.cancel();
    }

    /// Waits for an answer; for ever when nothing was asked.
    pub(crate) async fn outcome(&mut self) -> FromAgent {
        let answer = self.work.outcome().await;
        self.proceed();
        answer
    }

    fn proceed(&mut self) {
        if !self.work.is_idle() {
            return;
        }
        if let Some((request, wish)) = self.waiting.pop_front() {
            let actions = Rc::clone(&self.actions);
            self.work.start(answer(actions, request, wish));
        }
    }
}

async fn answer<A: Actions>(actions: Rc<A>, request: u64, wish: Wish) -> FromAgent {
    let simulated = time::timeout(ANSWER_WITHIN, actions.simulate(&wish)).await;
    let result = simulated.unwrap_or_else(|_| {
        let detail = format!(
            "the simulation took longer than {} s",
            ANSWER_WITHIN.as_secs()
        );
        Err(Failure::new(FailureKind::TimedOut, detail))
    });
    FromAgent::Simulated { request, result }
}
