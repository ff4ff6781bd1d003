//! Whether an order is run, answered again, or refused (promise 7).

use crate::journal::History;
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    id::HostId,
    order::{Direction, Order},
    report::{Refusal, ReportBody},
};
use cofferdam_proto::convert::order_digest;

/// What is done with an order that came in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It is run.
    Accept,
    /// It was seen before; this is said of it again.
    Repeat(ReportBody),
    /// It is not run, now or later.
    Refuse(Refusal),
}

/// Judges an order by what the agent knows.
pub(crate) fn judge(order: &Order, host: &HostId, history: &History) -> Judgement {
    if order.host != *host {
        return Judgement::Refuse(Refusal::OtherHost);
    }
    if let Some(judgement) = seen_before(order, history) {
        return judgement;
    }
    if let Some(newest) = history.newest().filter(|newest| order.key < *newest) {
        return Judgement::Refuse(Refusal::Older { newest });
    }
    if let Some(open) = history.open() {
        let with = open.order().key;
        return Judgement::Refuse(Refusal::Busy { with });
    }
    let forward = order.direction == Direction::Patch;
    if forward && !order.asked_again && history.denies(order) {
        return Judgement::Refuse(Refusal::Denied);
    }
    Judgement::Accept
}

/// Why nothing is run where its journal could not be written to its end.
pub(crate) fn no_room() -> Refusal {
    let detail = "no room to journal a run to its end";
    Refusal::Impossible {
        failure: Failure::new(FailureKind::DiskFull, detail),
    }
}

