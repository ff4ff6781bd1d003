//! One turn of the driver: what it changed, and what waits until that is durable.

use super::{history, input::Question, query::Asked};
use crate::{
    sessions::{Act, Acted, SessionNumber, Simulation},
    store::Record,
};
use cofferdam_engine::{
    cell::CellEvent,
    fleet::{Fleet, FleetCommand, FleetError, FleetEvent},
    id::{HostId, OrderKey},
    inventory::PackageSet,
    order::ClaimPoint,
    query::Query,
    time::Timestamp,
    wish::Wish,
};
use cofferdam_proto::session::ToAgent;
use std::{collections::BTreeSet, time::Duration};
use tokio::sync::oneshot;

/// Packages in one event at most. Each has about 40 bytes, so that a part fits one frame of the
/// store.
const PACKAGES_PER_PART: usize = 1000;

/// What one turn did so far.
pub(super) struct Turn {
    /// The moment of everything in it.
    pub(super) now: Timestamp,
    /// To be stored.
    pub(super) records: Vec<Record>,
    /// To be carried out afterwards, in order.
    pub(super) effects: Vec<Effect>,
    acknowledged: BTreeSet<HostId>,
}

/// What is done once a turn's events are durable.
pub(super) enum Effect {
    /// Tell a host the terms of its session.
    Welcome {
        host: HostId,
        number: SessionNumber,
        want_packages: bool,
    },
    /// Tell a host something in its session.
    Tell { host: HostId, message: ToAgent },
    /// Ask a host what it would install.
    Simulate {
        host: HostId,
        wish: Wish,
        reply: oneshot::Sender<Simulation>,
    },
    /// Ask hosts a query.
    Query {
        query: Box<Query>,
        within: Duration,
        reply: oneshot::Sender<Asked>,
    },
    /// Tell a host how far its guard's log is stored.
    GuardNoted(HostId),
    /// Tell a host which operator has it.
    Reserved(HostId),
    /// Tell a host which of its reports are stored.
    Acknowledge(HostId),
    /// Tell a host that the order which it claims is not good: it undoes at once instead of
    /// waiting.
    RefuseClaim {
        host: HostId,
        key: OrderKey,
        point: ClaimPoint,
    },
    /// Carry out a decision.
    Command(FleetCommand),
    /// Say whether the state took an event.
    Reply {
        reply: oneshot::Sender<Result<(), FleetError>>,
        result: Result<(), FleetError>,
    },
    /// Have a region take an operator's event in.
    Act(Act),
    /// Tell who waits for it what came of such an event.
    Acted(Acted),
    /// Answer a question.
    Answer(Question),
}

impl Turn {
    pub(super) fn begin(now: Timestamp) -> Self {
        Self {
            now,
            records: Vec::new(),
            effects: Vec::new(),
            acknowledged: BTreeSet::new(),
        }
    }

    /// Applies an event and notes it to be stored.
    pub(super) fn apply(
        &mut self,
        fleet: &mut Fleet,
        event: &FleetEvent,
    ) -> Result<(), FleetError> {
        fleet.apply(event, self.now)?;
        let concerned = taken_or_given_back(event);
        self.effects
            .extend(concerned.into_iter().map(Effect::Reserved));
        self.records.push(history::write_entry(self.now, event));
        Ok(())
    }

    /// Applies a decision's events and notes it to be carried out.
    pub(super) fn command(
        &mut self,
        fleet: &mut Fleet,
        command: FleetCommand,
    ) -> Result<(), FleetError> {
        for event in command.events() {
            self.apply(fleet, &event)?;
        }
        self.effects.push(Effect::Command(command));
        Ok(())
    }

    /// Notes that a host's reports are to be acknowledged: once a turn, with the last of them.
    pub(super) fn acknowledge(&mut self, host: &HostId) {
        if self.acknowledged.insert(host.clone()) {
            self.effects.push(Effect::Acknowledge(host.clone()));
        }
    }
}

/// The hosts that operators take or give back by an event.
fn taken_or_given_back(event: &FleetEvent) -> Vec<HostId> {
    if let FleetEvent::Reserved { hosts, .. } | FleetEvent::Unreserved { hosts, .. } = event {
        return hosts.iter().cloned().collect();
    }
    if let FleetEvent::Host { event, .. } | FleetEvent::Cell { event, .. } = event
        && let CellEvent::Reserved { host, .. } | CellEvent::Unreserved { host, .. } = event
    {
        return vec![host.clone()];
    }
    Vec::new()
}

/// The events that bring a package set in: at least one, or the set would never be known.
pub(super) fn package_events(set: &PackageSet) -> Vec<FleetEvent> {
    let digest = set.digest();
    let entries: Vec<_> = set.0.iter().collect();
    let mut parts: Vec<_> = entries.chunks(PACKAGES_PER_PART).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    let of = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let part = |(part, entries): (u32, &&[(&String, &String)])| FleetEvent::Packages {
        digest,
        part,
        of,
        packages: PackageSet(
            entries
                .iter()
                .map(|(name, version)| ((*name).clone(), (*version).clone()))
                .collect(),
        ),
    };
    (0..).zip(&parts).map(part).collect()
}
