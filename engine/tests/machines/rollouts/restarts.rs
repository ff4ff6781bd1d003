//! Processes die at any moment.

use super::{AT_ONCE, WAVES, demo, floor, mins, secs};
use crate::world::{Boots, Crash, Does, Step, World, file, id};
use cofferdam_engine::{
    cell::CellEvent,
    fleet::{Fleet, FleetEvent},
    id::{HostId, HostSequence, OwnerEpoch},
    run::{Ending, RunState},
};

const STATES: [RunState; 7] = [
    RunState::Claiming,
    RunState::Draining,
    RunState::Drained,
    RunState::Applying,
    RunState::Rebooting,
    RunState::Verifying,
    RunState::Readmitting(Ending::Patched),
];

/// Four hosts, a rollout, and the host that it starts with, which needs a reboot.
pub(super) fn four(top: &str) -> (World, HostId) {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&file("ssl", "openssl", top, WAVES));
    let first = world.turns("ssl", 0).remove(0);
    world.always(first.as_str(), Step::Apply, Does::NeedsReboot(secs(5)));
    (world, first)
}

/// Lets time pass until the run on a host is in a state.
pub(super) fn reach(world: &mut World, host: &HostId, state: RunState) {
    world.until("the run is there", |world| {
        world.state_of(host.as_str()) == Some(state)
    });
}

#[test]
fn a_coordinator_that_dies_at_any_state_of_a_run_goes_on() {
    for state in STATES {
        for crash in [Crash::BeforeStore, Crash::BeforeSend] {
            let (mut world, first) = four("");
            reach(&mut world, &first, state);
            world.crash_owner(crash, secs(5));
            world.wait_for("ssl", "done");
            assert_eq!(world.count("ssl", "passed"), 4, "{crash:?} while {state}");
            assert!(world.untrue_at_the_end().is_empty());
        }
    }
}

#[test]
fn a_host_that_fell_before_its_claim_was_answered_is_left_out() {
    let (mut world, first) = four("");
    reach(&mut world, &first, RunState::Claiming);
    world.crash_owner(Crash::BeforeSend, secs(5));
    world.fall(&first);
    world.pass(mins(10));
    assert!(world.agents[&first].installed.is_empty());
    assert_eq!(world.outcome("ssl", &first), "left out");

    world.repair(&first);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 3);
}

#[test]
fn a_coordinator_that_is_away_for_long_judges_nobody_late() {
    for state in STATES {
        let (mut world, first) = four("");
        reach(&mut world, &first, state);
        world.crash_owner(Crash::BeforeSend, mins(45));
        world.advance(mins(45));
        world.wait_for("ssl", "done");
        assert_eq!(world.count("ssl", "passed"), 4, "away while {state}");
    }
}

#[test]
fn an_agent_that_dies_at_any_state_of_its_run_goes_on() {
    for state in STATES {
        for boots in [Boots::Same, Boots::Anew] {
            let (mut world, first) = four("");
            reach(&mut world, &first, state);
            world.crash_agent(&first, boots, Some(secs(5)));
            world.wait_for("ssl", "done");
            assert_eq!(world.count("ssl", "passed"), 4, "{boots:?} while {state}");
        }
    }
}

#[test]
fn an_order_that_was_stored_and_not_sent_is_sent_with_the_same_key_and_content() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&file("ssl", "openssl", "", WAVES));
    // The turn that takes in the last bits stores the order, and dies.
    let first = world.turns("ssl", 0).remove(0);
    world.until("the bits are there", |world| world.has_staged(&first));
    world.crash_owner_next(Crash::BeforeSend, secs(5));
    world.pass(secs(3));
    let (_, stored) = world.orders().next().expect("the order is stored");
    let stored = stored.clone();
    assert_eq!(world.state_of(first.as_str()), None, "and was not sent");

    world.pass(secs(8));

    let run = world.agents[&first].journal.run.as_ref();
    assert_eq!(run.expect("it runs").order(), &stored);
    assert_eq!(stored.key.epoch, OwnerEpoch(1));
    world.wait_for("ssl", "done");
    assert_eq!(world.orders().count(), 4, "no order was given twice");
}

#[test]
fn a_new_owner_starts_nothing_before_it_has_heard_its_hosts() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(AT_ONCE.to_owned() + &floor("50%")),
    ));
    world.until("one has passed", |world| world.count("ssl", "passed") > 0);
    world.cut(&id("web-a-8"));
    world.crash_owner(Crash::BeforeSend, secs(2));
    world.pass(secs(2));
    let started = world.owner.fleet.cells().values().next().unwrap();
    let (started, before) = (started.owner_since(), world.orders().count());

    world.pass(secs(55));
    assert_eq!(world.orders().count(), before);
    assert!(world.rules().contains(&"settle"));

    world.pass(secs(10));
    assert!(world.orders().count() > before, "settled since {started}");
    world.until("it is over", |world| !world.rollout("ssl").is_live());
}

#[test]
fn orders_of_a_new_owner_follow_those_of_the_old() {
    let (mut world, first) = four("");
    reach(&mut world, &first, RunState::Draining);
    world.crash_owner(Crash::BeforeSend, mins(10));
    world.advance(mins(10));
    world.wait_for("ssl", "done");

    let of_first = world.orders().filter(|(_, o)| o.host == first);
    let keys: Vec<_> = of_first.map(|(_, order)| order.key).collect();
    assert_eq!(keys.len(), 2, "undone, and ordered again");
    assert_eq!(keys[1].epoch, OwnerEpoch(2));
    assert_eq!(keys[1].sequence, HostSequence(2));
}

#[test]
fn what_was_stored_makes_the_same_fleet_also_through_text() {
    let mut world = demo();
    world.bad_for("rare");
    world.start(&file("ssl", "openssl", "", WAVES));
    world.wait_for("ssl", "paused");
    world.forget(&id("large-b-1"));
    world.crash_owner(Crash::BeforeStore, secs(3));
    world.pass(mins(2));

    let mut fleet = Fleet::default();
    for (at, event) in &world.owner.log {
        let text = serde_json::to_string(event).unwrap();
        let read: FleetEvent = serde_json::from_str(&text).unwrap();
        fleet.apply(&read, *at).unwrap();
    }
    assert_eq!(fleet, world.owner.fleet);
}

#[test]
fn a_repeated_message_changes_nothing() {
    let (mut world, _) = four("");
    world.repeats = true;
    world.wait_for("ssl", "done");

    assert_eq!(world.orders().count(), 4);
    assert_eq!(world.count("ssl", "passed"), 4);
    let refused = world.owner.log.iter().filter(|(_, event)| {
        matches!(
            event,
            FleetEvent::Host {
                event: CellEvent::Reported { report, .. },
                ..
            } if matches!(report.body, cofferdam_engine::report::ReportBody::Refused { .. })
        )
    });
    assert_eq!(refused.count(), 0);
}
