//! Groups that are whole in a cell, and those that come together again.

use super::{AT_ONCE, floor};
use crate::world::{Boots, Crash, World, file, id};
use cofferdam_engine::{denial::Scope, rollout::Action};
use std::{collections::BTreeSet, time::Duration};

impl World {
    /// The cells that hosts of these names are in, each once, in order.
    fn cells_of(&self, names: &[&str]) -> Vec<String> {
        let homes = self.owner.fleet.homes().iter();
        let named = homes.filter(|(host, _)| {
            let mut names = names.iter();
            names.any(|name| host.as_str().starts_with(name))
        });
        let cells: BTreeSet<String> = named.map(|(_, cell)| cell.to_string()).collect();
        cells.into_iter().collect()
    }

    /// A host's session breaks, and it says hello again.
    fn greets_again(&mut self, host: &str) {
        self.break_session(&id(host));
        self.pass(Duration::from_secs(5));
    }
}

/// Two hosts of web, then two of db, in a cell of four.
fn full() -> World {
    let world = World::with_cells_of(4);
    world.hosts("web", "r1/a", 2).hosts("db", "r1/a", 2)
}

fn rollout(name: &str) -> String {
    file(name, "openssl", "", &(AT_ONCE.to_owned() + &floor("50%")))
}

#[test]
fn a_group_that_outgrows_its_cell_moves_whole_to_one_with_room() {
    let mut world = full();
    assert_eq!(world.cells_of(&["web", "db"]), ["r1-a-1"]);
    world.add_hosts("web", "r1/a", "more", 1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.cells_of(&["web", "more"]), ["r1-a-2"]);
    assert_eq!(world.cells_of(&["db"]), ["r1-a-1"]);
}

#[test]
fn a_group_at_work_is_split_and_comes_together_when_its_rollout_is_over() {
    let mut world = full();
    world.start(&rollout("ssl"));
    world.add_hosts("web", "r1/a", "more", 1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.cells_of(&["web"]), ["r1-a-1"]);
    assert_eq!(world.cells_of(&["more"]), ["r1-a-2"]);

    world.wait_for("ssl", "done");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.cells_of(&["web", "more"]), ["r1-a-2"]);
    assert!(
        world.owner.fleet.cells()[&world.cell_of("web-a-1")]
            .work()
            .is_empty()
    );
}

#[test]
fn a_host_that_is_taken_or_out_keeps_its_group_where_it_is() {
    let mut world = full();
    world
        .try_reserve("anna", &[id("web-a-1")], Duration::from_secs(600))
        .unwrap();
    world.add_hosts("web", "r1/a", "more", 1);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.cells_of(&["web"]), ["r1-a-1"]);
    assert_eq!(world.cells_of(&["more"]), ["r1-a-2"]);

    world.fall(&id("web-a-2"));
    world.pass(Duration::from_secs(5));
    world
        .try_unreserve("anna", &[id("web-a-1")], false)
        .unwrap();
    world.pass(Duration::from_secs(5));
    world.greets_again("more-a-1");
    assert_eq!(world.cells_of(&["web"]), ["r1-a-1"]);

    world.repair(&id("web-a-2"));
    world.pass(Duration::from_secs(5));
    assert_eq!(world.cells_of(&["web", "more"]), ["r1-a-2"]);
}

#[test]
fn an_empty_cell_goes_when_its_last_group_moves_away() {
    let mut world = World::with_cells_of(3).hosts("web", "r1/a", 3);
    world.start(&rollout("ssl"));
    // Beside three hosts at work there is no room for it.
    world.add_hosts("web", "r1/a", "more", 1);
    world.wait_for("ssl", "done");
    world.crash_agent(&id("web-a-3"), Boots::Same, None);
    world.forget(&id("web-a-3"));
    world.greets_again("more-a-1");
    assert_eq!(world.cells_of(&["web", "more"]), ["r1-a-1"]);
    assert_eq!(world.owner.fleet.cells().len(), 1);
}

#[test]
fn a_rollout_that_is_over_is_taken_back_where_its_hosts_are_now() {
    let mut world = full();
    world.start(&rollout("ssl"));
    world.wait_for("ssl", "done");
    world.add_hosts("web", "r1/a", "more", 1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.cells_of(&["web"]), ["r1-a-2"]);

    world
        .try_ask_within("ssl", Action::Rollback, Scope::Cell)
        .unwrap();
    let denied = world.owner.fleet.denials().iter();
    let denied: Vec<String> = denied.map(|(_, at, _)| at.to_string()).collect();
    assert_eq!(denied, ["cell r1-a-2"]);
    world.wait_for("ssl", "rolled-back");
    assert_eq!(world.count("ssl", "rolled back"), 2);
    assert!(world.untrue_at_the_end().is_empty());
}

#[test]
fn hosts_under_a_denial_of_their_cell_stay_under_it() {
    let mut world = full();
    world.start(&rollout("ssl"));
    world.wait_for("ssl", "done");
    world
        .try_ask_within("ssl", Action::Rollback, Scope::Cell)
        .unwrap();
    world.wait_for("ssl", "rolled-back");
    world.add_hosts("web", "r1/a", "more", 1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.cells_of(&["web"]), ["r1-a-1"]);
    assert_eq!(world.cells_of(&["more"]), ["r1-a-2"]);
}

#[test]
fn a_plan_of_hosts_that_have_moved_since_is_refused() {
    let mut world = full();
    let plan = world.plan(&rollout("ssl")).unwrap();
    world.add_hosts("web", "r1/a", "more", 1);
    world.pass(Duration::from_secs(1));
    let refusal = world.try_start_planned(plan).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "web-a-1, web-a-2 moved to another cell since rollout ssl was planned: plan it again"
    );
}

#[test]
fn groups_move_while_the_owner_dies_and_are_where_its_log_says() {
    let mut world = full();
    world.add_hosts("web", "r1/a", "more", 1);
    world.crash_owner(Crash::BeforeStore, Duration::from_secs(30));
    world.pass(Duration::from_secs(90));
    assert_eq!(world.cells_of(&["web", "more"]), ["r1-a-2"]);
    assert_eq!(world.owner.replayed(), world.owner.fleet);
}
