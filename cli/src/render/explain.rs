//! Why something is as it is.

use crate::render::{View, rollout::holds, table::indented};
use cofferdam_engine::time::Timestamp;
use cofferdam_proto::operator::Explanation;
use serde::Serialize;

/// An explanation, seen at a moment.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Explained {
    explanation: Explanation,
    #[serde(skip)]
    now: Timestamp,
}

impl Explained {
    /// The explanation as of now.
    pub fn new(explanation: Explanation, now: Timestamp) -> Self {
        Self { explanation, now }
    }
}

impl View for Explained {
    fn text(&self) -> String {
        let Explanation {
            headline,
            lines,
            facts,
            ..
        } = &self.explanation;
        let mut text = format!("{headline}\n");
        let width = facts.iter().map(|fact| fact.key.len()).max().unwrap_or(0);
        let facts = facts
            .iter()
            .map(|fact| format!("{:width$}  {}\n", fact.key, fact.value));
        text += &indented(&facts.collect::<String>());
        text += &holds("What holds it", lines, self.now);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_proto::operator::{Fact, HoldView, SubjectKind};

    #[test]
    fn an_explanation_is_a_sentence_its_facts_and_its_holds() {
        let fact = |key: &str, value: &str| Fact {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let explanation = Explanation {
            kind: SubjectKind::Rollout,
            subject: "demo-3".to_owned(),
            headline: "rollout demo-3 is paused: instance_type=x2.metal failed twice".to_owned(),
            lines: vec![HoldView {
                subject: "host b-1".to_owned(),
                reason: "the host is not connected".to_owned(),
                rule: "unreachable".to_owned(),
                since_ms: Timestamp(1_000),
                hosts: 1,
                until_ms: Some(Timestamp(64_000)),
            }],
            facts: vec![fact("wave", "canary"), fact("failed", "a-8, c-8")],
        };
        insta::assert_snapshot!(Explained::new(explanation, Timestamp(4_000)).text(), @r"
    rollout demo-3 is paused: instance_type=x2.metal failed twice
      wave    canary
      failed  a-8, c-8

    What holds it
      WHAT      HOSTS  FOR  WHY
      host b-1  1      3s   the host is not connected, 1m more [unreachable]
    ");
    }
}
