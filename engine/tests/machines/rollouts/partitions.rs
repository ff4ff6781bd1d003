//! Cells that are cut off from the rollouts.

use super::{AT_ONCE, WAVES, floor, mins, secs};
use crate::world::{Does, NotStarted, Step, World, file, id};
use cofferdam_engine::{
    counts::Counts,
    denial::Scope,
    exception::Word,
    id::{CellId, HostId, WaveIndex},
    order::Order,
    rollout::Action,
};

/// Two cells of four hosts.
fn eight() -> World {
    World::new().hosts("web", "r1/a", 4).hosts("web", "r2/c", 4)
}

fn start(world: &mut World, top: &str) {
    let tables = WAVES.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", top, &tables));
}

fn until_wave(world: &mut World, wave: u32) {
    world.until("the wave runs", |world| {
        world.rollout("ssl").wave() == WaveIndex(wave) && world.count("ssl", "running") > 0
    });
}

/// How many hosts have the patch, whoever knows.
fn patched(world: &World) -> usize {
    let agents = world.agents.values();
    agents.filter(|agent| !agent.installed.is_empty()).count()
}

#[test]
fn the_canary_waits_for_a_cell_that_is_unknown() {
    let mut world = eight();
    start(&mut world, "unknown_share = \"100%\"");
    until_wave(&mut world, 0);
    let cell = world.cell_of("web-c-1");
    world.cut_cell(&cell);
    world.pass(mins(1));
    assert!(world.rules().contains(&"silent"));
    world.pass(mins(600));
    assert!(world.rules().contains(&"unknown"));
    assert_eq!(world.rollout("ssl").wave(), WaveIndex(0));

    world.mend_cell(&cell);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 8);
    assert_eq!(world.orders().count(), 8);
}

#[test]
fn a_canary_that_is_over_does_not_pass_while_a_cell_of_it_is_unknown() {
    let mut world = eight();
    start(&mut world, "unknown_after = \"5m\"\nbake = \"20m\"");
    world.until("it bakes", |world| world.rules().contains(&"bake"));
    let cell = world.cell_of("web-c-1");
    world.cut_cell(&cell);
    world.pass(mins(60));
    assert_eq!(world.rollout("ssl").wave(), WaveIndex(0));
    assert_eq!(world.rules(), ["unknown"]);
    let hold = world.holds()[0].reason.to_string();
    assert!(hold.contains("half an hour or more"), "{hold}");

    world.mend_cell(&cell);
    world.pass(secs(1));
    assert_eq!(world.rollout("ssl").wave(), WaveIndex(1));
}

#[test]
fn later_waves_go_on_without_an_unknown_cell_within_the_share() {
    for (share, wave) in [("50%", 2), ("49%", 1)] {
        let mut world = eight();
        let half = format!("to = \"50%\"\nunknown_share = \"{share}\"");
        let tables = WAVES.replace("to = \"50%\"", &half) + &floor("50%");
        world.start(&file("ssl", "openssl", "unknown_share = \"0%\"", &tables));
        until_wave(&mut world, 1);
        let cell = world.cell_of("web-c-1");
        world.cut_cell(&cell);
        world.pass(mins(9));
        assert_eq!(world.rollout("ssl").wave(), WaveIndex(1), "{share}");
        world.pass(mins(20));
        assert_eq!(world.rollout("ssl").wave(), WaveIndex(wave), "{share}");
        assert!(world.rules().contains(&"unknown-share"));
        let known = if wave == 1 { 3 } else { 5 };
        assert_eq!(
            world.count("ssl", "passed"),
            known,
            "the other cell goes on"
        );

        world.mend_cell(&cell);
        world.wait_for("ssl", "done");
        assert_eq!(world.count("ssl", "passed"), 8, "{share}");
        assert_eq!(world.orders().count(), 8);
    }
}

#[test]
fn a_rollout_ends_without_a_cell_that_stays_unknown() {
    let mut world = eight();
    start(&mut world, "unknown_share = \"50%\"");
    until_wave(&mut world, 1);
    let cell = world.cell_of("web-c-1");
    world.cut_cell(&cell);
    world.wait_for("ssl", "done");
    let before = patched(&world);
    let counts = |world: &World| Counts::of(world.rollout("ssl").outcomes().values());
    let left = counts(&world).unknown;
    assert_eq!(
        left + world.count("ssl", "passed"),
        8,
        "each has an outcome"
    );
    assert!(
        world.count("ssl", "passed") < before,
        "and some are patched, unheard"
    );
    world.pass(mins(60));

    world.mend_cell(&cell);
    world.pass(mins(60));
    assert_eq!(patched(&world), before, "it is over there too");
    assert_eq!(world.count("ssl", "passed"), before, "and all agree");
    assert_eq!(
        counts(&world).unknown,
        8 - before,
        "the others were not taken"
    );
    assert!(world.owner.fleet.cells()[&cell].work().is_empty());
}

