//! Looks at what is installed before an order is taken, where the order says what the plan assumed of that
//! (promise 9): a host that has other packages by now is not what was proved, and changes nothing.

use crate::{actions::Actions, greeting::facts, task::Task};
use cofferdam_engine::{
    failure::Failure,
    id::Generation,
    inventory::{Facts, PackageSet},
    order::Order,
    report::Refusal,
};
use std::rc::Rc;

/// The order that waits for the look. A newer one takes its place: the older is not taken then.
pub(crate) struct Premise<A> {
    actions: Rc<A>,
    work: Task<Weighed>,
}

/// An order that the host may take.
pub(crate) struct Granted {
    /// It.
    pub(crate) order: Order,
    /// The generation of its warrant, as it was signed. Absent: nobody looked.
    pub(crate) granted: Option<Generation>,
}

/// An order, and what is installed.
pub(crate) struct Weighed {
    order: Granted,
    found: Result<(Facts, PackageSet), Failure>,
}

impl<A: Actions> Premise<A> {
    /// Nothing waits.
    pub(crate) fn new(actions: Rc<A>) -> Self {
        Self {
            actions,
            work: Task::idle(),
        }
    }

    /// Looks for an order.
    pub(crate) fn weigh(&mut self, order: Granted) {
        let actions = Rc::clone(&self.actions);
        self.work.start(async move {
            let found = facts(actions).await;
            Weighed { order, found }
        });
    }

    /// Waits for a look; for ever when none goes on.
    pub(crate) async fn outcome(&mut self) -> Weighed {
        self.work.outcome().await
    }
}

impl Weighed {
    /// The order.
    pub(crate) fn order(&self) -> &Order {
        &self.order.order
    }

    /// Why the order is not taken. What nobody could look at is not taken for what was assumed.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        match &self.found {
            Ok((facts, installed)) => self.order().refused_for_delta(&facts.platform, installed),
            Err(failure) => Some(Refusal::Impossible {
                failure: failure.clone(),
            }),
        }
    }

    /// The order, and what is installed where that is known.
    pub(crate) fn into_parts(self) -> (Granted, Option<PackageSet>) {
        (self.order, self.found.ok().map(|(_, installed)| installed))
    }
}
