//! What operators say of single hosts of a rollout.

use super::{AT_ONCE, WAVES, floor, mins, names, secs};
use crate::world::{Does, NotStarted, Step, World, fails, file, id, operator, rollout_id};
use cofferdam_engine::{
    exception::Word,
    failure::FailureKind,
    fleet::{FleetCommand, FleetError, FleetEvent},
    id::HostId,
    rollout::{Action, RolloutCommand, RolloutError, RolloutEvent},
    run::{Ending, RunState},
};

/// Six plain hosts, and three of a type that cannot pass its checks.
fn with_a_bad_type() -> World {
    let mut world = World::new()
        .hosts("web", "r1/a", 6)
        .more("web", "r1/a", "rare", 3);
    world.bad_for("rare");
    world
}

impl World {
    fn more(mut self, service: &str, place: &str, kind: &str, count: usize) -> Self {
        self.add_hosts(service, place, kind, count);
        self.pass(secs(1));
        self
    }
}

/// The first host of a rollout's first wave, and a world in which its run is in a state.
fn first_is(state: RunState) -> (World, HostId) {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    let first = world.turns("ssl", 0).remove(0);
    world.until("the run is there", |world| {
        world.state_of(first.as_str()) == Some(state)
    });
    (world, first)
}

#[test]
fn a_rollout_goes_on_with_the_rest_once_its_bad_stratum_is_excluded() {
    let mut world = with_a_bad_type();
    world.start(&file("ssl", "openssl", "", WAVES));
    world.wait_for("ssl", "paused");
    let bad = ["rare-a-1", "rare-a-2", "rare-a-3"];
    world.except("ssl", Word::Exclude, &bad);
    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "passed"), 6);
    assert_eq!(world.count("ssl", "failed"), 2);
    assert_eq!(
        world.count("ssl", "skipped"),
        1,
        "the third was never tried"
    );
}

#[test]
fn another_rollout_may_take_the_hosts_that_one_excluded_and_no_others() {
    let mut world = with_a_bad_type();
    world.start(&file("ssl", "openssl", "", WAVES));
    world.wait_for("ssl", "paused");
    let rare = file("rare", "openssl", "", WAVES).replace(
        "service == \"web\"",
        "service == \"web\" and instance_type == \"rare\"",
    );
    let refused = world.try_start(&rare).unwrap_err();
    assert!(
        matches!(&refused, NotStarted::Refused(FleetError::Conflict { .. })),
        "{refused:?}"
    );
    for host in ["rare-a-1", "rare-a-2", "rare-a-3"] {
        world
            .model
            .set(&id(host), Step::Verify, Does::Well(secs(1)), None);
    }
    world.except("ssl", Word::Exclude, &["rare-a-1", "rare-a-2", "rare-a-3"]);
    let whole = world
        .try_start(&file("all", "openssl", "", WAVES))
        .unwrap_err();
    assert!(
        matches!(&whole, NotStarted::Refused(FleetError::Conflict { .. })),
        "{whole:?}"
    );
    world.try_lift("ssl").unwrap();
    world.start(&rare);
    world.wait_for("rare", "done");
    world.ask("ssl", Action::Rollback);
    world.wait_for("ssl", "rolled-back");

    let passed = world.hosts_that_are("rare", "passed");
    assert_eq!(names(&passed), ["rare-a-1", "rare-a-2", "rare-a-3"]);
}

#[test]
fn an_excluded_host_is_undone_before_apply_and_ends_safely_after() {
    let cases = [
        (RunState::Claiming, "skipped", Ending::Cancelled),
        (RunState::Draining, "skipped", Ending::Undone),
        (RunState::Drained, "skipped", Ending::Undone),
        (RunState::Applying, "passed", Ending::Patched),
        (RunState::Verifying, "passed", Ending::Patched),
    ];
    for (state, expected, ending) in cases {
        let (mut world, first) = first_is(state);
        world.except("ssl", Word::Exclude, &[first.as_str()]);
        world.wait_for("ssl", "done");

        assert_eq!(world.outcome("ssl", &first), expected, "while {state}");
        let over = Some(RunState::Ended(ending));
        assert_eq!(world.state_of(first.as_str()), over);
        assert_eq!(
            world.count("ssl", "passed") + world.count("ssl", "skipped"),
            4
        );
        assert!(world.ledger().is_empty());
    }
}

