//! Hosts that are not heard of, and what becomes of them.

use super::{AT_ONCE, floor, mins, names, secs};
use crate::world::{Does, Step, World, file, id};
use cofferdam_engine::{counts::Counts, order::ClaimPoint, rollout::Action, run::RunState};

fn six() -> World {
    World::new().hosts("web", "r1/a", 6)
}

fn lenient() -> String {
    AT_ONCE.to_owned() + &floor("50%")
}

#[test]
fn a_host_that_never_answers_is_a_casualty_and_the_rest_goes_on() {
    let mut world = six();
    world.always("web-a-3", Step::Apply, Does::Dies);
    world.start(&file("ssl", "openssl", "", &lenient()));
    world.wait_for("ssl", "done");

    assert_eq!(names(&world.hosts_that_are("ssl", "silent")), ["web-a-3"]);
    let counts = Counts::of(world.rollout("ssl").outcomes().values());
    assert_eq!(
        (counts.timed_out, counts.failed, counts.unreachable),
        (1, 0, 0)
    );
    assert_eq!(world.count("ssl", "passed"), 5);
    assert_eq!(
        world.ledger(),
        [(id("web-a-3"), "casualty")],
        "and stays out"
    );
}

#[test]
fn a_host_that_is_away_before_its_turn_is_left_out() {
    let mut world = six();
    world.cut(&id("web-a-3"));
    world.start(&file("ssl", "openssl", "", &lenient()));
    world.wait_for("ssl", "done");

    assert_eq!(names(&world.hosts_that_are("ssl", "left out")), ["web-a-3"]);
    assert!(world.ledger().is_empty(), "it was never taken");
    let counts = Counts::of(world.rollout("ssl").outcomes().values());
    assert_eq!((counts.unreachable, counts.went_wrong()), (1, 0));
}

#[test]
fn an_order_that_nobody_took_leaves_a_casualty_until_the_host_is_heard_of() {
    let mut world = six();
    world.start(&file("ssl", "openssl", "", &lenient()));
    world.until("the bits are there", |world| world.orders().count() > 0);
    let host = world.hosts_that_are("ssl", "running").remove(0);
    world.cut(&host);
    world.wait_until_host_is("ssl", host.as_str(), "left out");
    let counts = Counts::of(world.rollout("ssl").outcomes().values());
    assert_eq!((counts.unreachable, counts.went_wrong()), (1, 0));
    assert!(world.ledger().contains(&(host.clone(), "casualty")));

    world.mend(&host);
    world.pass(secs(10));
    assert!(world.ledger().iter().all(|(out, _)| *out != host));
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 5);
}

#[test]
fn a_late_report_corrects_the_outcome_and_frees_the_host() {
    let mut world = six();
    world.start(&file("ssl", "openssl", "", &lenient()));
    world.until("a host applies", |world| {
        world.state_of("web-a-1") == Some(RunState::Applying)
    });
    world.cut(&id("web-a-1"));
    world.wait_for("ssl", "done");
    assert_eq!(world.outcome("ssl", &id("web-a-1")), "silent");
    assert_eq!(world.ledger(), [(id("web-a-1"), "casualty")]);

    world.mend(&id("web-a-1"));
    world.pass(mins(1));

    assert_eq!(world.outcome("ssl", &id("web-a-1")), "passed");
    assert!(world.ledger().is_empty());
    assert!(world.untrue_at_the_end().is_empty());
}

#[test]
fn a_host_that_was_away_before_apply_undoes_its_drain() {
    let mut world = six();
    world.start(&file("ssl", "openssl", "", &lenient()));
    world.until("a host drains", |world| {
        world.state_of("web-a-1") == Some(RunState::Draining)
    });
    world.cut(&id("web-a-1"));
    world.pass(mins(3));
    assert!(world.agents[&id("web-a-1")].in_service(), "by itself");

    world.mend(&id("web-a-1"));
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 6, "and is tried again");
}

#[test]
fn a_host_made_anew_in_its_run_is_no_longer_waited_for() {
    let mut world = six();
    world.start(&file("ssl", "openssl", "", &lenient()));
    world.until("a host applies", |world| {
        world.state_of("web-a-1") == Some(RunState::Applying)
    });
    world.make_anew(&id("web-a-1"));
    world.wait_for("ssl", "done");

    assert_eq!(names(&world.hosts_that_are("ssl", "failed")), ["web-a-1"]);
    assert_eq!(world.count("ssl", "passed"), 5);
    assert!(world.ledger().is_empty());
}

#[test]
fn a_forgotten_host_frees_its_slot_and_ends_its_part() {
    let mut world = six();
    world.always("web-a-1", Step::Apply, Does::Dies);
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(AT_ONCE.to_owned() + &floor("90%")),
    ));
    world.wait_until_host_is("ssl", "web-a-1", "silent");
    assert!(world.rules().contains(&"floor"), "it takes the only slot");

    world.forget(&id("web-a-1"));
    world.wait_for("ssl", "done");

    assert_eq!(world.outcome("ssl", &id("web-a-1")), "gone");
    assert_eq!(world.count("ssl", "passed"), 5);
}

