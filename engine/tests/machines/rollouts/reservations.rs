//! Operators take hosts out under the same floors as rollouts do.

use super::{AT_ONCE, floor, mins, secs};
use crate::world::{Crash, World, file, id, rollout_id};
use cofferdam_engine::{
    exception::Word, fleet::FleetError, id::HostId, ledger::Holder, policy::LONGEST_RESERVATION,
    reservation::ReservationError, rollout::Action, time::Timestamp, warrant::Outcome,
};
use std::time::Duration;

/// Eight hosts of which two may be out, and a rollout over all of them that is ready to start.
fn started() -> World {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(AT_ONCE.to_owned() + &floor("75%")),
    ));
    world
}

fn hosts(names: &[&str]) -> Vec<HostId> {
    names.iter().map(|name| id(name)).collect()
}

impl World {
    fn reserve(&mut self, by: &str, names: &[&str], lasts: Duration) {
        self.try_reserve(by, &hosts(names), lasts).unwrap();
    }

    /// Why an operator is refused hosts.
    fn refusal(&mut self, by: &str, names: &[&str]) -> String {
        let refused = self.try_reserve(by, &hosts(names), mins(30));
        refused.unwrap_err().to_string()
    }

    /// Until when an operator has a host.
    fn reserved_until(&self, name: &str) -> Option<Timestamp> {
        let (cell, _) = self.owner.fleet.host(&id(name))?;
        cell.ledger().entry(&id(name))?.holder.until()
    }
}

#[test]
fn no_rollout_starts_a_host_that_an_operator_has_and_the_hold_says_who_and_until_when() {
    let mut world = started();
    world.reserve("anna", &["web-a-1"], mins(60));
    let until = world.now.after(mins(60));
    world.pass(mins(50));

    assert_eq!(world.count("ssl", "passed"), 7);
    let held = world
        .holds()
        .iter()
        .find(|hold| hold.reason.rule() == "held");
    let reason = &held.expect("it is held").reason;
    assert_eq!(reason.to_string(), "the host is held by anna (new disk)");
    assert_eq!(reason.until(), Some(until));

    world.wait_for("ssl", "done");
    assert!(
        world.now >= until,
        "it waits until the reservation ends by itself"
    );
    assert_eq!(world.count("ssl", "passed"), 8);
    world.assert_sound();
}

#[test]
fn hosts_that_an_operator_has_take_up_the_allowance() {
    let mut world = World::new().hosts("web", "r1/a", 20);
    world.reserve("anna", &["web-a-1"], mins(60));
    let why = world.refusal("olga", &["web-a-2", "web-a-3"]);
    assert_eq!(
        why,
        "floor: 1 of group service=web region=r1 are out, 2 more would be, 2 may be"
    );
    assert_eq!(world.ledger(), [(id("web-a-1"), "reserved")], "all or none");
    world.reserve("olga", &["web-a-2"], mins(60));

    world.start(&file("ssl", "openssl", "", AT_ONCE));
    world.pass(mins(30));
    assert_eq!(world.orders().count(), 0);
    assert!(world.rules().contains(&"floor"));
    world.wait_for("ssl", "done");
    world.assert_sound();
}

#[test]
fn a_host_under_an_order_is_not_given_to_an_operator() {
    let mut world = started();
    let first = world.turns("ssl", 0).remove(0);
    world.until("an order is out", |world| world.active(&first).is_some());
    let why = world.refusal("anna", &[first.as_str()]);
    assert_eq!(why, format!("host {first} is held by rollout ssl"));
}

#[test]
fn limits_of_rollouts_bind_operators_where_they_bind_hosts_of_the_group() {
    let zone = "[[limits]]\nfloor = [{ group_by = [\"zone\"], min_in_service = \"96%\" }]\n";
    for (limit, granted) in [(zone, false), ("", true)] {
        let mut world = World::new()
            .hosts("web", "r1/a", 20)
            .hosts("db", "r1/a", 20);
        world.start(&file("ssl", "openssl", "", &(AT_ONCE.to_owned() + limit)));
        world.pass(secs(1));
        let taken = world.try_reserve("anna", &hosts(&["db-a-1", "db-a-2"]), mins(5));
        assert_eq!(taken.is_ok(), granted, "{limit} {taken:?}");
        world.assert_sound();
    }
}

