//! A control plane and two regions: what is lost on the way, and what a region may not say.

use super::{AT_ONCE, floor, mins, secs};
use crate::{
    split::{Split, hello},
    world::{World, file, id, operator, rollout_id},
};
use cofferdam_engine::{
    cell::{CellCommand, CellEvent, JobState, Work},
    denial::Scope,
    fleet::{FleetCommand, FleetError, FleetEvent, LinkEvent, News, Told},
    id::{CellId, Region},
    policy::{CELL_SIZE, HEARD_LATE, WARRANT},
    rollout::{Action, Rollout, RolloutEvent},
    time::Timestamp,
    warrant::{Outcome, StopKind, Summary},
};

/// A rollout over four hosts in each of two regions, which each have leave to start some.
fn granted() -> World {
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r2/c", 4);
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.until("all may start", |world| {
        let mut cells = world.rollout("ssl").cells().values();
        cells.all(|cell| cell.granted().is_some_and(|hosts| hosts.len() >= 3))
    });
    world
}

/// The same fleet in processes of their own, which have all told each other.
fn apart(world: &World) -> Split {
    let mut split = Split::new(CELL_SIZE);
    for (at, event) in &world.owner.log {
        split.take(event, *at);
    }
    assert_eq!(split.differences(&world.owner.fleet), [""; 0]);
    split
}

fn region(name: &str) -> Region {
    Region::new(name).unwrap()
}

fn cell(name: &str) -> CellId {
    CellId::new(name).unwrap()
}

fn ask(action: Action) -> FleetEvent {
    FleetEvent::Rollout {
        rollout: rollout_id("ssl"),
        event: RolloutEvent::Asked {
            action,
            by: operator(),
            reason: String::new(),
            reach: Scope::Host,
        },
    }
}

impl Split {
    fn ssl(&self) -> &Rollout {
        &self.control.rollouts()[&rollout_id("ssl")]
    }

    /// What a region's cell has of the rollout.
    fn work(&self, name: &str) -> Option<&Work> {
        let (region, _) = name.split_once('-').unwrap();
        let region = &self.regions[&Region::new(region).unwrap()];
        region.cells()[&cell(name)].work().get(&rollout_id("ssl"))
    }

    /// An operator asks for something, and the control plane does what follows. Nothing of it is carried.
    fn ask(&mut self, action: Action, now: Timestamp) {
        self.tell_control(&ask(action), now);
        self.decide(now);
    }
}

#[test]
fn a_stop_that_was_on_its_way_is_told_again_though_the_region_was_heard_since() {
    let world = granted();
    let mut split = apart(&world);
    split.ask(Action::Pause, world.now);
    // The region's news still come, so it is last heard of after the stop was told.
    let heard_at = world.now.after(secs(5));
    split.lose(&region("r2"), heard_at, heard_at);
    split.decide(heard_at);
    split.carry(heard_at);

    let stop = split.work("r2-c-1").and_then(|work| work.stop.as_ref());
    assert_eq!(stop.map(|stop| stop.kind), Some(StopKind::Pause));
}

#[test]
fn an_assignment_that_was_on_its_way_is_told_again_though_the_region_was_heard_since() {
    let mut world = World::new().hosts("web", "r2/c", 4);
    let before = world.owner.log.len();
    world.start(&file("ssl", "openssl", "", AT_ONCE));
    let started = world.owner.log[before..].iter();
    let is_start = |event: &FleetEvent| matches!(event, FleetEvent::RolloutStarted { .. });
    let started = started
        .map(|(_, event)| event)
        .find(|event| is_start(event));
    let started = started.expect("it was started").clone();
    world.owner.log.truncate(before);

    let mut split = Split::new(CELL_SIZE);
    for (at, event) in &world.owner.log {
        split.take(event, *at);
    }
    split.tell_control(&started, world.now);
    split.decide(world.now);
    let heard_at = world.now.after(secs(5));
    split.lose(&region("r2"), heard_at, heard_at);
    split.decide(heard_at);
    split.carry(heard_at);

    assert!(
        split
            .work("r2-c-1")
            .is_some_and(|work| work.warrant.is_some())
    );
}

#[test]
fn a_cell_that_has_no_leave_yet_hears_that_the_rollout_is_over() {
    // The canary is one cell's, so the other knows the rollout and has no leave.
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r2/c", 4);
    world.start(&file("ssl", "openssl", "", super::WAVES));
    world.pass(secs(1));
    let mut split = apart(&world);
    let waits = split.ssl().cells().iter();
    let waits = waits.filter(|(_, progress)| progress.granted().is_none());
    let waits: Vec<CellId> = waits.map(|(cell, _)| cell.clone()).collect();
    let waiting = waits.first().expect("one waits for its wave").as_str();
    let of = region(waiting.split_once('-').unwrap().0);

    // Its assignment may be lost, for all that the control plane knows.
    let told_at = split.ssl().cells()[&waits[0]]
        .told_at
        .expect("it was assigned");
    let (now, silent) = (world.now.after(secs(1)), of.clone());
    let since = told_at;
    split.link(
        LinkEvent::Silent {
            region: silent,
            since,
        },
        now,
    );
    split.ask(Action::Abort, now);
    split.link(LinkEvent::Heard { region: of }, now);
    split.decide(now);
    split.carry(now);

    let stop = split.work(waiting).and_then(|work| work.stop.as_ref());
    assert_eq!(stop.map(|stop| stop.kind), Some(StopKind::End));
}