#[test]
fn an_excluded_host_that_failed_past_the_point_of_no_return_is_a_failure() {
    let (mut world, first) = first_is(RunState::Applying);
    world.always(first.as_str(), Step::Verify, fails(FailureKind::Network));
    world.except("ssl", Word::Exclude, &[first.as_str()]);
    world.wait_for("ssl", "done");

    assert_eq!(world.outcome("ssl", &first), "failed");
    let tries = world.orders().filter(|(_, order)| order.host == first);
    assert_eq!(tries.count(), 1, "what may pass is not tried again");
}

#[test]
fn a_rollout_that_is_paused_takes_exclusions_and_keeps_them() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&file("ssl", "openssl", "", WAVES));
    world.ask("ssl", Action::Pause);
    world.except("ssl", Word::Exclude, &["web-a-2", "web-a-3"]);
    world.crash_owner(crate::world::Crash::BeforeSend, secs(3));
    world.pass(mins(2));
    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "done");

    let skipped = world.hosts_that_are("ssl", "skipped");
    assert_eq!(names(&skipped), ["web-a-2", "web-a-3"]);
    let taken = world.orders().map(|(_, order)| order.host.as_str());
    assert!(taken.into_iter().all(|h| h != "web-a-2" && h != "web-a-3"));
}

#[test]
fn a_skipped_host_keeps_no_wave_from_ending() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.fall(&id("web-a-4"));
    world.pass(secs(1));
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.pass(secs(30));
    assert!(world.rules().contains(&"not-in-service"));
    world.except("ssl", Word::Skip, &["web-a-4"]);
    world.wait_for("ssl", "done");

    assert_eq!(names(&world.hosts_that_are("ssl", "skipped")), ["web-a-4"]);
    assert_eq!(world.count("ssl", "passed"), 3);
}

#[test]
fn a_host_that_is_skipped_in_its_run_is_a_casualty_until_it_is_heard_in_service() {
    let (mut world, first) = first_is(RunState::Applying);
    world.cut(&first);
    world.except("ssl", Word::Skip, &[first.as_str()]);
    assert_eq!(world.outcome("ssl", &first), "skipped and silent");
    assert!(world.ledger().contains(&(first.clone(), "casualty")));
    world.wait_for("ssl", "done");
    assert!(world.ledger().contains(&(first.clone(), "casualty")));

    world.mend(&first);
    world.wait_until_host_is("ssl", first.as_str(), "passed");
    assert!(world.ledger().is_empty());
}

#[test]
fn a_host_that_is_skipped_while_it_drains_goes_back_to_service() {
    let (mut world, first) = first_is(RunState::Draining);
    world.except("ssl", Word::Skip, &[first.as_str()]);
    world.wait_for("ssl", "done");

    assert_eq!(world.outcome("ssl", &first), "skipped");
    assert!(world.ledger().is_empty());
}

#[test]
fn a_word_on_hosts_that_cannot_be_is_refused_with_each_host() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&file("ssl", "openssl", "", AT_ONCE));
    world.until("one has passed", |world| world.count("ssl", "passed") > 0);
    let passed = world.hosts_that_are("ssl", "passed").remove(0);
    let said = |refused: FleetError| refused.to_string();
    let stranger = world.try_except("ssl", Word::Exclude, &[id("web-z-1")]);
    assert_eq!(
        said(stranger.unwrap_err()),
        "cannot exclude hosts of rollout ssl: web-z-1 is not of it"
    );
    let over = world.try_except("ssl", Word::Skip, std::slice::from_ref(&passed));
    assert_eq!(
        said(over.unwrap_err()),
        format!("cannot skip hosts of rollout ssl: {passed} is over in it: nothing waits for it")
    );
    let nothing = world.try_except("ssl", Word::Exclude, &[passed]);
    assert!(said(nothing.unwrap_err()).contains("has passed, is gone, or is excluded"));
    world.wait_for("ssl", "done");
    let late = world.try_except("ssl", Word::Exclude, &[id("web-a-1")]);
    assert!(matches!(
        late,
        Err(FleetError::Rollout(RolloutError::NotExcepted { .. }))
    ));
}

/// The hosts of a type pass the checks again.
fn cure(world: &mut World, kind: &str) {
    for host in world.hosts_now() {
        if host.as_str().starts_with(kind) {
            let well = Does::Well(secs(1));
            world.model.set(&host, Step::Verify, well, None);
        }
    }
}

#[test]
fn hosts_that_failed_and_went_back_are_tried_again_in_the_present_wave() {
    let mut world = with_a_bad_type();
    world.start(&file("ssl", "openssl", "", WAVES));
    world.wait_for("ssl", "paused");
    let failed = world.hosts_that_are("ssl", "failed");
    assert_eq!(failed.len(), 2);
    cure(&mut world, "rare");
    world.try_except("ssl", Word::Retry, &failed).unwrap();
    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "passed"), 9);
    let tries = world.orders().filter(|(_, order)| order.asked_again);
    assert_eq!(tries.count(), 2);
}

