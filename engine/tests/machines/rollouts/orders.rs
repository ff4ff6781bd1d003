//! Which orders, rollouts and events are refused.

use super::{AT_ONCE, WAVES, floor, secs};
use crate::world::{NotStarted, World, file, id};
use cofferdam_engine::{
    cell::{CellError, CellEvent},
    fleet::{Fleet, FleetError, FleetEvent},
    id::{HostSequence, Incarnation, OwnerEpoch, ReportSequence},
    order::{ClaimPoint, Order},
    report::{Report, ReportBody},
    run::{Ending, RunState},
};

fn running() -> (World, Order) {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&file("ssl", "openssl", "", AT_ONCE));
    world.until("an order is out", |world| world.orders().count() > 0);
    let order = world.orders().next().unwrap().1.clone();
    (world, order)
}

/// Why the cell refuses an event; it must be as before.
fn refusal(world: &World, event: CellEvent) -> CellError {
    let mut cell = world.owner.fleet.cells().values().next().unwrap().clone();
    let before = cell.clone();
    let refusal = cell.apply(&event, world.now).unwrap_err();
    assert_eq!(cell, before);
    refusal
}

fn ordered(order: Order) -> CellEvent {
    CellEvent::Ordered {
        order: Box::new(order),
    }
}

#[test]
fn an_order_whose_number_does_not_rise_is_refused() {
    let (mut world, order) = running();
    world.wait_until_host_is("ssl", order.host.as_str(), "passed");
    for sequence in [HostSequence(0), order.key.sequence] {
        let mut again = order.clone();
        again.key.sequence = sequence;
        let refusal = refusal(&world, ordered(again));
        assert!(matches!(refusal, CellError::StaleOrder { .. }), "{refusal}");
    }
}

#[test]
fn a_second_order_to_a_host_is_refused() {
    let (world, order) = running();
    let mut second = order.clone();
    second.key.sequence = second.key.sequence.next();
    let refusal = refusal(&world, ordered(second));
    assert!(
        matches!(refusal, CellError::IllegalEvent { .. }),
        "{refusal}"
    );
}

#[test]
fn a_token_out_of_order_is_refused() {
    let (world, order) = running();
    let mut other = order.clone();
    other.host = id("web-a-3");
    other.key.sequence = HostSequence(1);
    let refusal = refusal(&world, ordered(other));
    assert!(matches!(refusal, CellError::Ledger(_)), "{refusal}");
}

#[test]
fn a_claim_for_another_order_or_token_gets_no_yes() {
    let (world, order) = running();
    let claim = |key, token| CellEvent::Claimed {
        host: order.host.clone(),
        key,
        token,
        point: ClaimPoint::BeforeDrain,
    };
    let mut newer = order.key;
    newer.sequence = newer.sequence.next();
    for event in [
        claim(newer, order.token),
        claim(order.key, order.token.next()),
    ] {
        let refusal = refusal(&world, event);
        assert!(matches!(refusal, CellError::NoOrder { .. }), "{refusal}");
    }
}

#[test]
fn a_report_of_another_journal_is_refused() {
    let (world, order) = running();
    let report = Report {
        incarnation: Incarnation(9),
        sequence: ReportSequence(1),
        body: ReportBody::Service {
            in_service: true,
            detail: String::new(),
        },
    };
    let event = CellEvent::Reported {
        host: order.host.clone(),
        report,
    };
    let refusal = refusal(&world, event);
    assert!(matches!(refusal, CellError::OtherIncarnation { .. }));
}

#[test]
fn an_epoch_that_does_not_rise_is_refused() {
    let (world, _) = running();
    let mut fleet = world.owner.fleet.clone();
    let event = FleetEvent::OwnerStarted {
        epoch: OwnerEpoch(1),
    };
    let refusal = fleet.apply(&event, world.now).unwrap_err();
    assert!(matches!(refusal, FleetError::StaleEpoch { .. }));
    assert_eq!(fleet, world.owner.fleet);
}

#[test]
fn two_live_rollouts_that_change_one_package_on_one_host_are_refused() {
    let (mut world, _) = running();
    let refusal = world.try_start(&file("too", "openssl", "", WAVES));
    assert!(
        matches!(
            refusal,
            Err(NotStarted::Refused(FleetError::Conflict { .. }))
        ),
        "{refusal:?}"
    );
    world.start(&file("other", "curl", "", WAVES));
    world.wait_for("ssl", "done");
    world.start(&file("too", "openssl", "", WAVES));
    world.wait_for("too", "done");
}

#[test]
fn a_host_is_held_by_one_rollout_at_a_time() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let tables = AT_ONCE.to_owned() + &floor("0%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.start(&file("web", "curl", "", &tables));
    world.until("one holds a host that the other wants", |world| {
        world.rules().contains(&"held")
    });
    world.wait_for("ssl", "done");
    world.wait_for("web", "done");
    world.pass(secs(1));
    assert!(world.ledger().is_empty());
}

#[test]
fn wrong_packages_change_nothing() {
    let (world, _) = running();
    let mut fleet = world.owner.fleet.clone();
    let event = FleetEvent::Packages {
        digest: cofferdam_engine::digest::Digest::of("others"),
        part: 0,
        of: 1,
        packages: cofferdam_engine::inventory::PackageSet::default(),
    };
    let refusal = fleet.apply(&event, world.now).unwrap_err();
    assert!(matches!(refusal, FleetError::PackageDigest(_)));
    assert_eq!(fleet, world.owner.fleet);
}

/// The host tells it when its run has ended, and a report that says no more of it changes nothing.
#[test]
fn what_a_way_back_left_behind_is_known_until_one_leaves_nothing() {
    let (world, order) = running();
    let mut fleet = world.owner.fleet.clone();
    let said = |fleet: &mut Fleet, state, exceptions: &[&str]| {
        let (cell, member) = fleet.host(&order.host).unwrap();
        let report = Report {
            incarnation: member.incarnation,
            sequence: member.reported.next(),
            body: ReportBody::Entered {
                key: order.key,
                state,
                failure: None,
                exceptions: exceptions.iter().map(|line| (*line).to_owned()).collect(),
            },
        };
        let event = FleetEvent::Cell {
            cell: cell.id().clone(),
            event: CellEvent::Reported {
                host: order.host.clone(),
                report,
            },
        };
        fleet.apply(&event, world.now).unwrap();
        let (_, member) = fleet.host(&order.host).unwrap();
        let left = member.left_behind.as_ref();
        left.map(|left| (left.rollout.to_string(), left.lines.clone()))
    };
    let left = "/etc/x was changed since the patch and stays so";
    let known = Some((order.grant.rollout.to_string(), vec![left.to_owned()]));
    assert_eq!(said(&mut fleet, RunState::VerifyingRollback, &[left]), None);
    let ended = RunState::Ended(Ending::RolledBack);
    assert_eq!(said(&mut fleet, ended, &[left]), known);
    let quarantined = RunState::Ended(Ending::Quarantined);
    assert_eq!(said(&mut fleet, quarantined, &[]), known);
    assert_eq!(said(&mut fleet, ended, &[]), None);
}
