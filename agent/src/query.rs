//! Whether the host is as a query says.

use crate::{actions::Actions, inquiry::Question};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    query::{self, Answer},
};
use cofferdam_proto::session::FromAgent;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A query as it came.
pub(crate) struct Asked {
    text: String,
    /// When nobody waits for the answer any more, wherever the query is then.
    until: Instant,
}

impl Asked {
    /// A query that came now.
    pub(crate) fn now(text: String, within: Duration) -> Self {
        let until = Instant::now() + within;
        Self { text, until }
    }
}

impl Question for Asked {
    type Found = Answer;

    async fn answer<A: Actions>(self, actions: &A) -> Result<Answer, Failure> {
        let question = query::Question::parse(&self.text).map_err(|error| {
            let detail = format!("this agent cannot read the query: {error}");
            Failure::new(FailureKind::Unsupported, detail)
        })?;
        let wants = question.wants();
        let found = timeout_at(self.until, actions.find(&wants)).await;
        let found = found.unwrap_or_else(|_| {
            let detail = "what was asked was not found out in time";
            Err(Failure::new(FailureKind::TimedOut, detail))
        })?;
        Ok(question.answer(&found))
    }

    fn message(request: u64, result: Result<Answer, Failure>) -> FromAgent {
        FromAgent::Queried { request, result }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actions::{ScriptedActions, Step, Turn},
        inquiry::Inquiry,
    };
    use std::rc::Rc;

    /// Longer than finding takes, by the script.
    const WITHIN: Duration = Duration::from_secs(10);

    fn inquiry(actions: &ScriptedActions) -> Inquiry<ScriptedActions, Asked> {
        Inquiry::new(Rc::new(actions.clone()))
    }

    fn asked(text: &str) -> Asked {
        Asked::now(text.to_owned(), WITHIN)
    }

    async fn result(inquiry: &mut Inquiry<ScriptedActions, Asked>) -> Result<Answer, Failure> {
        let said = inquiry.outcome().await;
        let FromAgent::Queried { result, .. } = said else {
            panic!("another message: {said:?}");
        };
        result
    }

    #[tokio::test(start_paused = true)]
    async fn a_query_is_answered_with_what_was_found() {
        let mut inquiry = inquiry(&ScriptedActions::new(Duration::from_secs(1)));
        assert_eq!(
            inquiry.ask(7, asked("package a == 1 and unit b active")),
            None
        );
        assert_eq!(
            inquiry.outcome().await,
            FromAgent::Queried {
                request: 7,
                result: Ok(Answer {
                    holds: true,
                    evidence: "a 1, b.service active".to_owned(),
                }),
            }
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_query_that_cannot_be_read_is_answered_with_that() {
        let mut inquiry = inquiry(&ScriptedActions::new(Duration::ZERO));
        inquiry.ask(1, asked("port 443 open"));
        let failure = result(&mut inquiry).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unsupported);
        assert!(failure.detail.contains("at character 1"), "{failure}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_hangs_is_given_up_when_nobody_waits_any_more_and_so_is_what_waited_behind()
    {
        let actions = ScriptedActions::new(Duration::ZERO);
        actions.script(Step::Find, Turn::hangs());
        actions.script(Step::Find, Turn::hangs());
        let mut inquiry = inquiry(&actions);
        let begin = Instant::now();
        for request in 1..=3 {
            inquiry.ask(request, asked("package a"));
        }
        for _ in 0..2 {
            let failure = result(&mut inquiry).await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::TimedOut);
        }
        assert_eq!(begin.elapsed(), WITHIN);
        // One that answers at once is not late yet.
        assert!(result(&mut inquiry).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn more_queries_than_may_wait_are_refused_at_once() {
        let mut inquiry = inquiry(&ScriptedActions::new(Duration::from_secs(1)));
        let refused = (0..20).filter_map(|request| inquiry.ask(request, asked("package a")));
        let refused: Vec<FromAgent> = refused.collect();
        assert!(!refused.is_empty());
        for refusal in refused {
            let FromAgent::Queried { result, .. } = refusal else {
                panic!("another message: {refusal:?}");
            };
            assert_eq!(result.unwrap_err().kind, FailureKind::Locked);
        }
        inquiry.forget();
        assert_eq!(inquiry.ask(99, asked("package a")), None);
        assert!(result(&mut inquiry).await.is_ok());
    }
}
