//! Hosts that come after the start, go, come back, or become others.

use super::{AT_ONCE, WAVES, floor, mins, names, secs};
use crate::world::{Crash, Does, Step, World, fails, file, id, rollout_id};
use cofferdam_engine::{
    cell::Hello,
    exception::Word,
    failure::FailureKind,
    fleet::FleetEvent,
    id::OperatorId,
    ledger::Occupancy,
    rollout::{Action, RolloutEvent},
    run::RunState,
    warrant::{Outcome, Summary},
};

/// Four hosts and a rollout in three waves; `top` goes to its file.
fn started(top: &str) -> World {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&file(
        "ssl",
        "openssl",
        top,
        &(WAVES.to_owned() + &floor("50%")),
    ));
    world
}

#[test]
fn a_host_that_connects_after_the_start_joins_the_last_wave() {
    let mut world = started("");
    world.until("one has passed", |world| world.count("ssl", "passed") == 1);
    world.add_hosts("web", "r1/a", "late", 2);
    world.add_hosts("web", "r1/b", "far", 2);
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "passed"), 8);
    let hosts = &world.rollout("ssl").plan().hosts;
    assert_eq!(hosts[&id("late-a-1")].wave.0, 2);
    assert!(world.untrue_at_the_end().is_empty());
}

#[test]
fn a_host_that_does_not_match_never_joins() {
    let mut world = started("");
    world.add_hosts("db", "r1/a", "base", 1);
    world.wait_for("ssl", "done");
    assert_eq!(world.outcome("ssl", &id("base-a-1")), "untouched");
}

#[test]
fn a_late_host_is_left_alone_for_its_grace() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "grace = \"60s\"", &tables));
    world.until("one runs", |world| world.count("ssl", "running") > 0);
    world.add_hosts("web", "r1/a", "late", 1);
    let born = world.now;
    world.until("it runs", |world| world.state_of("late-a-1").is_some());
    assert!(world.now.since(born) >= secs(60), "{}", world.now);
    world.wait_for("ssl", "done");
}

#[test]
fn late_hosts_of_a_stratum_that_nobody_passed_are_proved_one_at_a_time() {
    let mut world = started("");
    world.wait_until_host_is("ssl", "web-a-4", "passed");
    world.add_hosts("web", "r1/a", "late", 3);
    world.until("a late host runs", |world| {
        world
            .hosts_that_are("ssl", "running")
            .iter()
            .any(|host| host.as_str().starts_with("late"))
    });
    let running = world.hosts_that_are("ssl", "running");
    let late = running
        .iter()
        .filter(|host| host.as_str().starts_with("late"));
    assert_eq!(late.count(), 1);
    assert!(world.rules().contains(&"stratum"), "{:?}", world.rules());
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 7);
}

#[test]
fn a_late_stratum_that_fails_twice_harms_two_hosts() {
    let mut world = started("");
    for number in 1..=3 {
        let host = format!("late-a-{number}");
        world.always(&host, Step::Verify, fails(FailureKind::Unhealthy));
    }
    world.wait_until_host_is("ssl", "web-a-4", "passed");
    world.add_hosts("web", "r1/a", "late", 3);
    world.wait_for("ssl", "paused");
    assert_eq!(world.count("ssl", "failed"), 2);
    assert_eq!(world.outcome("ssl", &id("late-a-3")), "untouched");
}

#[test]
fn late_hosts_stay_as_they_are_where_the_file_says_skip() {
    let mut world = started("late_join = \"skip\"");
    world.add_hosts("web", "r1/a", "late", 1);
    world.wait_for("ssl", "done");

    assert_eq!(world.outcome("ssl", &id("late-a-1")), "untouched");
    let left = world.rollout("ssl").left_late();
    assert_eq!(
        names(&left.keys().cloned().collect::<Vec<_>>()),
        ["late-a-1"]
    );
}

#[test]
fn a_late_host_is_bound_by_the_floors_of_the_file() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let tables = AT_ONCE.to_owned() + &floor("75%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.add_hosts("web", "r1/a", "late", 4);
    while world.phase("ssl") == "running" {
        assert!(world.count("ssl", "running") <= 2);
        world.advance(secs(1));
    }
    world.assert_sound();
    assert_eq!(world.count("ssl", "passed"), 8);
}

#[test]
fn a_standing_rollout_takes_hosts_that_are_born_later_until_it_is_aborted() {
    let mut world = started("standing = true");
    world.wait_until_host_is("ssl", "web-a-4", "passed");
    world.pass(mins(60));
    assert_eq!(world.phase("ssl"), "running");
    assert_eq!(world.rules(), ["standing"]);

    world.add_hosts("web", "r1/a", "late", 1);
    world.wait_until_host_is("ssl", "late-a-1", "passed");
    world.crash_owner(Crash::BeforeSend, secs(5));
    world.pass(mins(30));
    assert_eq!(world.rules(), ["standing"]);
    world.ask("ssl", Action::Abort);
    world.wait_for("ssl", "done");
}

