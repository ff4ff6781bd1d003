//! Pause, resume, abort, and the end of a warrant.

use super::{AT_ONCE, WAVES, floor, mins, secs};
use crate::world::{World, file};
use cofferdam_engine::{
    cell::{Cell, CellCommand, CellEvent},
    fleet::FleetError,
    hold::{Hold, Reason},
    id::HostId,
    policy::WARRANT,
    rollout::{Action, RolloutError},
    run::{Ending, RunState},
    time::Timestamp,
};

fn started() -> World {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&file("ssl", "openssl", "", WAVES));
    world
}

/// Stops everything when the first host's run is in a state, and lets everything come to rest.
fn stopped_when(state: RunState, stop: impl Fn(&mut World)) -> (World, HostId) {
    let mut world = started();
    let first = world.turns("ssl", 0).remove(0);
    world.until("the run is there", |world| {
        world.state_of(first.as_str()) == Some(state)
    });
    stop(&mut world);
    world.pass(mins(10));
    (world, first)
}

fn paused_when(state: RunState) -> (World, HostId) {
    stopped_when(state, |world| world.ask("ssl", Action::Pause))
}

/// A stop cancels or undoes what is before apply, and lets later runs end; these rules hold the rest.
pub(super) fn ends_each_run_as_it_should(stop: impl Fn(&mut World), rules: &[&str]) {
    let cases = [
        (RunState::Claiming, "waiting", Ending::Cancelled),
        (RunState::Draining, "waiting", Ending::Undone),
        (RunState::Drained, "waiting", Ending::Undone),
        (RunState::Applying, "passed", Ending::Patched),
        (RunState::Verifying, "passed", Ending::Patched),
    ];
    for (state, expected, ending) in cases {
        let (world, first) = stopped_when(state, &stop);
        let outcome = world.outcome("ssl", &first);
        assert_eq!(outcome, expected, "stopped while {state}");
        let over = Some(RunState::Ended(ending));
        assert_eq!(world.state_of(first.as_str()), over);
        assert!(world.ledger().is_empty());
        assert!(world.rules().iter().all(|rule| rules.contains(rule)));
    }
}

#[test]
fn a_pause_cancels_or_undoes_before_apply_and_lets_later_runs_end() {
    let pause = |world: &mut World| world.ask("ssl", Action::Pause);
    ends_each_run_as_it_should(pause, &["paused", "stopped"]);
}

#[test]
fn a_hold_of_a_stop_says_since_when_it_is_stopped() {
    let mut world = started();
    world.until("an order is out", |world| world.orders().count() > 0);
    let paused = world.now;
    world.ask("ssl", Action::Pause);
    world.pass(mins(10));

    let holds = world.holds();
    let stopped = holds.iter().find(|hold| hold.reason.rule() == "stopped");
    assert_eq!(stopped.unwrap().since, paused);
}

#[test]
fn a_resume_goes_on_where_the_pause_stopped() {
    let (mut world, _) = paused_when(RunState::Draining);
    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "passed"), 4);
}

#[test]
fn a_stop_that_the_host_did_not_hear_is_said_again() {
    let mut world = started();
    let first = world.turns("ssl", 0).remove(0);
    world.until("a host drains", |world| {
        world.state_of(first.as_str()) == Some(RunState::Draining)
    });
    world.ask("ssl", Action::Pause);
    world.break_session(&first);
    world.pass(secs(10));

    let undone = Some(RunState::Ended(Ending::Undone));
    assert_eq!(world.state_of(first.as_str()), undone);
}

#[test]
fn an_abort_keeps_what_is_patched_and_starts_nothing_more() {
    let mut world = started();
    world.until("one has passed", |world| world.count("ssl", "passed") == 1);
    world.ask("ssl", Action::Abort);
    world.wait_for("ssl", "aborted");
    world.pass(mins(30));

    assert_eq!(world.count("ssl", "passed"), 1);
    assert_eq!(world.count("ssl", "running"), 0);
    let cell = world.owner.fleet.cells().values().next().unwrap();
    assert!(cell.work().is_empty(), "the cell forgets it");
}

#[test]
fn an_aborted_rollout_waits_for_its_last_runs() {
    let mut world = started();
    let first = world.turns("ssl", 0).remove(0);
    world.until("a host applies", |world| {
        world.state_of(first.as_str()) == Some(RunState::Applying)
    });
    world.ask("ssl", Action::Abort);
    assert_eq!(world.phase("ssl"), "aborting");
    let waits = |hold: &Hold| matches!(hold.reason, Reason::Slices { done: 0, of: 1 });
    assert!(world.holds().iter().any(waits), "{:?}", world.holds());
    world.wait_for("ssl", "aborted");
    assert_eq!(world.outcome("ssl", &first), "passed");
}

#[test]
fn what_does_not_fit_where_a_rollout_stands_is_refused() {
    let mut world = started();
    world.wait_for("ssl", "done");
    for action in [Action::Pause, Action::Resume, Action::Abort] {
        let refusal = world.try_ask("ssl", action).unwrap_err();
        assert!(
            matches!(refusal, FleetError::Rollout(RolloutError::NotNow { .. })),
            "{refusal:?}"
        );
    }
}

#[test]
fn a_warrant_that_ended_starts_nothing_and_a_new_one_does() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&file("ssl", "openssl", "start_spacing = \"1m\"", AT_ONCE));
    world.until("one has passed", |world| world.count("ssl", "passed") == 1);
    // The cell alone, as if its control plane were cut off from here on.
    let mut cell = world.owner.fleet.cells().values().next().unwrap().clone();
    let work = cell.work().values().next().unwrap();
    let held = work.warrant.clone().unwrap();
    let (now, ended) = (world.now.after(mins(2)), held.received_at.after(WARRANT));
    assert_eq!(orders(&cell, now), 1, "before its end");
    assert_eq!(orders(&cell, ended), 0);
    let over = Reason::Warrant { ended: Some(ended) };
    let holds = cell.decide(ended).holds;
    assert!(holds.iter().any(|hold| hold.reason == over), "{holds:?}");

    let mut renewed = held.warrant.clone();
    renewed.generation = renewed.generation.next();
    let event = CellEvent::Warranted { warrant: renewed };
    cell.apply(&event, ended).unwrap();
    assert_eq!(orders(&cell, ended), 1);
}

/// How many hosts a cell would order now.
fn orders(cell: &Cell, now: Timestamp) -> usize {
    let is_order = |command: &&CellCommand| matches!(command, CellCommand::Order(_));
    cell.decide(now).commands.iter().filter(is_order).count()
}

#[test]
fn a_rollout_that_waits_long_has_its_warrants_renewed() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let tables = AT_ONCE.to_owned() + &floor("75%");
    world.start(&file("ssl", "openssl", "", &tables));
    let taken = [world.turns("ssl", 0).remove(3)];
    world.try_reserve("anna", &taken, mins(300)).unwrap();
    world.pass(mins(180));
    assert!(world.rules().contains(&"floor"), "{:?}", world.rules());

    world.try_unreserve("anna", &taken, false).unwrap();
    world.wait_for("ssl", "done");
}
