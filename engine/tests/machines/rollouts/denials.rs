//! What was rolled back is not installed again until an operator lifts that.

use super::{AT_ONCE, floor, names};
use crate::world::{NotStarted, Step, World, fails, file, id};
use cofferdam_engine::{
    denial::{Place, Scope},
    failure::FailureKind,
    fleet::FleetError,
    plan::{PlanError, Warning},
    rollout::Action,
};

/// Two zones of four hosts, and a rollout that was done in one wave and taken back.
fn taken_back(reach: Scope) -> World {
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r1/b", 4);
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&only("ssl", "a", &tables));
    world.wait_for("ssl", "done");
    world
        .try_ask_within("ssl", Action::Rollback, reach)
        .unwrap();
    world.wait_for("ssl", "rolled-back");
    world
}

/// A rollout file of the same package for one zone.
fn only(name: &str, zone: &str, tables: &str) -> String {
    let whole = "match = 'service == \"web\"'";
    let part = format!("match = 'service == \"web\" and zone == \"{zone}\"'");
    file(name, "openssl", "", tables).replace(whole, &part)
}

fn all(name: &str) -> String {
    file(name, "openssl", "", &(AT_ONCE.to_owned() + &floor("50%")))
}

fn errors(refused: Result<(), NotStarted>) -> Vec<PlanError> {
    match refused {
        Err(NotStarted::NoPlan(errors)) => errors.0,
        other => panic!("no plan was expected: {other:?}"),
    }
}

#[test]
fn what_was_rolled_back_is_not_installed_by_the_next_run() {
    let mut world = taken_back(Scope::Fleet);

    let refused = errors(world.try_start(&all("next")));

    let [PlanError::Denied { denial, .. }] = refused.as_slice() else {
        panic!("{refused:?}");
    };
    assert_eq!(denial.to_string(), "denied by anna with rollout ssl");
    let told = refused[0].to_string();
    assert!(told.contains("cofferdam deny lift"), "{told}");
    world.start(&file("other", "curl", "", AT_ONCE));
    world.wait_for("other", "done");
}

#[test]
fn a_plan_that_was_made_before_the_denial_is_refused_at_its_start() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.wait_for("ssl", "done");
    let stale = world.plan(&all("next")).unwrap();
    world.ask("ssl", Action::Rollback);

    let refused = world.try_start_planned(stale).unwrap_err();

    assert!(matches!(refused, FleetError::Denied { .. }), "{refused:?}");
}

#[test]
fn a_lift_lets_the_bits_in_again_though_the_hosts_denied_them_too() {
    let mut world = taken_back(Scope::Fleet);
    world.try_lift("ssl").unwrap();
    world.start(&all("next"));
    world.wait_for("next", "done");

    assert_eq!(world.count("next", "passed"), 8);
    let again = world.try_lift("ssl").unwrap_err();
    assert!(matches!(again, FleetError::NoDenial { .. }), "{again:?}");
}

#[test]
fn a_denial_of_a_cell_leaves_its_hosts_out_and_no_others() {
    for reach in [Scope::Cell, Scope::Host] {
        let mut world = taken_back(reach);
        let refused = errors(world.try_start(&only("same", "a", AT_ONCE)));
        assert!(
            matches!(refused.as_slice(), [PlanError::AllDenied { .. }]),
            "{refused:?}"
        );
        world.start(&all("next"));
        world.wait_for("next", "done");

        assert_eq!(world.count("next", "passed"), 4, "{reach:?}");
        let planned: Vec<_> = world.rollout("next").plan().hosts.keys().collect();
        assert!(
            planned
                .iter()
                .all(|host| host.as_str().starts_with("web-b"))
        );
        let warnings = &world.rollout("next").plan().warnings;
        let warned = warnings.iter().find_map(|warning| {
            let Warning::Denied { hosts, .. } = warning else {
                return None;
            };
            Some(names(hosts))
        });
        assert_eq!(
            warned.unwrap(),
            ["web-a-1", "web-a-2", "web-a-3", "web-a-4"]
        );
    }
}

#[test]
fn a_host_that_a_patch_failed_on_for_good_denies_its_bits() {
    let mut world = World::new().hosts("web", "r1/a", 6);
    world.once("web-a-2", Step::Verify, fails(FailureKind::Unhealthy));
    world.start(&all("ssl"));
    world.wait_for("ssl", "done");
    let denied: Vec<Place> = world
        .owner
        .fleet
        .denials()
        .iter()
        .map(|(_, place, _)| place)
        .collect();
    let host = id("web-a-2");
    assert_eq!(denied, [Place::Host { host: host.clone() }]);

    world.start(&all("next"));
    world.wait_for("next", "done");
    assert_eq!(world.outcome("next", &host), "untouched");

    world.try_lift("ssl").unwrap();
    world.start(&all("third"));
    world.wait_for("third", "done");
    assert_eq!(world.outcome("third", &host), "passed");
}

#[test]
fn a_failure_that_passed_with_the_next_try_denies_nothing() {
    let mut world = World::new().hosts("web", "r1/a", 6);
    world.once("web-a-2", Step::Apply, fails(FailureKind::Network));
    world.start(&all("ssl"));
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "passed"), 6);
    assert!(world.owner.fleet.denials().is_empty());
}

#[test]
fn a_live_rollout_starts_no_host_more_once_its_bits_are_denied() {
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r1/b", 4);
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&only("ssl", "a", &tables));
    world.wait_for("ssl", "done");
    world.start(&only("next", "b", &tables));
    world.until("one has passed", |world| world.count("next", "passed") > 0);
    let passed = world.count("next", "passed") + world.count("next", "running");
    world.ask("ssl", Action::Rollback);
    world.wait_for("next", "paused");

    assert!(world.count("next", "passed") <= passed);
    assert!(world.count("next", "left out") > 0);
}

#[test]
fn a_forgotten_host_takes_its_own_denial_along() {
    let mut world = World::new().hosts("web", "r1/a", 6);
    world.once("web-a-2", Step::Verify, fails(FailureKind::Unhealthy));
    world.start(&all("ssl"));
    world.wait_for("ssl", "done");
    world.forget(&id("web-a-2"));
    world.pass(super::secs(10));

    assert!(world.owner.fleet.denials().is_empty());
}

#[test]
fn what_installs_nothing_cannot_be_denied() {
    let mut world = World::new().hosts("web", "r1/a", 2);
    let packages = "kind = \"packages\"\npackages = { openssl = \"2\" }";
    world.start(&all("practice").replace(packages, "kind = \"noop\""));

    let refused = world.try_deny("practice").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "rollout practice installs nothing: there are no bits of it to deny"
    );
}