#[test]
fn a_host_that_was_left_out_while_it_was_away_is_taken_when_it_is_back() {
    let mut world = World::new().hosts("web", "r1/a", 6);
    world.cut(&id("web-a-2"));
    world.pass(secs(60));
    let tables = WAVES.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "standing = true", &tables));
    world.wait_until_host_is("ssl", "web-a-2", "left out");
    world.pass(mins(30));
    assert_eq!(world.rules(), ["standing"]);

    world.mend(&id("web-a-2"));
    world.wait_until_host_is("ssl", "web-a-2", "passed");
    assert_eq!(world.count("ssl", "passed"), 6);
}

#[test]
fn a_host_that_is_relabelled_before_its_turn_is_dropped() {
    let mut world = started("hosts_left_out = \"50%\"");
    world.until("one runs", |world| world.count("ssl", "running") == 1);
    let last = world.turns("ssl", 2).pop().unwrap();
    world.relabel(&last, "db");
    world.wait_for("ssl", "done");

    assert_eq!(world.outcome("ssl", &last), "left out");
    assert_eq!(world.count("ssl", "passed"), 3);
}

#[test]
fn a_host_that_is_relabelled_in_the_middle_of_its_run_ends_it() {
    let mut world = started("");
    let first = world.turns("ssl", 0).remove(0);
    world.always(first.as_str(), Step::Apply, Does::Well(secs(30)));
    world.until("it applies", |world| {
        world.state_of(first.as_str()) == Some(RunState::Applying)
    });
    world.relabel(&first, "db");
    world.wait_for("ssl", "done");
    assert_eq!(world.outcome("ssl", &first), "passed");
}

#[test]
fn a_host_that_is_deleted_frees_what_it_held_and_its_successor_joins() {
    let mut world = started("standing = true");
    world.wait_until_host_is("ssl", "web-a-4", "passed");
    let host = id("web-a-2");
    world.cut(&host);
    world.forget(&host);
    world.pass(secs(10));
    assert_eq!(world.outcome("ssl", &host), "gone");
    assert!(world.ledger().is_empty());

    world.make_anew(&host);
    world.mend(&host);
    world.wait_until_host_is("ssl", "web-a-2", "passed");
    assert!(world.agents[&host].installed.len() == 1);
}

#[test]
fn late_hosts_wait_while_the_rollout_is_paused_and_join_none_that_goes_back() {
    let mut world = started("");
    world.until("one has passed", |world| world.count("ssl", "passed") == 1);
    world.ask("ssl", Action::Pause);
    world.add_hosts("web", "r1/a", "late", 1);
    world.pass(mins(30));
    assert_eq!(world.outcome("ssl", &id("late-a-1")), "untouched");
    world.ask("ssl", Action::Resume);
    world.wait_until_host_is("ssl", "late-a-1", "passed");

    world.ask("ssl", Action::Rollback);
    world.add_hosts("web", "r1/a", "later", 1);
    world.wait_for("ssl", "rolled-back");
    assert_eq!(world.outcome("ssl", &id("later-a-1")), "untouched");
    assert_eq!(world.outcome("ssl", &id("late-a-1")), "rolled back");
}

#[test]
fn a_host_that_an_operator_skipped_stays_out_when_another_of_its_name_is_born() {
    let mut world = started("standing = true");
    let host = world.turns("ssl", 2).pop().unwrap();
    world.except("ssl", Word::Skip, &[host.as_str()]);
    world.forget(&host);
    world.break_session(&host);
    world.pass(mins(5));
    world.add_hosts("web", "r1/a", "late", 1);
    world.wait_until_host_is("ssl", "late-a-1", "passed");
    assert_eq!(world.outcome("ssl", &host), "gone");
    assert!(world.rollout("ssl").left_late()[&host].contains("skipped by anna"));
}

#[test]
fn a_cell_without_hosts_goes_when_its_last_rollout_is_over() {
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r1/b", 2);
    let tables = WAVES.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.pass(secs(1));
    for host in ["web-b-1", "web-b-2"] {
        world.cut(&id(host));
        world.forget(&id(host));
    }
    assert_eq!(world.owner.fleet.cells().len(), 2);
    world.wait_for("ssl", "done");
    world.pass(secs(1));
    assert_eq!(world.owner.fleet.cells().len(), 1);
}