/// The answer to an order whose key is known.
fn seen_before(order: &Order, history: &History) -> Option<Judgement> {
    let key = order.key;
    if let Some(run) = history.run().filter(|run| run.order().key == key) {
        if run.order() != order {
            return Some(Judgement::Refuse(Refusal::OtherContent));
        }
        return Some(Judgement::Repeat(ReportBody::Entered {
            key,
            state: run.state(),
            failure: run.failure().cloned(),
            exceptions: run.exceptions().to_vec(),
        }));
    }
    let refused = history.refused().filter(|refused| refused.key == key)?;
    if refused.digest != order_digest(order) {
        return Some(Judgement::Refuse(Refusal::OtherContent));
    }
    let refusal = refused.refusal.clone();
    Some(Judgement::Repeat(ReportBody::Refused { key, refusal }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{journal::Record, sample};
    use cofferdam_engine::{
        digest::Digest,
        id::{Incarnation, RolloutId},
        run::{RunEvent, RunState},
        time::Timestamp,
    };

    #[test]
    fn an_order_is_judged_by_what_was_seen_before() {
        let mut history = History::begin(Incarnation(1));
        let host = sample::host();
        let first = sample::order(1);
        let accept = |order: &Order| Record::Accepted {
            order: Box::new(order.clone()),
            at: Timestamp(0),
            granted: None,
        };
        assert_eq!(judge(&first, &host, &history), Judgement::Accept);
        history.apply(&accept(&first)).unwrap();

        let mut elsewhere = sample::order(9);
        elsewhere.host = HostId::new("web-9").unwrap();
        let mut changed = first.clone();
        changed.one_way = !changed.one_way;
        let with = first.key;
        let refused = |refusal| Judgement::Refuse(refusal);
        let repeated = Judgement::Repeat(entered(&first, RunState::Claiming));
        let cases = [
            (&elsewhere, refused(Refusal::OtherHost)),
            (&first, repeated),
            (&changed, refused(Refusal::OtherContent)),
            (
                &sample::order(0),
                refused(Refusal::Older { newest: first.key }),
            ),
            (&sample::order(2), refused(Refusal::Busy { with })),
        ];
        for (order, expected) in cases {
            assert_eq!(
                judge(order, &host, &history),
                expected,
                "order {}",
                order.key
            );
        }
    }

    #[test]
    fn a_refused_order_is_not_run_later() {
        let mut history = History::begin(Incarnation(1));
        let (first, second) = (sample::order(1), sample::order(2));
        let busy = Refusal::Busy { with: first.key };
        history
            .apply(&Record::Refused {
                key: second.key,
                digest: order_digest(&second),
                refusal: busy.clone(),
            })
            .unwrap();

        let again = judge(&second, &sample::host(), &history);

        let key = second.key;
        assert_eq!(
            again,
            Judgement::Repeat(ReportBody::Refused { key, refusal: busy })
        );
        assert!(matches!(
            judge(&first, &sample::host(), &history),
            Judgement::Refuse(Refusal::Older { .. })
        ));
    }

    #[test]
    fn bits_that_an_order_rolled_back_are_denied_whatever_rollout_brings_them() {
        let history = gone_back();
        let named = |name: &str, version: &str| {
            let mut order = sample::patch(2, version);
            order.grant.rollout = RolloutId::new(name).unwrap();
            order.grant.lock_digest = Digest::of(name);
            order
        };
        let judged = |order: &Order| judge(order, &sample::host(), &history);
        let refused = Judgement::Refuse(Refusal::Denied);

        assert_eq!(judged(&named("practice", "2")), refused);
        assert_eq!(judged(&named("another", "2")), refused);
        assert_eq!(judged(&named("another", "3")), Judgement::Accept);
        let mut back = named("another", "2");
        back.direction = Direction::Rollback;
        assert_eq!(judged(&back), Judgement::Accept);
    }

    #[test]
    fn a_lifted_denial_ends_with_the_order_that_says_so() {
        let mut history = gone_back();
        let mut lifting = sample::patch(2, "2");
        lifting.asked_again = true;
        assert_eq!(
            judge(&lifting, &sample::host(), &history),
            Judgement::Accept
        );

        let order = Box::new(lifting);
        let at = Timestamp(1);
        history
            .apply(&Record::Accepted {
                order,
                at,
                granted: None,
            })
            .unwrap();
        let refused = RunEvent::ClaimRefused {
            reason: String::new(),
        };
        moved(&mut history, [refused]);
        assert_eq!(
            judge(&sample::patch(3, "2"), &sample::host(), &history),
            Judgement::Accept
        );
    }

    #[test]
    fn a_denial_that_was_stored_by_its_lock_file_holds() {
        let mut history = serde_json::to_value(History::begin(Incarnation(1))).unwrap();
        history["denied"] = serde_json::json!([sample::order(2).grant.lock_digest]);
        let history: History = serde_json::from_value(history).unwrap();
        assert_eq!(
            judge(&sample::patch(2, "2"), &sample::host(), &history),
            Judgement::Refuse(Refusal::Denied)
        );
    }

    /// The history of a host that version 2 was rolled back on.
    fn gone_back() -> History {
        let mut history = History::begin(Incarnation(1));
        let mut back = sample::patch(1, "2");
        back.direction = Direction::Rollback;
        let order = Box::new(back);
        let at = Timestamp(0);
        history
            .apply(&Record::Accepted {
                order,
                at,
                granted: None,
            })
            .unwrap();
        let done = RunEvent::done(false);
        let granted = RunEvent::ClaimGranted;
        let events = [
            granted.clone(),
            done.clone(),
            granted,
            done.clone(),
            done.clone(),
            done,
        ];
        moved(&mut history, events);
        history
    }

    fn moved(history: &mut History, events: impl IntoIterator<Item = RunEvent>) {
        for event in events {
            let (boot_id, at) = ("boot-1".to_owned(), Timestamp(0));
            history
                .apply(&Record::Moved { event, at, boot_id })
                .unwrap();
        }
    }

    fn entered(order: &Order, state: RunState) -> ReportBody {
        ReportBody::Entered {
            key: order.key,
            state,
            failure: None,
            exceptions: Vec::new(),
        }
    }
}