#[test]
fn a_host_of_a_wave_that_passed_joins_the_present_one() {
    let mut world = World::new().hosts("web", "r1/a", 6);
    world.once("web-a-1", Step::Stage, fails(FailureKind::NotFound));
    world.start(&file("ssl", "openssl", "hosts_left_out = \"50%\"", WAVES));
    world.wait_until_host_is("ssl", "web-a-1", "left out");
    world.until("a later wave", |world| world.rollout("ssl").wave().0 == 2);
    world.except("ssl", Word::Retry, &["web-a-1"]);
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "passed"), 6);
}

#[test]
fn a_failure_that_was_judged_counts_anew_only_when_it_fails_again() {
    let mut world = with_a_bad_type();
    let brake = "brake = { cell_share = \"20%\", cell_least = 2 }";
    world.start(&file("ssl", "openssl", brake, AT_ONCE));
    world.wait_for("ssl", "paused");
    let failed = world.hosts_that_are("ssl", "failed");
    world.ask("ssl", Action::Resume);
    world.until("it runs on", |world| world.count("ssl", "passed") > 0);
    world.try_except("ssl", Word::Retry, &failed).unwrap();
    world.until("it rests", |world| world.phase("ssl") != "running");

    assert_eq!(world.phase("ssl"), "paused", "two failed anew");
}

#[test]
fn a_host_that_is_away_or_may_have_the_patch_is_not_tried_again() {
    let (mut world, first) = first_is(RunState::Applying);
    world.cut(&first);
    world.except("ssl", Word::Skip, &[first.as_str()]);
    world.pass(secs(32));
    let refused = |world: &mut World, host: &HostId| {
        let refused = world.try_except("ssl", Word::Retry, std::slice::from_ref(host));
        refused.unwrap_err().to_string()
    };
    let said = refused(&mut world, &first);
    assert!(said.contains("is not connected"), "{said}");
    let passed = world.hosts_that_are("ssl", "passed").remove(0);
    let said = refused(&mut world, &passed);
    assert!(said.contains("has passed"), "{said}");
    world.wait_for("ssl", "done");
    let said = refused(&mut world, &first);
    assert!(said.contains("start a new rollout"), "{said}");
}

/// A variant of the patch for the rare hosts: other bits, since those that failed are denied there.
fn variant() -> String {
    let all = file("fix", "openssl", "", WAVES).replace("openssl = \"2\"", "openssl = \"3\"");
    all.replace("service == \"web\"", "instance_type == \"rare\"")
}

#[test]
fn an_amendment_takes_its_hosts_and_starts_again_in_the_canary() {
    let mut world = with_a_bad_type();
    world.start(&file("ssl", "openssl", "", WAVES));
    world.wait_for("ssl", "paused");
    cure(&mut world, "rare");
    world.amend("ssl", &variant());
    world.ask("ssl", Action::Resume);
    world.wait_for("fix", "done");
    world.wait_for("ssl", "done");

    assert_eq!(world.count("fix", "passed"), 3);
    assert_eq!(world.count("ssl", "passed"), 6);
    let (ssl, fix) = (world.rollout("ssl"), world.rollout("fix"));
    let amends = fix.plan().amends.as_ref().unwrap();
    assert_eq!((amends.rollout.as_str(), amends.generation.0), ("ssl", 2));
    assert_eq!(amends.rollout_digest, ssl.plan().rollout_digest);
    assert_eq!(ssl.amended_by(), [fix.plan().rollout.clone()]);
    assert_eq!(fix.plan().waves[0].slices.values().flatten().count(), 1);
    let digests = fix.plan().assignments.values().map(|a| a.rollout_digest);
    assert!(digests.into_iter().all(|d| d == fix.plan().rollout_digest));
}