#[test]
fn a_token_that_another_cell_holds_is_not_taken_from_it() {
    let mut world = World::with_cells_of(4).hosts("web", "r1/a", 8);
    let whole = |world: &World, name: &str| world.owner.fleet.homes()[&id(name)].clone();
    assert_ne!(whole(&world, "web-a-1"), whole(&world, "web-a-8"));
    world.start(&file("ssl", "openssl", "", AT_ONCE));
    world.until("a cell has the token", |world| {
        let cells = world.owner.fleet.cells().values();
        let mut rights = cells.flat_map(|cell| &cell.allotment().rights);
        rights.any(|right| right.tokens > 0)
    });
    let refused = world.try_reserve("anna", &hosts(&["web-a-8"]), mins(5));
    let Err(FleetError::Reservation(ReservationError::Floor { tokens_with, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(tokens_with.len(), 1);
}

#[test]
fn a_host_that_is_alone_in_its_group_is_refused_and_one_that_fell_is_not() {
    let mut world = World::new().hosts("db", "r1/a", 1);
    let why = world.refusal("anna", &["db-a-1"]);
    assert!(why.contains("0 of group"), "{why}");
    world.fall(&id("db-a-1"));
    world.pass(secs(1));
    world.reserve("anna", &["db-a-1"], mins(30));
    assert_eq!(world.ledger(), [(id("db-a-1"), "reserved")]);

    world.repair(&id("db-a-1"));
    world.pass(mins(1));
    assert_eq!(
        world.ledger(),
        [(id("db-a-1"), "reserved")],
        "she has it still"
    );
    world.pass(mins(30));
    assert!(world.ledger().is_empty());
}

#[test]
fn a_host_that_is_not_in_service_when_its_reservation_ends_counts_as_fallen() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.reserve("anna", &["web-a-1"], mins(10));
    world.fall(&id("web-a-1"));
    world.pass(mins(5));
    assert_eq!(world.ledger(), [(id("web-a-1"), "reserved")]);
    world.pass(mins(5));
    assert_eq!(world.ledger(), [(id("web-a-1"), "casualty")]);
    world.assert_sound();
}

#[test]
fn a_host_that_is_not_connected_is_kept_for_its_repair() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.cut(&id("web-a-1"));
    world.pass(mins(2));
    let why = world.refusal("anna", &["web-a-2"]);
    assert!(why.starts_with("floor: 1 of group"), "{why}");
    world.reserve("anna", &["web-a-1"], mins(10));
    world.mend(&id("web-a-1"));
    world.pass(mins(5));
    assert_eq!(world.ledger(), [(id("web-a-1"), "reserved")]);
}

#[test]
fn who_has_a_host_may_keep_it_longer_and_no_other_operator_may_have_it() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.reserve("anna", &["web-a-1"], mins(10));
    let next_token = |world: &World| {
        let cell = world.owner.fleet.cells().values().next().unwrap();
        cell.ledger().next_token()
    };
    let token = next_token(&world);
    world.pass(mins(5));
    assert_eq!(
        world.refusal("olga", &["web-a-1"]),
        "host web-a-1 is held by anna (new disk)"
    );
    world.reserve("anna", &["web-a-1"], mins(10));
    assert_eq!(
        world.reserved_until("web-a-1"),
        Some(world.now.after(mins(10)))
    );
    assert_eq!(next_token(&world), token, "it is the same reservation");
}

#[test]
fn who_has_a_host_gives_it_back_and_another_operator_only_by_force() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.reserve("anna", &["web-a-1"], mins(10));
    let both = hosts(&["web-a-1", "web-a-2"]);
    let one = hosts(&["web-a-1"]);
    let refused = |done: Result<(), FleetError>| done.unwrap_err().to_string();
    assert_eq!(
        refused(world.try_unreserve("anna", &both, false)),
        "host web-a-2 is reserved by no operator"
    );
    assert_eq!(
        refused(world.try_unreserve("olga", &one, false)),
        "host web-a-1 is reserved by anna: ask, or release it with --force"
    );
    world.try_unreserve("olga", &one, true).unwrap();
    assert!(world.ledger().is_empty());
    world.reserve("anna", &["web-a-1"], mins(10));
    world.try_unreserve("anna", &one, false).unwrap();
    assert!(world.ledger().is_empty());
}