#[test]
fn a_host_that_is_born_anew_in_another_cell_is_spoken_for_by_that_cell_alone() {
    let mut world = World::with_cells_of(2).hosts("web", "r1/a", 4);
    world.start(&file("ssl", "openssl", "standing = true", WAVES));
    let host = world.turns("ssl", 0).remove(0);
    let home = |world: &World| world.rollout("ssl").plan().hosts[&host].cell.clone();
    let first = home(&world);
    world.until("it may start", |world| {
        world.rollout("ssl").cells()[&first].granted().is_some()
    });
    world.make_anew(&host);
    world.forget(&host);
    world.add_hosts("web", "r1/a", "late", 1);
    world.pass(mins(1));
    assert_ne!(home(&world), first);

    world.crash_owner(Crash::BeforeSend, secs(5));
    world.wait_until_host_is("ssl", host.as_str(), "passed");
    world.wait_until_host_is("ssl", "late-a-1", "passed");
    // The one that came late was never another.
    assert_eq!(*world.rollout("ssl").reborn(), [host].into());
    world.assert_sound();
}

/// The cell has an order out, and what the rollout knows of that host is older.
#[test]
fn a_host_that_was_given_away_under_an_order_joins_no_rollout_of_the_same() {
    let mut world = started("");
    let first = world.turns("ssl", 0).remove(0);
    world.add_hosts("db", "r1/b", "base", 2);
    world.pass(secs(1));
    let other = file("two", "openssl", "", &(AT_ONCE.to_owned() + &floor("50%")));
    world.start(&other.replace("service == \"web\"", "service == \"db\""));
    world.until("an order is out", |world| world.active(&first).is_some());

    let mut fleet = world.owner.fleet.clone();
    let (ssl, two) = (rollout_id("ssl"), rollout_id("two"));
    let cell = fleet.homes()[&first].clone();
    let progress = &fleet.rollouts()[&ssl].cells()[&cell];
    let summary = Summary {
        rollout: ssl.clone(),
        cell,
        epoch: fleet.epoch(),
        revision: 1,
        generation: progress.generation,
        changed: [(first.clone(), Outcome::Waiting)].into(),
        braked: None,
    };
    let excluded = RolloutEvent::Excepted {
        word: Word::Exclude,
        hosts: [first.clone()].into(),
        by: OperatorId::new("anna").unwrap(),
        reason: String::new(),
    };
    for event in [RolloutEvent::Summarised { summary }, excluded] {
        let rollout = ssl.clone();
        let event = FleetEvent::Rollout { rollout, event };
        fleet.apply(&event, world.now).unwrap();
    }
    assert!(!fleet.rollouts()[&ssl].claims(&first), "it was given away");
    let (_, member) = fleet.host(&first).unwrap();
    let mut host = member.host.clone();
    host.labels.insert("service".to_owned(), "db".to_owned());
    let hello = Box::new(Hello {
        host,
        incarnation: member.incarnation,
        boot_id: member.boot_id.clone(),
        version: member.version.clone(),
        in_service: true,
        detail: String::new(),
        open: None,
        newest: world.active(&first).map(|active| active.order.key),
    });
    fleet
        .apply(&FleetEvent::HostConnected { hello }, world.now)
        .unwrap();
    let two = &fleet.rollouts()[&two];
    assert!(!two.plan().hosts.contains_key(&first));
    assert_eq!(
        two.left_late()[&first],
        "rollout ssl changes package openssl there too"
    );
}

#[test]
fn a_host_that_is_not_well_says_what_fails_when_it_connects() {
    let mut world = World::new().hosts("web", "r1/a", 2);
    let host = id("web-a-2");
    world.crash_owner(Crash::BeforeSend, secs(30));
    world.pass(secs(1));
    world.fall(&host);
    world.pass(mins(2));

    let (cell, member) = world.owner.fleet.host(&host).unwrap();
    let why = "the application does not answer".to_owned();
    assert_eq!(member.detail, why);
    let out = cell.ledger().entry(&host).unwrap();
    let since = out.since;
    assert_eq!(out.occupancy, Occupancy::Casualty { why, since });
}

#[test]
fn a_host_that_moved_to_another_zone_is_told_of_until_it_is_forgotten() {
    let mut world = World::new().hosts("web", "r1/a", 3).hosts("web", "r1/b", 3);
    let host = id("web-a-2");
    let labels = &mut world.agents.get_mut(&host).unwrap().host.labels;
    labels.insert("zone".to_owned(), "b".to_owned());
    world.break_session(&host);
    world.pass(secs(10));
    let all = file("ssl", "openssl", "", &(AT_ONCE.to_owned() + &floor("0%")));
    let said = |world: &World| {
        let warnings = world.plan(&all).unwrap().warnings;
        let lines: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        lines
            .into_iter()
            .find(|line| line.contains("moved to another zone"))
    };
    assert_eq!(world.owner.fleet.homes()[&host].as_str(), "r1-a-1");
    assert!(said(&world).unwrap().starts_with("web-a-2 moved"));

    world.forget(&host);
    world.pass(secs(10));
    assert_eq!(world.owner.fleet.homes()[&host].as_str(), "r1-b-1");
    assert_eq!(said(&world), None);
}
