//! What the agent has to say and was not yet told that it is stored.

use cofferdam_engine::{
    id::{Incarnation, ReportSequence},
    report::{Report, ReportBody},
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The most reports that may wait before the agent says nothing more that it could say again later
/// (guess: a run makes a dozen). The reports of a run are always taken.
pub const MAX_WAITING: usize = 256;

/// Reports in order of their sequence, kept until they are acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outbox {
    last: ReportSequence,
    waiting: VecDeque<Report>,
}

impl Outbox {
    /// Adds a report under the next sequence.
    pub fn push(&mut self, incarnation: Incarnation, body: ReportBody) {
        self.last = self.last.next();
        self.waiting.push_back(Report {
            incarnation,
            sequence: self.last,
            body,
        });
    }

    /// Forgets all reports up to a sequence. One that was never given out changes nothing more than
    /// the last one would.
    pub fn acknowledge(&mut self, up_to: ReportSequence) {
        while self.holds_up_to(up_to) {
            self.waiting.pop_front();
        }
    }

    /// The first waiting report after a sequence.
    pub fn after(&self, sent: ReportSequence) -> Option<&Report> {
        let next = self.waiting.partition_point(|r| r.sequence <= sent);
        self.waiting.get(next)
    }

    /// The last report that it was told is stored. 0: none was.
    pub fn acknowledged(&self) -> ReportSequence {
        let before = |report: &Report| ReportSequence(report.sequence.0.saturating_sub(1));
        self.waiting.front().map_or(self.last, before)
    }

    /// Whether a report waits whose sequence is this one or a lower.
    pub fn holds_up_to(&self, sequence: ReportSequence) -> bool {
        self.waiting.front().is_some_and(|r| r.sequence <= sequence)
    }

    /// How many reports wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether only the reports of a run are still taken.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox_of(count: u64) -> Outbox {
        let mut outbox = Outbox::default();
        for _ in 0..count {
            let body = ReportBody::Service {
                in_service: true,
                detail: String::new(),
            };
            outbox.push(Incarnation(7), body);
        }
        outbox
    }

    fn sequence_after(outbox: &Outbox, sent: u64) -> Option<u64> {
        outbox.after(ReportSequence(sent)).map(|r| r.sequence.0)
    }

    #[test]
    fn reports_are_numbered_from_one_without_gaps() {
        let outbox = outbox_of(3);
        let walk: Vec<_> = (0..4).map(|sent| sequence_after(&outbox, sent)).collect();
        assert_eq!(walk, [Some(1), Some(2), Some(3), None]);
    }

    #[test]
    fn what_is_acknowledged_is_not_said_again_and_the_rest_is() {
        let mut outbox = outbox_of(3);
        outbox.acknowledge(ReportSequence(2));
        assert_eq!(sequence_after(&outbox, 0), Some(3));
        assert_eq!(outbox.len(), 1);
    }

    #[test]
    fn an_acknowledgement_of_what_was_never_said_does_not_move_the_numbers() {
        let mut outbox = outbox_of(1);
        outbox.acknowledge(ReportSequence(99));
        assert!(outbox.is_empty());
        outbox.push(
            Incarnation(7),
            ReportBody::Service {
                in_service: false,
                detail: "a check".to_owned(),
            },
        );
        assert_eq!(sequence_after(&outbox, 0), Some(2));
    }
}