#[test]
fn a_reservation_outlives_the_coordinator_and_ends_at_its_time() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.reserve("anna", &["web-a-1"], mins(10));
    let until = world.reserved_until("web-a-1");
    world.crash_owner(Crash::BeforeSend, mins(2));
    world.pass(mins(5));
    assert_eq!(world.reserved_until("web-a-1"), until);
    world.crash_owner(Crash::BeforeSend, mins(9));
    world.pass(mins(10));
    assert_eq!(world.reserved_until("web-a-1"), None);
    world.assert_sound();
}

#[test]
fn a_reservation_ends_within_a_week() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let longer = LONGEST_RESERVATION + secs(1);
    for lasts in [Duration::ZERO, longer] {
        let refused = world.try_reserve("anna", &hosts(&["web-a-1"]), lasts);
        let expected = ReservationError::Lasts { lasts };
        assert_eq!(refused, Err(FleetError::Reservation(expected)));
    }
    world.reserve("anna", &["web-a-1"], LONGEST_RESERVATION);
}

#[test]
fn a_host_that_a_rollout_lost_is_the_rollouts_until_it_serves() {
    let mut world = started();
    let first = world.turns("ssl", 0).remove(0);
    world.until("a run is on", |world| {
        world
            .state_of(first.as_str())
            .is_some_and(|state| state.is_drained())
    });
    world.cut(&first);
    world.until("it is given up", |world| {
        world.ledger().contains(&(first.clone(), "casualty"))
    });
    let why = world.refusal("anna", &[first.as_str()]);
    assert!(
        why.starts_with(&format!("host {first} was lost by rollout ssl")),
        "{why}"
    );
    let (cell, _) = world.owner.fleet.host(&first).unwrap();
    let holder = Holder::Rollout {
        rollout: rollout_id("ssl"),
    };
    assert_eq!(cell.ledger().entry(&first).unwrap().holder, holder);
}

#[test]
fn hosts_of_a_cell_that_is_not_heard_of_are_refused() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let cell = world.cell_of("web-a-1");
    world.cut_cell(&cell);
    world.pass(mins(5));
    let why = world.refusal("anna", &["web-a-1"]);
    assert_eq!(
        why,
        "nothing is heard of cell r1-a-1, which host web-a-1 is in"
    );
}

#[test]
fn a_cell_whose_last_host_an_operator_has_keeps_no_token_from_the_others() {
    let mut world = World::new();
    for place in ["r1/a", "r1/b", "r1/c", "r1/d"] {
        world.add_hosts("web", place, "web", 2);
    }
    world.pass(secs(1));
    world.reserve("anna", &["web-a-1"], mins(600));
    let floor = "[[limits]]\nfloor = [{ group_by = [\"service\", \"region\"], min_in_service = \"75%\" }]\n";
    world.start(&file("ssl", "openssl", "", &(AT_ONCE.to_owned() + floor)));
    world.except("ssl", Word::Exclude, &["web-a-2"]);
    world.pass(mins(60));

    assert_eq!(world.count("ssl", "passed"), 6);
}

#[test]
fn a_rollout_goes_on_without_a_host_that_an_operator_has_for_days_and_takes_it_once_it_is_free() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    let waves = "[[wave]]\nname = \"most\"\nto = \"50%\"\nbake = \"9h\"\n".to_owned() + AT_ONCE;
    let tables = waves + &floor("75%");
    world.start(&file("ssl", "openssl", "hosts_left_out = \"30%\"", &tables));
    let host = world.turns("ssl", 0).remove(3);
    world.reserve("anna", &[host.as_str()], LONGEST_RESERVATION);
    world.pass(mins(55));
    assert!(world.rules().contains(&"held"));

    world.until("it is left out", |world| {
        world.outcome("ssl", &host) == "left out"
    });
    let outcome = &world.rollout("ssl").outcomes()[&host];
    let Outcome::LeftOut { reason, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(reason, "the host is held by anna (new disk)");
    world.until("the wave bakes", |world| world.rules().contains(&"bake"));
    world
        .try_unreserve("anna", std::slice::from_ref(&host), false)
        .unwrap();
    world.until("it has passed", |world| {
        world.outcome("ssl", &host) == "passed"
    });
}

#[test]
fn a_rollback_waits_for_a_host_that_an_operator_has() {
    let mut world = started();
    world.wait_for("ssl", "done");
    world.reserve("anna", &["web-a-1"], mins(600));
    world.ask("ssl", Action::Rollback);
    world.pass(mins(300));
    assert_eq!(world.count("ssl", "rolled back"), 7);
    world.wait_until_host_is("ssl", "web-a-1", "rolled back");
}