#[test]
fn a_region_speaks_of_its_own_cells_and_hosts_alone() {
    let world = granted();
    let mut split = apart(&world);
    let now = world.now;
    let outcome = Outcome::Passed;
    let host = id("web-c-1");
    let work = split.work("r2-c-1").unwrap();
    let (generation, epoch) = (work.generation(), split.regions[&region("r2")].epoch());
    let summary = Summary {
        rollout: rollout_id("ssl"),
        cell: cell("r2-c-1"),
        epoch,
        revision: u64::MAX,
        generation,
        changed: [(host.clone(), outcome)].into(),
        braked: None,
    };
    let before = split.control.clone();
    let number = split.control.taken_in(&region("r1")).summaries + 1;
    let refused = split.control.apply(
        &FleetEvent::Link {
            event: LinkEvent::Summary {
                region: region("r1"),
                number,
                summary: Box::new(summary),
            },
        },
        now,
    );
    assert!(
        matches!(refused, Err(FleetError::CellOfAnother { .. })),
        "{refused:?}"
    );
    assert_eq!(split.control, before, "what is refused changes nothing");

    // It says that a host of another region came to it, and was forgotten there.
    let (_, member) = split.control.host(&host).unwrap();
    let hello = hello(member);
    let forgotten = CellEvent::HostForgotten { host: host.clone() };
    for event in [CellEvent::HostConnected { hello }, forgotten] {
        let news = News::Cell {
            cell: cell("r1-a-1"),
            event: Box::new(event),
        };
        split.news("r1", news, now);
        assert_eq!(split.control.homes().get(&host), Some(&cell("r2-c-1")));
    }
}

#[test]
fn a_region_with_another_store_is_told_everything_anew() {
    let world = granted();
    let mut split = apart(&world);
    let (now, of) = (world.now.after(mins(1)), region("r2"));
    split.link(
        LinkEvent::Silent {
            region: of.clone(),
            since: world.now.after(secs(30)),
        },
        now,
    );
    split.make_anew(&of, now);
    split.link(LinkEvent::Heard { region: of }, now);
    split.decide(now);
    split.carry(now);

    assert!(
        split
            .work("r2-c-1")
            .is_some_and(|work| work.warrant.is_some())
    );
    let mirror = &split.control.cells()[&cell("r2-c-1")];
    assert_eq!(
        mirror,
        &split.regions[&region("r2")].cells()[&cell("r2-c-1")]
    );
}

#[test]
fn a_copy_that_comes_again_takes_nothing_back() {
    let world = granted();
    let mut split = apart(&world);
    let of = region("r2");
    let mut early = Box::new(split.regions[&of].copy());
    early.news = split.control.taken_in(&of).news;
    let host = id("web-c-1");
    let is_connected = |split: &Split| {
        let (_, member) = split.control.host(&host).unwrap();
        member.is_connected()
    };
    let left = host.clone();
    let event = Box::new(CellEvent::HostDisconnected { host: left });
    let news = News::Cell {
        cell: cell("r2-c-1"),
        event,
    };
    split.news("r2", news, world.now);
    assert!(!is_connected(&split));

    let late = LinkEvent::Copied {
        region: of,
        copy: early,
    };
    split.link(late, world.now);

    assert!(!is_connected(&split));
}

#[test]
fn a_summary_that_fits_nothing_counts_as_taken_in_once_it_is_stored() {
    let world = granted();
    let mut split = apart(&world);
    let summary = Summary {
        rollout: rollout_id("ssl"),
        cell: cell("r2-z-9"),
        epoch: split.regions[&region("r2")].epoch(),
        revision: 1,
        generation: split.work("r2-c-1").unwrap().generation(),
        changed: [].into(),
        braked: None,
    };
    let number = split.control.taken_in(&region("r2")).summaries + 1;
    let event = LinkEvent::Summary {
        region: region("r2"),
        number,
        summary: Box::new(summary),
    };
    let taken = split.control.apply(&FleetEvent::Link { event }, world.now);
    let known = split.control.taken_in(&region("r2")).summaries;
    assert_eq!((taken.is_ok(), known), (true, number));
    assert_eq!(split.control.take_refused().len(), 1);
}