#[test]
fn an_amendment_leaves_the_hosts_that_passed_and_waits_for_those_at_work() {
    let mut world = World::new().hosts("web", "r1/a", 6);
    let tables = WAVES.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.until("some are at work", |world| {
        world.count("ssl", "passed") > 0 && world.count("ssl", "running") > 1
    });
    let passed = world.hosts_that_are("ssl", "passed");
    let fix = file("fix", "openssl", "", &tables);
    let refused = world.try_amend("ssl", &fix).unwrap_err();
    assert!(
        matches!(&refused, NotStarted::Refused(FleetError::AtWork { .. })),
        "{refused:?}"
    );
    assert!(world.rollout("ssl").amended_by().is_empty());
    assert!(
        world.rollout("ssl").exceptions().is_empty(),
        "nothing is half done"
    );
    world.ask("ssl", Action::Pause);
    world.until("no run is left", |world| world.count("ssl", "running") == 0);
    let passed = [passed, world.hosts_that_are("ssl", "passed")].concat();
    world.amend("ssl", &fix);

    let theirs = &world.rollout("fix").plan().hosts;
    assert!(passed.iter().all(|host| !theirs.contains_key(host)));
    assert_eq!(theirs.len() + world.count("ssl", "passed"), 6);
}

#[test]
fn an_amendment_of_another_state_is_refused() {
    let mut world = with_a_bad_type();
    world.start(&file("ssl", "openssl", "", WAVES));
    world.wait_for("ssl", "paused");
    let one =
        file("one", "openssl", "", WAVES).replace("service == \"web\"", "host == \"web-a-6\"");
    let early = world.amendment("ssl", &one).unwrap();
    world.amend("ssl", &variant());
    let late = world.try_amended("ssl", early).unwrap_err();
    assert!(
        matches!(
            &late,
            FleetError::Rollout(RolloutError::OtherAmendment { .. })
        ),
        "{late:?}"
    );
    let other = variant().replace("\"fix\"", "\"other\"");
    // Its hosts are the first amendment's now.
    let refused = world.try_amend("ssl", &other).unwrap_err();
    assert!(
        matches!(&refused, NotStarted::Refused(FleetError::Conflict { .. })),
        "{refused:?}"
    );
    world.ask("ssl", Action::Abort);
    world.wait_for("ssl", "aborted");
    let refused = world.try_amend("ssl", &other).unwrap_err();
    assert!(matches!(
        &refused,
        NotStarted::Refused(FleetError::Rollout(RolloutError::NotExcepted { .. }))
    ));
}

#[test]
fn a_cell_is_told_what_was_said_of_its_own_hosts_and_of_no_others() {
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r1/b", 4);
    world.start(&file("ssl", "openssl", "", WAVES));
    world.until("both cells know of it", |world| {
        let cells = world.owner.fleet.cells().values();
        cells.into_iter().all(|cell| cell.work().len() == 1)
    });
    let mut fleet = world.owner.fleet.clone();
    let said = FleetEvent::Rollout {
        rollout: rollout_id("ssl"),
        event: RolloutEvent::Excepted {
            word: Word::Skip,
            hosts: [id("web-a-4"), id("web-b-4")].into(),
            by: operator(),
            reason: "too big".to_owned(),
        },
    };
    fleet.apply(&said, world.now).unwrap();
    let commands = fleet.decide(world.now).commands.into_iter();
    let told: Vec<String> = commands
        .filter_map(|command| {
            let FleetCommand::Rollout {
                command: RolloutCommand::Except(exceptions),
                ..
            } = command
            else {
                return None;
            };
            Some(exceptions)
        })
        .map(|told| format!("{}: {:?}", told.cell, told.hosts.keys().collect::<Vec<_>>()))
        .collect();
    assert_eq!(
        told,
        [
            r#"r1-a-1: [HostId("web-a-4")]"#,
            r#"r1-b-1: [HostId("web-b-4")]"#
        ]
    );
}

#[test]
fn a_first_wave_that_passes_without_a_kind_says_so_until_one_of_it_has_passed() {
    let mut world = World::new()
        .hosts("web", "r1/a", 4)
        .more("web", "r1/a", "rare", 3);
    world.start(&file(
        "ssl",
        "openssl",
        "bake = \"1m\"",
        &(WAVES.to_owned() + &floor("50%")),
    ));
    let canary = world.turns("ssl", 0);
    let rare = |host: &&HostId| host.as_str().starts_with("rare");
    let only = canary.iter().find(rare).expect("it covers").clone();
    world.except("ssl", Word::Skip, &[only.as_str()]);
    let missed = |world: &World| -> Vec<String> {
        let missed = world.rollout("ssl").strata_the_first_wave_passed_without();
        missed.iter().map(ToString::to_string).collect()
    };
    assert!(missed(&world).is_empty(), "it may still be proved");

    world.until("the next wave runs", |world| {
        world.rollout("ssl").wave().0 == 1
    });
    assert_eq!(missed(&world), ["instance_type=rare"]);
    world.wait_for("ssl", "done");
    assert!(missed(&world).is_empty());
}
