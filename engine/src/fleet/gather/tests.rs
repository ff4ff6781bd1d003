//! Groups that outgrow their cells, as their hosts connect one after the other in any order.

use crate::{
    cell::{CellEvent, Hello},
    check,
    fleet::{
        Fleet, FleetCommand, FleetError, FleetEvent,
        homed::{self, host, settle},
    },
    id::{CellId, HostId, OperatorId},
    inventory::{REGION, SERVICE, ZONE},
    policy::CELL_SIZE,
    seed,
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Hosts that connect, of services as large as is said, in an order that a seed says.
fn hellos(sizes: &[usize], order: &str) -> Vec<Hello> {
    let numbered = (0..).zip(sizes);
    let mut hellos: Vec<Hello> = numbered
        .flat_map(|(service, size)| (0..*size).map(move |number| hello(service, number)))
        .collect();
    hellos.sort_by_key(|hello| seed::of(&[order, hello.host.id.as_str()]));
    hellos
}

fn hello(service: usize, number: usize) -> Hello {
    let service = format!("s{service}");
    let labels = [(SERVICE, &*service), (REGION, "r1"), (ZONE, "a")];
    homed::hello(&host(&format!("{service}-{number}"), &labels))
}

/// The fleet that they make, and how many hosts changed their cell on the way.
fn joined(hellos: &[Hello]) -> (Fleet, usize) {
    let mut fleet = Fleet::default();
    let mut moved = 0;
    for (at, hello) in (0..).zip(hellos) {
        let before = fleet.homes().clone();
        let event = FleetEvent::HostConnected {
            hello: Box::new(hello.clone()),
        };
        fleet.apply(&event, Timestamp(at)).unwrap();
        settle(&mut fleet, Timestamp(at));
        let homes = fleet.homes();
        moved += before
            .iter()
            .filter(|(host, cell)| homes[*host] != **cell)
            .count();
    }
    (fleet, moved)
}

/// The cells of each service.
fn cells(fleet: &Fleet) -> BTreeMap<String, BTreeSet<&CellId>> {
    let mut cells: BTreeMap<String, BTreeSet<&CellId>> = BTreeMap::new();
    for (cell, of) in fleet.cells() {
        for member in of.members().values() {
            let service = member.host.value(SERVICE).unwrap().to_owned();
            cells.entry(service).or_default().insert(cell);
        }
    }
    cells
}

/// 47 services of 1 host and more, 700 in all.
fn services() -> Vec<usize> {
    let mut sizes: Vec<usize> = (0..46).map(|number| 1 + number * 28 / 47).collect();
    sizes.push(700 - sizes.iter().sum::<usize>());
    sizes
}

#[test]
fn groups_are_whole_in_whatever_order_their_hosts_connect() {
    for order in ["one", "two", "three", "four"] {
        let (fleet, moved) = joined(&hellos(&services(), order));
        assert_eq!(fleet.homes().len(), 700);
        assert_eq!(fleet.cells().len(), 2);
        for cell in fleet.cells().values() {
            assert!(cell.members().len() <= CELL_SIZE);
            assert!(cell.is_counted_right());
        }
        for (service, cells) in cells(&fleet) {
            assert_eq!(cells.len(), 1, "{service} is in {cells:?}");
        }
        // A group leaves its cell when that is full, and takes as many hosts along as then find room.
        assert!(moved <= 700, "{moved} hosts changed their cell");
        assert_eq!(check::broken(&fleet), []);
    }
}

#[test]
fn the_same_hosts_in_the_same_order_make_the_same_fleet() {
    let hellos = hellos(&services(), "one");
    assert_eq!(joined(&hellos).0, joined(&hellos).0);
}

#[test]
fn a_group_that_no_cell_can_hold_is_split_and_moves_nobody() {
    let (fleet, moved) = joined(&hellos(&[CELL_SIZE + 20], "one"));
    assert_eq!((fleet.cells().len(), moved), (2, 0));
}

#[test]
fn large_groups_beside_each_other_end_whole_in_as_many_cells_as_they_need() {
    let (fleet, moved) = joined(&hellos(&[300, 300, 300, 200], "one"));
    let cells = cells(&fleet);
    assert!(cells.values().all(|cells| cells.len() == 1), "{cells:?}");
    assert!(fleet.cells().len() <= 4, "{cells:?}");
    assert!(moved <= 2 * 1_100, "{moved} hosts changed their cell");
}

#[test]
fn a_group_that_a_reservation_kept_apart_comes_together_when_that_ends() {
    let (mut fleet, _) = joined(&hellos(&[CELL_SIZE - 20, 20], "one"));
    let at = Timestamp(10_000);
    let reserve = FleetEvent::Reserved {
        hosts: [HostId::new("s1-0").unwrap()].into(),
        by: OperatorId::new("op").unwrap(),
        reason: "repair".to_owned(),
        lasts: Duration::from_secs(60),
    };
    fleet.apply(&reserve, at).unwrap();
    let hello = Box::new(hello(1, 20));
    fleet
        .apply(&FleetEvent::HostConnected { hello }, at)
        .unwrap();
    settle(&mut fleet, at);
    assert_eq!(cells(&fleet)["s1"].len(), 2);

    // It ends by itself.
    let later = at.after(Duration::from_secs(60));
    settle(&mut fleet, later);
    assert_eq!(cells(&fleet)["s1"].len(), 1);
    assert_eq!(check::broken(&fleet), []);
}

#[test]
fn hosts_that_are_at_work_are_not_moved() {
    let (mut fleet, _) = joined(&hellos(&[30], "one"));
    let host = HostId::new("s0-1").unwrap();
    let at = Timestamp(10_000);
    let reserve = FleetEvent::Reserved {
        hosts: [host.clone()].into(),
        by: OperatorId::new("op").unwrap(),
        reason: "repair".to_owned(),
        lasts: Duration::from_secs(60),
    };
    fleet.apply(&reserve, at).unwrap();
    let to = CellId::new("r1-a-2").unwrap();
    let hosts = [host.clone()].into();
    let before = fleet.clone();
    let moved = fleet.apply(&FleetEvent::Gathered { to, hosts }, at);
    assert!(
        matches!(moved, Err(FleetError::NotAtRest { .. })),
        "{moved:?}"
    );
    assert_eq!(fleet, before);
}

#[test]
fn places_that_make_the_same_name_do_not_share_a_cell() {
    let labels = |region, zone| [(REGION, region), (ZONE, zone), (SERVICE, "web")];
    let hosts = [
        host("x-1", &labels("a-b", "c")),
        host("y-1", &labels("a", "b-c")),
        host("x-2", &labels("a-b", "c")),
        host("y-2", &labels("a", "b-c")),
    ];
    let mut fleet = Fleet::default();
    homed::connect(&mut fleet, hosts.iter());
    let homes = hosts
        .each_ref()
        .map(|host| fleet.homes()[&host.id].as_str());
    assert_eq!(homes, ["a-b-c-1", "a-b-c-2", "a-b-c-1", "a-b-c-2"]);
    assert_eq!(check::broken(&fleet), []);
}

#[test]
fn each_zone_brings_one_group_together_with_a_decision() {
    let mut fleet = Fleet::default();
    for zone in ["a", "b"] {
        let large = (0..CELL_SIZE - 2).map(|number| hello(0, number));
        // The first of each fills the first cell, the second finds no room there.
        let apart = [hello(1, 0), hello(2, 0), hello(1, 1), hello(2, 1)];
        for mut hello in large.chain(apart) {
            hello.host.id = HostId::new(format!("{}-{zone}", hello.host.id)).unwrap();
            hello.host.labels.insert(ZONE.to_owned(), zone.to_owned());
            let hello = Box::new(hello);
            let event = FleetEvent::HostConnected { hello };
            fleet.apply(&event, Timestamp(0)).unwrap();
        }
    }
    let decision = fleet.decide(Timestamp(1));
    let to = decision.commands.iter().map(|command| match command {
        FleetCommand::Gather { to, .. } => to.as_str(),
        other @ (FleetCommand::Cell { .. }
        | FleetCommand::Allot { .. }
        | FleetCommand::Rollout { .. }) => panic!("{other:?}"),
    });
    assert_eq!(to.collect::<Vec<_>>(), ["r1-a-2", "r1-b-2"]);
    settle(&mut fleet, Timestamp(1));
    assert_eq!(check::broken(&fleet), []);
}

#[test]
fn a_group_that_grows_host_by_host_is_remembered_as_if_it_were_looked_for() {
    let came = |service, number| FleetEvent::HostConnected {
        hello: Box::new(hello(service, number)),
    };
    let went = |number| {
        let host = hello(0, number).host.id;
        let event = CellEvent::HostForgotten { host: host.clone() };
        FleetEvent::Host { host, event }
    };
    let (mut fleet, mut other) = (Fleet::with_cells_of(6), Fleet::with_cells_of(6));
    let filled = (0..4).map(|number| came(0, number));
    let apart = (7..10).rev().map(|number| came(1, number));
    // Its first cell has room again: each that comes there is the first of the group.
    let again = [went(0), went(1)]
        .into_iter()
        .chain([came(1, 6), came(1, 5)]);
    let more = (1..5).rev().map(|number| came(1, number));
    let mut seen = BTreeSet::new();
    for event in filled.chain(apart).chain(again).chain(more) {
        fleet.apply(&event, Timestamp(1)).unwrap();
        other.apply(&event, Timestamp(1)).unwrap();
        // Who is known dials again: where the last one went is forgotten.
        other.apply(&came(0, 3), Timestamp(1)).ok();
        assert_eq!(fleet.apart, other.apart, "after {event:?}");
        seen.extend(fleet.apart.clone());
    }
    let named = ["s1-5", "s1-6", "s1-8"].map(|name| HostId::new(name).unwrap());
    assert_eq!((seen, fleet.apart.len()), (named.into(), 0));
}
