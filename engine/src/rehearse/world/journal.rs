//! What a modelled agent remembers: its runs, and what it has to say.

use crate::{
    digest::Digest,
    id::{Incarnation, OrderKey, ReportSequence},
    order::{Direction, Order},
    report::{Refusal, Report, ReportBody},
    run::{Run, Standing},
    time::Timestamp,
};
use std::collections::{BTreeSet, VecDeque};

/// What outlives the process.
#[derive(Debug)]
pub struct Journal {
    /// Which journal of its host it is.
    pub incarnation: Incarnation,
    /// Its newest run. Nothing: it had none.
    pub run: Option<Run>,
    /// Whether a person put a quarantined host back into service.
    pub(super) is_put_back: bool,
    pub(super) boot: u64,
    /// Boxed, since hardly any agent of a large fleet has refused anything.
    refused: Option<Box<(Order, Refusal)>>,
    /// What was not acknowledged yet.
    pub outbox: VecDeque<Report>,
    last: ReportSequence,
    pub(super) denied: BTreeSet<Digest>,
    /// Every order that it ever accepted.
    pub accepted: Vec<OrderKey>,
}

impl Journal {
    pub(super) fn new(incarnation: Incarnation) -> Self {
        Self {
            incarnation,
            run: None,
            is_put_back: false,
            boot: 0,
            refused: None,
            outbox: VecDeque::new(),
            last: ReportSequence(0),
            denied: BTreeSet::new(),
            accepted: Vec::new(),
        }
    }

    pub(super) fn say(&mut self, body: ReportBody) {
        self.last = self.last.next();
        self.outbox.push_back(Report {
            incarnation: self.incarnation,
            sequence: self.last,
            body,
        });
    }

    /// Everything up to this report is known. A queue that is empty keeps no room: there are as many as hosts.
    pub(super) fn acknowledged(&mut self, up_to: ReportSequence) {
        self.outbox.retain(|report| report.sequence > up_to);
        if self.outbox.is_empty() {
            self.outbox = VecDeque::new();
        }
    }

    /// The run that is not over.
    pub(super) fn open(&self) -> Option<&Run> {
        self.run.as_ref().filter(|run| !run.state().is_over())
    }

    pub(super) fn newest(&self) -> Option<OrderKey> {
        let run = self.run.as_ref().map(|run| run.order().key);
        run.max(self.refused.as_ref().map(|refused| refused.0.key))
    }

    /// Accepts an order, says again what became of it, or refuses it: `unfit` is why its host cannot take it as
    /// new.
    pub(super) fn judge(&mut self, order: Order, unfit: Option<Refusal>, now: Timestamp) {
        let key = order.key;
        if let Some(run) = self.run.as_ref().filter(|r| r.order().key == key) {
            match *run.order() == order {
                true => self.say_state(),
                false => self.say(refused(key, Refusal::OtherContent)),
            }
            return;
        }
        if let Some(known) = self.refused.as_ref().filter(|known| known.0.key == key) {
            let refusal = match known.0 == order {
                true => known.1.clone(),
                false => Refusal::OtherContent,
            };
            return self.say(refused(key, refusal));
        }
        if let Some(newest) = self.newest().filter(|newest| key < *newest) {
            self.say(refused(key, Refusal::Older { newest }));
            return;
        }
        if let Some(refusal) = self.refusal(&order).or(unfit) {
            self.refused = Some(Box::new((order, refusal.clone())));
            self.say(refused(key, refusal));
            return;
        }
        self.accepted.push(key);
        let standing = match (&self.run, self.is_put_back) {
            (Some(run), false) => run.leaves(),
            (Some(_), true) | (None, _) => Standing::Free,
        };
        self.run = Some(Run::accept_by(standing, order, now));
        self.is_put_back = false;
        self.say_state();
    }

    fn refusal(&self, order: &Order) -> Option<Refusal> {
        if let Some(open) = self.open() {
            let with = open.order().key;
            return Some(Refusal::Busy { with });
        }
        let forward = order.direction == Direction::Patch;
        let bits = order.content.bits().filter(|_| !order.asked_again);
        let denied = forward && bits.is_some_and(|bits| self.denied.contains(&bits));
        denied.then_some(Refusal::Denied)
    }

    pub(super) fn say_state(&mut self) {
        let Some(run) = &self.run else { return };
        let body = ReportBody::Entered {
            key: run.order().key,
            state: run.state(),
            failure: run.failure().cloned(),
            exceptions: run.exceptions().to_vec(),
        };
        self.say(body);
    }
}

fn refused(key: OrderKey, refusal: Refusal) -> ReportBody {
    ReportBody::Refused { key, refusal }
}
