//! Answers what the coordinator asks beside runs, one question of a kind at a time.

use crate::{actions::Actions, task::Task};
use cofferdam_engine::failure::{Failure, FailureKind};
use cofferdam_proto::session::FromAgent;
use std::{collections::VecDeque, rc::Rc};

/// The most questions of a kind that wait (guess: few operators ask at a time).
const MAX_WAITING: usize = 8;

/// Something that a coordinator asks. It looks at the host and changes nothing.
pub(crate) trait Question: 'static {
    /// What answers it, when that can be found out.
    type Found: 'static;

    /// Finds it out. Bounded in time by itself.
    async fn answer<A: Actions>(self, actions: &A) -> Result<Self::Found, Failure>;

    /// The message that carries the answer to a request.
    fn message(request: u64, result: Result<Self::Found, Failure>) -> FromAgent;
}

/// Answers questions of one session, one after the other.
pub(crate) struct Inquiry<A, Q> {
    actions: Rc<A>,
    waiting: VecDeque<(u64, Q)>,
    work: Task<FromAgent>,
}

impl<A: Actions, Q: Question> Inquiry<A, Q> {
    /// No questions.
    pub(crate) fn new(actions: Rc<A>) -> Self {
        Self {
            actions,
            waiting: VecDeque::new(),
            work: Task::idle(),
        }
    }

    /// Takes a question. When too many wait it is answered at once, with that.
    pub(crate) fn ask(&mut self, request: u64, question: Q) -> Option<FromAgent> {
        if self.waiting.len() >= MAX_WAITING {
            let detail = format!("{MAX_WAITING} questions wait already");
            let busy = Err(Failure::new(FailureKind::Locked, detail));
            return Some(Q::message(request, busy));
        }
        self.waiting.push_back((request, question));
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
        if let Some((request, question)) = self.waiting.pop_front() {
            let actions = Rc::clone(&self.actions);
            self.work
                .start(async move { Q::message(request, question.answer(&*actions).await) });
        }
    }
}