#[test]
fn a_run_that_takes_twice_the_mean_is_slow() {
    let mut world = six();
    world.always("web-a-6", Step::Apply, Does::Well(mins(2)));
    let tables = AT_ONCE.to_owned() + &floor("0%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.until("all but one passed", |world| {
        world.count("ssl", "passed") == 5
    });

    let cell = world.owner.fleet.cells().values().next().unwrap();
    let mean = cell.work().values().next().unwrap().mean;
    let active = world.active(&id("web-a-6")).unwrap();
    assert!(!mean.is_slow(world.now.since(active.ordered_at)));
    world.pass(secs(30));
    let active = world.active(&id("web-a-6")).unwrap();
    assert!(mean.is_slow(world.now.since(active.ordered_at)));
    world.wait_for("ssl", "done");
}

#[test]
fn the_second_claim_is_asked_again_on_a_new_session() {
    let mut world = six();
    world.start(&file("ssl", "openssl", "", &lenient()));
    world.until("a host is drained", |world| {
        world.state_of("web-a-1") == Some(RunState::Drained)
            || world.awaits("web-a-1") == Some(ClaimPoint::BeforeApply)
    });
    world.break_session(&id("web-a-1"));
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "passed"), 6);
}

/// Six hosts and a rollout with a grace of a minute, in which one host's session ends every so often,
/// for as long as the rollout runs and at most two hours.
fn flapping(every: u64) -> World {
    let mut world = six();
    let top = "grace = \"60s\"\nhosts_left_out = \"50%\"\n";
    world.start(&file("ssl", "openssl", top, &lenient()));
    for _ in 0..(7_200 / every) {
        if world.phase("ssl") != "running" {
            break;
        }
        world.break_session(&id("web-a-3"));
        world.pass(secs(every));
    }
    world
}

#[test]
fn a_host_that_never_comes_to_rest_is_left_out_after_ten_graces() {
    let world = flapping(20);
    assert_eq!(world.phase("ssl"), "done");
    assert_eq!(names(&world.hosts_that_are("ssl", "left out")), ["web-a-3"]);
    assert_eq!(world.count("ssl", "passed"), 5);
    let orders = world
        .orders()
        .filter(|(_, order)| order.host == id("web-a-3"));
    assert_eq!(orders.count(), 0);
    let took = world
        .rollout("ssl")
        .ended_at()
        .unwrap()
        .since(crate::world::START);
    assert!(took >= mins(10) && took <= mins(13), "{took:?}");
}

#[test]
fn a_host_that_is_quiet_for_a_whole_grace_in_between_is_taken() {
    let world = flapping(80);
    assert_eq!(world.phase("ssl"), "done");
    assert_eq!(world.count("ssl", "passed"), 6);
}

#[test]
fn a_change_after_hours_of_waiting_leaves_no_host_out() {
    let mut world = six();
    let taken = [id("web-a-1")];
    world.try_reserve("anna", &taken, mins(300)).unwrap();
    let top = "grace = \"60s\"\nhosts_left_out = \"50%\"\nlate_join = \"skip\"\n";
    let tables = AT_ONCE.to_owned() + &floor("90%");
    world.start(&file("ssl", "openssl", top, &tables));
    // The one that is taken has the only slot, so all others wait for the floor.
    world.pass(mins(120));
    assert!(world.rules().contains(&"floor"), "{:?}", world.rules());
    for host in world.hosts_now() {
        world.break_session(&host);
    }
    world.pass(secs(10));
    assert!(world.rules().contains(&"grace"), "{:?}", world.rules());
    world.try_unreserve("anna", &taken, false).unwrap();
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 6);
}

#[test]
fn a_host_that_was_made_anew_is_asked_to_stage_again() {
    let mut world = six();
    let top = "at_once_per_cell = 1";
    world.start(&file("ssl", "openssl", top, &lenient()));
    world.until("the bits are there", |world| world.orders().count() > 0);
    let last = world.turns("ssl", 0).pop().expect("six hosts");
    assert!(world.has_staged(&last));
    assert_eq!(world.outcome("ssl", &last), "untouched");
    world.make_anew(&last);
    assert!(!world.has_staged(&last));
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 6);
    assert!(world.has_staged(&last));
}

#[test]
fn a_host_that_was_lost_in_its_run_and_made_anew_has_no_patch_to_take_back() {
    let mut world = six();
    world.always("web-a-3", Step::Apply, Does::Dies);
    world.start(&file("ssl", "openssl", "", &lenient()));
    world.wait_for("ssl", "done");
    let host = id("web-a-3");
    assert_eq!(world.outcome("ssl", &host), "silent");
    world.make_anew(&host);
    world.pass(mins(5));
    assert_ne!(world.outcome("ssl", &host), "silent");
    world.ask("ssl", Action::Rollback);
    world.wait_for("ssl", "rolled-back");
}
