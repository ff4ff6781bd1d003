//! How a rehearsal begins: with hosts that stand as the fleet's file says, and what is denied to them.

use super::{
    Modelled,
    play::operator,
    world::{Owner, World},
};
use crate::{
    cell::CellEvent,
    denial::{Named, Place},
    fleet::FleetEvent,
    id::{HostId, OperatorId},
    modelled_fleet::{Beginning, Denied, Out, Person, State},
    reservation::Reservation,
};
use std::time::Duration;

/// By then every host has opened its session.
const CONNECTED: Duration = Duration::from_secs(1);

/// Lets hosts that have just joined connect, each as it stands.
pub(super) fn connect(world: &mut World<Modelled>, beginning: &Beginning) {
    for (host, state) in &beginning.states {
        if let Some(Out { why, person: None }) = &state.out
            && let Some(agent) = world.agents.get_mut(host)
        {
            agent.fallen.clone_from(why);
        }
    }
    world.advance(CONNECTED);
    for (host, state) in &beginning.states {
        if world.agents.contains_key(host) {
            stand(world, host, state);
        }
    }
}

/// Takes a host that people have, and cuts off one that is not connected.
fn stand(world: &mut World<Modelled>, host: &HostId, state: &State) {
    if let Some(Out {
        why,
        person: Some(Person { by, lasts }),
    }) = &state.out
    {
        // Who works at a host's keyboard may have a name that no operator can have.
        let (by, reason) = match OperatorId::new(by.clone()) {
            Ok(named) => (named, why.clone()),
            Err(_) => (operator(), format!("{why}, by {by}")),
        };
        let reservation = Reservation {
            by,
            reason,
            until: world.now.after(*lasts),
        };
        world.act(FleetEvent::Host {
            host: host.clone(),
            event: CellEvent::Reserved {
                host: host.clone(),
                reservation,
            },
        });
    }
    if !state.is_connected {
        world.cut(host);
    }
}

/// Denies what is denied when the rollout is planned.
pub(super) fn deny(world: &mut World<Modelled>, beginning: &Beginning) {
    for denied in &beginning.denied {
        for place in places(denied, &world.owner) {
            world.act(FleetEvent::Denied {
                named: Named::Digest {
                    digest: denied.bits,
                },
                place,
                by: denied.by.clone().unwrap_or_else(operator),
                reason: match denied.by {
                    Some(_) => denied.why.clone(),
                    None => format!("by the host itself: {}", denied.why),
                },
            });
        }
    }
}

/// Where something is denied: at hosts that there are.
fn places(denied: &Denied, owner: &Owner) -> Vec<Place> {
    let Some(hosts) = &denied.hosts else {
        return vec![Place::Fleet];
    };
    let known = hosts
        .iter()
        .filter(|host| owner.fleet.homes().contains_key(*host));
    known
        .map(|host| Place::Host { host: host.clone() })
        .collect()
}
