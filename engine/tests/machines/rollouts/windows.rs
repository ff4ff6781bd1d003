//! Windows: when hosts may be started. The world begins on a Thursday at 00:16:40, universal time.

use super::{AT_ONCE, floor, mins, secs};
use crate::world::{Does, Step, World, file, id};
use cofferdam_engine::{rollout::Action, run::RunState, time::Timestamp};

/// A file of one wave with all hosts out at once, and windows.
fn rollout(windows: &str) -> String {
    file(
        "ssl",
        "openssl",
        "",
        &(windows.to_owned() + AT_ONCE + &floor("0%")),
    )
}

fn window(keys: &str) -> String {
    format!("[[window]]\n{keys}\n")
}

/// A time of the world's first day.
fn at(hours: u64, minutes: u64) -> Timestamp {
    Timestamp((hours * 60 + minutes) * 60_000)
}

fn starts(world: &World) -> Vec<Timestamp> {
    world.orders().map(|(at, _)| at).collect()
}

#[test]
fn hosts_start_when_their_window_opens_and_hold_until_then() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&rollout(&window("start = \"02:00\"\nend = \"03:00\"")));
    world.pass(mins(60));

    assert_eq!(world.count("ssl", "untouched"), 4);
    let holds = world.holds().iter().map(|hold| &hold.reason);
    let windows = holds.filter(|reason| reason.rule() == "window");
    let until: Vec<_> = windows.map(|reason| reason.until()).collect();
    assert_eq!(until, [Some(at(2, 0))]);
    world.wait_for("ssl", "done");
    assert_eq!(starts(&world)[0], at(2, 0));
}

#[test]
fn a_window_is_of_its_days_and_its_time_zone() {
    let mut world = World::new().hosts("web", "r1/a", 2);
    let night =
        "days = [\"fri\"]\nstart = \"06:00\"\nend = \"07:00\"\ntime_zone = \"Asia/Kathmandu\"";
    world.start(&rollout(&window(night)));
    world.pass(mins(23 * 60));
    world.wait_for("ssl", "done");

    // Kathmandu was five and a half hours ahead in 1970.
    assert_eq!(starts(&world)[0], at(24, 30));
}

#[test]
fn what_does_not_fit_into_one_window_goes_on_in_the_next() {
    let mut world = World::new().hosts("web", "r1/a", 5);
    let hour = window("start = \"00:10\"\nend = \"00:18\"");
    let tables = hour + AT_ONCE + &floor("0%");
    world.start(&file("ssl", "openssl", "start_spacing = \"30s\"", &tables));
    world.wait_for("ssl", "done");

    let starts = starts(&world);
    assert_eq!(starts.len(), 5);
    let first_night = starts.iter().filter(|start| **start < at(0, 18));
    assert_eq!(first_night.count(), 3);
    assert_eq!(starts[3], at(24, 10));
}

#[test]
fn no_host_starts_in_the_last_part_of_a_window() {
    let mut world = World::new().hosts("web", "r1/a", 2);
    let hour = "start = \"00:10\"\nend = \"00:40\"\nlast_start = \"25m\"";
    world.start(&rollout(&window(hour)));
    world.wait_for("ssl", "done");

    assert_eq!(starts(&world)[0], at(24, 10));
}

#[test]
fn an_order_that_is_claimed_after_the_end_is_refused_and_costs_nothing() {
    let mut world = World::new().hosts("web", "r1/a", 1);
    world.add_hosts("web", "r1/a", "other", 1);
    world.pass(secs(1));
    world.start(&rollout(&window("start = \"00:10\"\nend = \"00:17\"")));
    world.until("somebody is ordered", |world| world.orders().count() > 0);
    // The claim is on its way when the window closes.
    let ahead = at(0, 17).since(world.now);
    world.jump(ahead);
    world.pass(secs(20));

    assert_eq!(world.count("ssl", "waiting"), 1);
    assert!(world.ledger().is_empty());
    assert!(world.rules().contains(&"window"));
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 2);
}

#[test]
fn a_run_past_the_point_of_disruption_ends_after_the_window() {
    let mut world = World::new().hosts("web", "r1/a", 1);
    world.add_hosts("web", "r1/a", "other", 1);
    world.pass(secs(1));
    world.always("web-a-1", Step::Apply, Does::Well(mins(3)));
    world.start(&rollout(&window(
        "start = \"00:10\"\nend = \"00:17\"\nmatch = 'host == \"web-a-1\"'",
    )));
    world.pass(secs(60));

    assert!(world.now > at(0, 17));
    assert_eq!(world.state_of("web-a-1"), Some(RunState::Applying));
    world.wait_until_host_is("ssl", "web-a-1", "passed");
    assert!(world.now < at(1, 0));
}

#[test]
fn hosts_that_no_window_matches_start_at_any_time() {
    let mut world = World::new().hosts("web", "r1/a", 2).hosts("web", "r1/b", 2);
    let late = window("start = \"02:00\"\nend = \"03:00\"\nmatch = 'zone == \"b\"'");
    let canary = "[[wave]]\nname = \"canary\"\nhosts = 1\nmatch = 'zone == \"a\"'\n".to_owned();
    let waiver = "[[waiver]]\nstratum = \"zone=r1/b\"\nreason = \"it opens late\"\nexpires = \"2999-12-31\"\n";
    world.start(&rollout(&(late + &canary + waiver)));
    world.pass(mins(30));

    assert_eq!(world.count("ssl", "passed"), 2);
    assert_eq!(world.outcome("ssl", &id("web-b-1")), "untouched");
    world.wait_for("ssl", "done");
}

#[test]
fn a_host_of_two_windows_starts_in_the_one_that_opens_first() {
    let mut world = World::new().hosts("web", "r1/a", 2);
    let both = window("start = \"02:00\"\nend = \"03:00\"")
        + &window("start = \"01:00\"\nend = \"01:30\"");
    world.start(&rollout(&both));
    world.wait_for("ssl", "done");

    assert_eq!(starts(&world)[0], at(1, 0));
}

#[test]
fn a_host_that_is_away_while_its_window_is_closed_is_not_left_out() {
    let mut world = World::new().hosts("web", "r1/a", 2);
    world.start(&rollout(&window("start = \"02:00\"\nend = \"03:00\"")));
    world.pass(secs(10));
    world.crash_agent(&id("web-a-1"), crate::world::Boots::Anew, Some(mins(30)));
    world.pass(mins(20));
    assert_eq!(world.outcome("ssl", &id("web-a-1")), "untouched");

    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 2);
}

#[test]
fn a_rollback_waits_for_no_window() {
    let mut world = World::new().hosts("web", "r1/a", 3);
    world.start(&rollout(&window("start = \"00:10\"\nend = \"00:30\"")));
    world.wait_for("ssl", "done");
    world.pass(mins(60));
    world.ask("ssl", Action::Rollback);
    world.wait_for("ssl", "rolled-back");

    assert!(world.now < at(2, 0));
    assert_eq!(world.count("ssl", "rolled back"), 3);
}

#[test]
fn a_cell_keeps_its_windows_while_the_coordinator_restarts() {
    let mut world = World::new().hosts("web", "r1/a", 2);
    world.start(&rollout(&window("start = \"02:00\"\nend = \"03:00\"")));
    world.pass(secs(10));
    world.crash_owner(crate::world::Crash::BeforeSend, secs(30));
    world.wait_for("ssl", "done");

    assert_eq!(starts(&world)[0], at(2, 0));
}
