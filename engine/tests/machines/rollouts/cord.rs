//! The cord: one pull stops all rollouts, and one release lets them go on.

use super::{AT_ONCE, WAVES, floor, mins, secs, stops::ends_each_run_as_it_should};
use crate::world::{Crash, World, file, id};
use cofferdam_engine::{
    fleet::{Fleet, FleetError, FleetEvent, Form, LinkEvent, Told},
    hold::{Hold, Subject},
    id::{Incarnation, Region},
    policy::WARRANT,
    rollout::Action,
    run::RunState,
    time::Timestamp,
};

fn started() -> World {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&file("ssl", "openssl", "", WAVES));
    world
}

#[test]
fn it_cancels_or_undoes_before_apply_and_lets_later_runs_end() {
    ends_each_run_as_it_should(World::pull_cord, &["cord"]);
}

#[test]
fn the_hold_says_who_pulled_it_and_why_and_since_when() {
    let mut world = started();
    world.until("an order is out", |world| world.orders().count() > 0);
    let pulled = world.now;
    world.pull_cord();
    world.pass(mins(10));

    let holds = world.holds();
    let is_whole = |hold: &&Hold| matches!(hold.subject, Subject::Rollout { .. });
    let hold = holds.iter().find(is_whole).expect("the rollout is held");
    let text = "the cord was pulled by anna (smoke)";
    assert_eq!((hold.since, hold.reason.to_string()), (pulled, text.into()));
}

#[test]
fn released_everything_goes_on_and_what_was_paused_stays_paused() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&file("ssl", "openssl", "", WAVES));
    world.start(&file("curl", "curl", "", WAVES));
    world.until("an order is out", |world| world.orders().count() > 0);
    world.ask("curl", Action::Pause);
    world.pull_cord();
    world.pass(WARRANT * 3);
    let before = world.orders().count();
    world.release_cord().unwrap();
    world.wait_for("ssl", "done");

    assert_eq!(world.phase("curl"), "paused");
    assert_eq!(world.count("ssl", "passed"), 4);
    assert!(world.orders().count() > before);
}

#[test]
fn a_rollout_that_is_started_while_it_is_pulled_waits() {
    let mut world = World::new().hosts("web", "r1/a", 3);
    world.pull_cord();
    world.start(&file("ssl", "openssl", "", AT_ONCE));
    world.pass(mins(60));

    assert_eq!(world.orders().count(), 0);
    assert_eq!(world.rules(), ["cord"]);
    world.release_cord().unwrap();
    world.wait_for("ssl", "done");
}

#[test]
fn a_rollback_waits_too_and_its_wish_stands() {
    let mut world = started();
    world.until("one has passed", |world| world.count("ssl", "passed") == 1);
    world.pull_cord();
    world.ask("ssl", Action::Rollback);
    world.pass(mins(60));
    assert_eq!(world.phase("ssl"), "rolling-back");
    assert_eq!(world.count("ssl", "passed"), 1);
    assert!(world.rules().contains(&"cord"));

    world.release_cord().unwrap();
    world.wait_for("ssl", "rolled-back");
}

#[test]
fn hosts_that_have_leave_lose_no_time_while_it_is_pulled() {
    let mut world = World::new().hosts("web", "r1/a", 3);
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(AT_ONCE.to_owned() + &floor("0%")),
    ));
    world.cut(&id("web-a-3"));
    world.until("an order is out", |world| world.orders().count() > 0);
    world.pull_cord();
    world.pass(mins(60));
    world.mend(&id("web-a-3"));
    world.release_cord().unwrap();
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "passed"), 3);
}

#[test]
fn a_coordinator_that_starts_anew_still_has_it() {
    let mut world = started();
    world.until("an order is out", |world| world.orders().count() > 0);
    world.pull_cord();
    world.crash_owner(Crash::BeforeSend, secs(10));
    world.pass(mins(20));
    let orders = world.orders().count();
    world.pass(mins(60));

    assert_eq!(world.orders().count(), orders);
    assert!(world.owner.fleet.cord().is_some());
    world.release_cord().unwrap();
    assert_eq!(world.release_cord(), Err(FleetError::NoCord));
    world.wait_for("ssl", "done");
}

#[test]
fn a_host_without_a_session_is_named_and_can_start_nothing() {
    let mut world = started();
    let first = world.turns("ssl", 0).remove(0);
    world.until("its run waits for leave", |world| {
        world.state_of(first.as_str()) == Some(RunState::Claiming)
    });
    world.cut(&first);
    world.pull_cord();
    world.pass(secs(31));

    let reach = world.owner.fleet.cord_reach(world.now).unwrap();
    assert_eq!(reach.away.into_iter().collect::<Vec<_>>(), [first]);
    assert!(reach.regions.is_empty());
}

#[test]
fn a_region_that_was_away_hears_of_it_before_any_warrant() {
    let mut control = part(Form::Control);
    let r1 = Region::new("r1").unwrap();
    let link = |control: &mut Fleet, event| apply(control, FleetEvent::Link { event });
    let (region, store) = (r1.clone(), Incarnation(7));
    link(
        &mut control,
        LinkEvent::Joined {
            region,
            store,
            has: None,
        },
    );
    let (region, since) = (r1.clone(), Timestamp(5));
    link(&mut control, LinkEvent::Silent { region, since });
    apply(&mut control, pull());
    let reach = control.cord_reach(Timestamp(10)).unwrap();
    assert_eq!(reach.regions[0].silent_since, Some(Timestamp(5)));

    link(&mut control, LinkEvent::Heard { region: r1.clone() });
    let told = control.untaken(&r1).unwrap();
    let (number, first) = told.first_key_value().unwrap();
    assert!(matches!(first, Told::Cord { cord: Some(_) }));
    let (region, up_to) = (r1.clone(), *number);
    link(&mut control, LinkEvent::ToldTaken { region, up_to });
    assert!(
        control
            .cord_reach(Timestamp(10))
            .unwrap()
            .regions
            .is_empty()
    );
}

#[test]
fn a_region_s_own_cord_holds_beside_that_of_the_control_plane() {
    let mut region = part(Form::Region);
    let tell = |region: &mut Fleet, number, told| {
        let told = Box::new(told);
        let event = LinkEvent::Told { number, told };
        apply(region, FleetEvent::Link { event });
    };
    let mut control = part(Form::Control);
    apply(&mut control, pull());
    let cord = control.cord().cloned();
    apply(&mut region, pull());
    tell(&mut region, 1, Told::Cord { cord: cord.clone() });
    apply(&mut region, release());
    assert_eq!(region.cord_in_force(), cord.as_ref());

    let refused = region.apply(&release(), Timestamp(20));
    assert!(matches!(refused, Err(FleetError::CordOfControl(_))));
    apply(&mut region, pull());
    tell(&mut region, 2, Told::Cord { cord: None });
    let own = region.cord_in_force().unwrap().to_string();
    assert_eq!(own, "the region's own cord was pulled by anna (smoke)");
}

fn part(form: Form) -> Fleet {
    let mut fleet = Fleet::default();
    let store = Incarnation(1);
    apply(&mut fleet, FleetEvent::FormTaken { form, store });
    fleet
}

fn apply(fleet: &mut Fleet, event: FleetEvent) {
    fleet.apply(&event, Timestamp(10)).unwrap();
}

fn pull() -> FleetEvent {
    let (by, reason) = (crate::world::operator(), "smoke".to_owned());
    FleetEvent::CordPulled { by, reason }
}

fn release() -> FleetEvent {
    let (by, reason) = (crate::world::operator(), String::new());
    FleetEvent::CordReleased { by, reason }
}