#[test]
fn results_of_work_that_was_assigned_anew_count_though_an_old_summary_came_late() {
    let mut world = World::new().hosts("web", "r2/c", 2);
    let tables = AT_ONCE.to_owned() + &floor("0%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.wait_for("ssl", "done");
    world.pass(mins(1));
    let mut split = apart(&world);
    let now = world.now;
    split.ask(Action::Rollback, now);
    let summary = |number, revision, outcome| LinkEvent::Summary {
        region: region("r2"),
        number,
        summary: Box::new(Summary {
            rollout: rollout_id("ssl"),
            cell: cell("r2-c-1"),
            epoch: split.control.epoch(),
            revision,
            generation: split.ssl().cells()[&cell("r2-c-1")].generation,
            changed: [(id("web-c-1"), outcome)].into(),
            braked: None,
        }),
    };
    // The one of the work before was on its way when the cell was assigned it anew, and counts from 1 again.
    let (old, new) = (
        summary(101, 42, Outcome::Passed),
        summary(102, 1, Outcome::RolledBack),
    );
    split.link(old, now);
    split.link(new, now);
    let outcomes = split.ssl().outcomes();
    assert_eq!(outcomes.get(&id("web-c-1")), Some(&Outcome::RolledBack));
}

#[test]
fn an_order_that_never_came_is_not_sent_again_where_the_warrant_names_its_host_no_more() {
    let mut world = World::new().hosts("web", "r2/c", 4);
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.until("an order is out", |world| world.orders().count() > 0);
    let order = world.orders().next().expect("one is out").1.clone();
    let host = order.host.clone();
    let mut split = apart(&world);
    let now = world.now;

    // Its session is gone before the order came there, and it is to wait for another turn.
    let held = split.work("r2-c-1").unwrap().warrant.as_ref().unwrap();
    let mut narrower = held.warrant.clone();
    narrower.generation = narrower.generation.next();
    narrower.hosts.retain(|other| *other != host);
    let (_, member) = split.control.host(&host).unwrap();
    let hello = hello(member);
    let away = CellEvent::HostDisconnected { host: host.clone() };
    let away = FleetEvent::Host {
        host: host.clone(),
        event: away,
    };
    let told = Told::Cell {
        cell: cell("r2-c-1"),
        event: Box::new(CellEvent::Warranted { warrant: narrower }),
    };
    let r2 = split.regions.get_mut(&region("r2")).unwrap();
    let told = LinkEvent::Told {
        number: r2.told_up_to() + 1,
        told: Box::new(told),
    };
    let told = FleetEvent::Link { event: told };
    for event in [away, told, FleetEvent::HostConnected { hello }] {
        r2.apply(&event, now).unwrap();
    }
    let decision = r2.decide(now);
    let sends = |command: &FleetCommand| {
        matches!(
            command,
            FleetCommand::Cell {
                command: CellCommand::Resend(_),
                ..
            }
        )
    };
    assert!(
        !decision.commands.iter().any(sends),
        "{:?}",
        decision.commands
    );
    for event in decision.commands.iter().flat_map(FleetCommand::events) {
        r2.apply(&event, now).unwrap();
    }
    let cell = &r2.cells()[&cell("r2-c-1")];
    assert!(!cell.ledger().holds(&host), "it takes nobody's room");
    let job = &cell.work()[&rollout_id("ssl")].jobs[&host];
    assert!(
        matches!(job.state, JobState::Waiting | JobState::Again(_)),
        "{job:?}"
    );
}

#[test]
fn leave_that_may_have_come_without_the_stop_after_it_is_counted_until_it_ends_at_the_latest() {
    let world = granted();
    let mut split = apart(&world);
    let now = world.now;
    split.ask(Action::Pause, now);
    split.carry(now);
    split.ask(Action::Resume, now);
    split.ask(Action::Pause, now);
    let (by, reason) = (operator(), String::new());
    split.tell_control(&FleetEvent::CordPulled { by, reason }, now);
    let since = now.after(secs(2));
    let silent = LinkEvent::Silent {
        region: region("r2"),
        since,
    };
    split.link(silent, since);

    let reach = split.control.cord_reach(since).unwrap();
    let deaf = reach.regions.iter().find(|of| of.region == region("r2"));
    let deaf = deaf.expect("it has not heard");
    assert!(!deaf.at_risk.is_empty());
    let until = since.after(HEARD_LATE).after(WARRANT);
    assert_eq!(deaf.until, Some(until), "it may have come as late as that");
}

#[test]
fn how_long_a_region_may_go_on_is_not_reckoned_by_its_clock() {
    let world = granted();
    let mut split = apart(&world);
    let now = world.now;
    // Its clock is two hours behind, so by that its warrant came two hours ago.
    let received_at = split.work("r2-c-1").unwrap().warrant.as_ref().unwrap();
    let received_at = received_at.received_at.0;
    let copy = serde_json::to_string(&split.regions[&region("r2")].copy()).unwrap();
    let moment = |at: u64| format!("\"received_at\":{at}");
    let behind = received_at.saturating_sub(7_200_000);
    let copy = copy.replace(&moment(received_at), &moment(behind));
    let copied = LinkEvent::Copied {
        region: region("r2"),
        copy: Box::new(serde_json::from_str(&copy).unwrap()),
    };
    split.link(copied, now);
    let (by, reason) = (operator(), String::new());
    split.tell_control(&FleetEvent::CordPulled { by, reason }, now);

    let reach = split.control.cord_reach(now.after(secs(1))).unwrap();
    let deaf = reach.regions.iter().find(|of| of.region == region("r2"));
    let deaf = deaf.expect("it has not heard");
    assert!(!deaf.at_risk.is_empty());
    assert_eq!(deaf.until, Some(now.after(WARRANT)));
}