#[test]
fn a_rollback_waits_for_hosts_that_the_rollout_was_done_without() {
    let mut world = eight();
    start(&mut world, "unknown_share = \"50%\"");
    until_wave(&mut world, 1);
    let cell = world.cell_of("web-c-1");
    world.cut_cell(&cell);
    world.wait_for("ssl", "done");
    world.ask("ssl", Action::Rollback);
    world.pass(mins(60));
    assert_eq!(world.phase("ssl"), "rolling-back");
    assert!(patched(&world) > 0, "the cell has the patch on a host");

    world.mend_cell(&cell);
    world.wait_for("ssl", "rolled-back");
    assert_eq!(patched(&world), 0);
    assert!(world.untrue_at_the_end().is_empty());
}

#[test]
fn a_cell_that_is_cut_ends_what_it_was_granted_and_its_results_are_merged() {
    let mut world = eight();
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.until("all may start", |world| {
        let mut cells = world.rollout("ssl").cells().values();
        cells.all(|cell| cell.granted().is_some_and(|hosts| hosts.len() >= 3))
    });
    let cell = world.cell_of("web-c-1");
    world.cut_cell(&cell);
    world.pass(mins(5));
    assert!(
        world.count("ssl", "passed") < 8,
        "nobody has told the rollout"
    );
    assert_eq!(patched(&world), 8, "all of it is done");

    world.mend_cell(&cell);
    world.pass(secs(1));
    assert_eq!(world.count("ssl", "passed"), 8);
    assert_eq!(world.orders().count(), 8, "and nothing twice");
}

#[test]
fn a_cell_that_is_cut_starts_nothing_after_its_warrant() {
    let mut world = eight();
    let tables = AT_ONCE.to_owned() + &floor("75%");
    // One of four at a time, and 20 minutes between two starts.
    let top = "start_spacing = \"20m\"\nwarrant = \"25m\"";
    world.start(&file("ssl", "openssl", top, &tables));
    world.until("all may start", |world| {
        let mut cells = world.rollout("ssl").cells().values();
        cells.all(|cell| cell.granted().is_some_and(|hosts| hosts.len() >= 3))
    });
    let cell = world.cell_of("web-c-1");
    let cut_at = world.now;
    world.cut_cell(&cell);
    world.pass(mins(180));
    let warrant = mins(25);
    let late = |world: &World| {
        let orders = world.orders();
        let theirs = orders.filter(|(_, order)| order.grant.cell == cell);
        theirs.filter(|(at, _)| *at > cut_at.after(warrant)).count()
    };
    assert_eq!(late(&world), 0);
    assert!(patched(&world) < 8);

    world.mend_cell(&cell);
    world.wait_for("ssl", "done");
    assert_eq!(patched(&world), 8);
    assert!(late(&world) > 0, "with a new warrant it goes on");
}

#[test]
fn a_stop_and_a_rollback_reach_a_cell_that_was_cut_before_anything_else() {
    let mut world = eight();
    start(&mut world, "");
    until_wave(&mut world, 2);
    let cell = world.cell_of("web-c-1");
    world.cut_cell(&cell);
    world.pass(secs(5));
    // This stop is lost: nobody has noticed that the link is cut.
    world.ask("ssl", Action::Pause);
    world.pass(mins(2));
    world.ask("ssl", Action::Rollback);
    world.pass(mins(40));
    assert_eq!(world.phase("ssl"), "rolling-back", "a wish that stands");
    assert!(world.rules().contains(&"unknown"));
    assert_eq!(patched(&world), 4, "the cut cell has finished its part");

    world.mend_cell(&cell);
    world.wait_for("ssl", "rolled-back");
    assert_eq!(patched(&world), 0);
    assert!(world.untrue_at_the_end().is_empty());
    assert!(world.agents[&id("web-c-1")].in_service());
}

#[test]
fn a_pause_that_was_lost_is_told_again() {
    let mut world = eight();
    start(&mut world, "");
    until_wave(&mut world, 2);
    let cell = world.cell_of("web-c-1");
    world.cut_cell(&cell);
    world.ask("ssl", Action::Pause);
    let is_stopped = |world: &World| {
        let mut works = world.owner.fleet.cells()[&cell].work().values();
        works.all(|work| work.stop.is_some())
    };
    assert!(!is_stopped(&world));
    world.mend_cell(&cell);
    world.pass(secs(1));
    assert!(is_stopped(&world));
}

