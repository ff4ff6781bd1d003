//! What was stored, decided again.

use super::{WAVES, demo, floor, secs};
use crate::world::{Step, World, fails, file};
use cofferdam_engine::{
    cell::CellEvent,
    failure::FailureKind,
    fleet::{Fleet, FleetEvent},
    rehearse::{
        recorded::{Divergence, Recorded, replay},
        world::Crash,
    },
    rollout::RolloutEvent,
    time::Timestamp,
};

type History = Vec<(Timestamp, FleetEvent)>;

/// A rollout with a restart in its middle, as its coordinator stored it.
fn history() -> History {
    let mut world: World = demo();
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(WAVES.to_owned() + &floor("75%")),
    ));
    world.until("some passed", |world| world.count("ssl", "passed") > 5);
    world.crash_owner(Crash::BeforeSend, secs(5));
    world.wait_for("ssl", "done");
    world.pass(secs(1));
    world.owner.log.clone()
}

fn again(history: History) -> Result<Recorded, Divergence> {
    replay(Fleet::default(), history)
}

/// The place of the first event of a kind.
fn first(history: &History, is_it: impl Fn(&FleetEvent) -> bool) -> usize {
    let place = history.iter().position(|(_, event)| is_it(event));
    place.expect("there is one")
}

fn passes_wave(event: &FleetEvent) -> bool {
    let FleetEvent::Rollout { event, .. } = event else {
        return false;
    };
    matches!(event, RolloutEvent::WavePassed { .. })
}

#[test]
fn a_stored_history_is_decided_again_as_it_was() {
    let history = history();
    let events = history.len();
    let recorded = again(history).unwrap();
    assert_eq!(recorded.events, events);
    assert!(
        recorded.decided > events / 3,
        "{} of {events}",
        recorded.decided
    );
    let ssl = recorded.fleet.rollouts().values().next().unwrap();
    assert!(!ssl.is_live());
}

#[test]
fn a_fleet_in_the_middle_of_a_rollout_reads_back_as_it_was_stored() {
    let mut world: World = demo();
    world.always("large-b-2", Step::Verify, fails(FailureKind::Unhealthy));
    let tables = WAVES.to_owned() + &floor("75%");
    world.start(&file("ssl", "openssl", "", &tables));
    for outcome in ["running", "failed"] {
        world.until(outcome, |world| world.count("ssl", outcome) > 0);
        let stored = serde_json::to_string(&world.owner.fleet).unwrap();
        let read: Fleet = serde_json::from_str(&stored).unwrap();
        assert!(read == world.owner.fleet, "with a host that is {outcome}");
    }
}

#[test]
fn what_a_shell_signed_was_decided_without() {
    let mut history = history();
    let warrants = history.iter_mut().filter_map(|(_, event)| {
        let (FleetEvent::Cell {
            event: CellEvent::Warranted { warrant },
            ..
        }
        | FleetEvent::Rollout {
            event: RolloutEvent::Warranted { warrant, .. },
            ..
        }) = event
        else {
            return None;
        };
        Some(warrant)
    });
    warrants.for_each(|warrant| warrant.seal.signature = vec![1]);
    let recorded = again(history);
    assert!(recorded.is_ok(), "{recorded:?}");
}

#[test]
fn a_decision_that_is_missing_is_found_where_it_was() {
    let mut history = history();
    let place = first(&history, passes_wave);
    history.remove(place);
    let Err(Divergence::Otherwise { place: found, .. }) = again(history) else {
        panic!("nothing was found");
    };
    // Before the next thing happened, or by what was decided next.
    assert!((place..=place + 1).contains(&found), "{found}, not {place}");
}

#[test]
fn a_decision_that_was_taken_too_early_is_found() {
    let mut history = history();
    let place = first(&history, passes_wave);
    let (_, early) = history[place].clone();
    let before = first(&history, |event| {
        matches!(event, FleetEvent::RolloutStarted { .. })
    });
    let at = history[before].0;
    history.insert(before + 1, (at, early));
    let Err(Divergence::Otherwise {
        place: found,
        recorded,
        ..
    }) = again(history)
    else {
        panic!("nothing was found");
    };
    assert_eq!(found, before + 2);
    assert!(recorded.contains("WavePassed"), "{recorded}");
}
