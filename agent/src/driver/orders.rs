//! Orders that come in: each is taken or refused, and that is stored.

use super::{Driver, DriverError};
use crate::{
    acceptance::{Judgement, judge, no_room},
    actions::Actions,
    clock::Clock,
    journal::{Durability, Journal, Record},
    premise::{Granted, Weighed},
};
use cofferdam_engine::{order::Order, report::Refusal};
use cofferdam_proto::{convert::order_digest, session::Papers};

impl<A: Actions, J: Journal, C: Clock> Driver<A, J, C> {
    pub(super) fn order(&mut self, order: Order, papers: &Papers) -> Result<(), DriverError> {
        if self.has_no_room_for(&order) {
            return Ok(());
        }
        let mut judgement = judge(&order, &self.profile.host, &self.history);
        let mut granted = None;
        if judgement == Judgement::Accept {
            let seen = self.history.generation_of(&order);
            let now = self.clock.now();
            match self.trust.admits(&order, papers, seen, now) {
                Ok(generation) => granted = generation,
                Err(refusal) => judgement = Judgement::Refuse(refusal),
            }
        }
        let order = Granted { order, granted };
        if judgement == Judgement::Accept && order.order.delta.is_some() {
            self.premise.weigh(order);
            return Ok(());
        }
        self.judged(order, judgement)
    }

    /// Takes an order or refuses it, now that it is known what is installed. What else became of it meanwhile
    /// goes before.
    pub(super) fn weighed(&mut self, weighed: Weighed) -> Result<(), DriverError> {
        if self.has_no_room_for(weighed.order()) {
            return Ok(());
        }
        let mut judgement = judge(weighed.order(), &self.profile.host, &self.history);
        if judgement == Judgement::Accept {
            let refusal = weighed.refusal();
            judgement = refusal.map_or(judgement, Judgement::Refuse);
        }
        let (order, installed) = weighed.into_parts();
        if let Some(packages) = installed.and_then(|packages| self.inventory.found(packages)) {
            self.uplink.tell_packages(packages);
        }
        self.judged(order, judgement)
    }

    /// Whether too many reports wait already for there to be one of this order.
    fn has_no_room_for(&self, order: &Order) -> bool {
        let is_full = self.history.outbox().is_full();
        if is_full {
            tracing::warn!(order = %order.key, "too many reports wait; the order is not taken");
        }
        is_full
    }

    fn judged(&mut self, order: Granted, judgement: Judgement) -> Result<(), DriverError> {
        let Granted { order, granted } = order;
        let record = match judgement {
            Judgement::Repeat(body) => Record::Said { body },
            Judgement::Refuse(refusal) => refused(&order, refusal),
            Judgement::Accept if !self.journal.hold_back_room() => refused(&order, no_room()),
            Judgement::Accept => {
                tracing::info!(order = %order.key, rollout = %order.grant.rollout, "order accepted");
                let at = self.clock.now();
                let order = Box::new(order);
                Record::Accepted { order, at, granted }
            }
        };
        self.note(record, Durability::Synced)
    }
}

fn refused(order: &Order, refusal: Refusal) -> Record {
    tracing::warn!(order = %order.key, %refusal, "order refused");
    Record::Refused {
        key: order.key,
        digest: order_digest(order),
        refusal,
    }
}