#[test]
fn a_host_that_is_excluded_while_its_cell_is_cut_is_nobody_elses_until_the_cell_is_heard() {
    let mut world = eight();
    start(&mut world, "at_once_per_cell = 1");
    until_wave(&mut world, 2);
    let cell = world.cell_of("web-c-1");
    world.cut_cell_of(&id("web-c-1"));
    world.pass(mins(1));
    let waits = world.turns("ssl", 2).into_iter().find(|host| {
        world.cell_of(host.as_str()) == cell && world.outcome("ssl", host) != "running"
    });
    let host = waits.expect("one of the last wave has not been heard of");
    world.except("ssl", Word::Exclude, &[host.as_str()]);
    assert_eq!(world.outcome("ssl", &host), "skipped and silent");
    let other = file("two", "openssl", "", &(AT_ONCE.to_owned() + &floor("50%")));
    let other = other.replace("service == \"web\"", &format!("host == \"{host}\""));
    assert!(matches!(
        world.try_start(&other),
        Err(NotStarted::Refused(_))
    ));

    world.mend_cell(&cell);
    world.wait_for("ssl", "done");
    assert_eq!(
        world.outcome("ssl", &host),
        "passed",
        "it had begun before the cell heard"
    );
}

#[test]
fn a_token_of_a_cell_that_is_cut_off_stays_there() {
    // Four in each of two zones: one of the whole region may be out, by a token.
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r1/c", 4);
    let floor = "[[limits]]\nfloor = [{ group_by = [\"service\", \"region\"], min_in_service = \"85%\" }]\n";
    world.start(&file("ssl", "openssl", "", &(AT_ONCE.to_owned() + floor)));
    let tokens = |world: &World, cell: &CellId| -> usize {
        let rights = &world.owner.fleet.cells()[cell].allotment().rights;
        rights.iter().map(|right| right.tokens).sum()
    };
    let cut = world.cell_of("web-c-1");
    world.until("the cell has the token, and both want it", |world| {
        world.count("ssl", "passed") > 0 && tokens(world, &cut) == 1
    });
    world.cut_cell_of(&id("web-c-1"));
    world.pass(mins(20));
    assert_eq!(tokens(&world, &cut), 1);
    let other = world.cell_of("web-a-1");
    assert_eq!(tokens(&world, &other), 0, "it waits");
    assert!(world.rules().contains(&"token"));

    world.mend_cell(&cut);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 8);
}

#[test]
fn a_cell_that_lost_the_stop_of_a_rollback_is_told_again_though_nothing_is_to_go_back_there() {
    let mut world = eight();
    let (first, others) = ("web-c-2", ["web-c-1", "web-c-3", "web-c-4"]);
    for host in others {
        world.always(host, Step::Stage, Does::Well(mins(8)));
    }
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.until("both cells have a patched host", |world| {
        world.count("ssl", "passed") > 1
    });
    // Nothing is to go back in one of them, and a host that is away in the other keeps the rollback from
    // its end.
    world.forget(&id(first));
    for host in world.hosts_that_are("ssl", "passed") {
        world.cut(&host);
    }
    let cell = world.cell_of(others[0]);
    world.pass(secs(1));
    world.cut_cell_noticed(&cell, mins(1));
    world
        .try_ask_within("ssl", Action::Rollback, Scope::Host)
        .unwrap();
    world.pass(mins(3));
    world.mend_cell(&cell);
    world.pass(mins(60));

    let is_there = |order: &Order| others.contains(&order.host.as_str());
    let there = world.orders().filter(|(_, order)| is_there(order));
    assert_eq!(there.count(), 0, "its leave was good for half an hour");
    assert_eq!(world.phase("ssl"), "rolling-back");
}

#[test]
fn a_cell_that_lost_a_pause_is_told_it_before_it_may_go_on() {
    let mut world = eight();
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    let cell = world.cell_of("web-c-1");
    world.cut_cell_noticed(&cell, mins(1));
    world.ask("ssl", Action::Pause);
    world.pass(mins(3));
    world.ask("ssl", Action::Resume);
    let mended = world.now;
    world.mend_cell(&cell);
    world.pass(secs(1));

    let told: Vec<String> = world.trace(mended);
    let told = told.iter().map(|line| line.trim_start());
    let told: Vec<_> = told.filter(|line| line.contains("cell r2-c-1 ")).collect();
    assert!(told[1].ends_with("ssl: cell r2-c-1 pauses"), "{told:?}");
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 8);
}

#[test]
fn of_a_cell_that_is_not_heard_of_only_hosts_that_were_due_are_wanted_back() {
    let mut world = eight();
    start(&mut world, "");
    until_wave(&mut world, 1);
    let (due, later) = (world.turns("ssl", 1), world.turns("ssl", 2));
    let is_due = |host: &&HostId| host.as_str().starts_with("web-c");
    let due = due.iter().find(is_due).expect("a wave takes of both");
    let later = later.iter().find(is_due).expect("a wave takes of both");
    let cell = world.cell_of("web-c-1");
    world.cut_cell(&cell);
    world.pass(mins(1));
    world.ask("ssl", Action::Rollback);
    world.pass(mins(1));

    let wanted = |host| world.owner.fleet.wanted_back(host);
    assert_eq!(wanted(due).map(|name| name.as_str()), Some("ssl"));
    assert_eq!(wanted(later), None);
}
