//! A host that is alone in its group is taken only when somebody approved it.

use super::{AT_ONCE, WAVES, mins, secs};
use crate::world::{Boots, Does, NotStarted, Step, World, file, id};
use cofferdam_engine::{exception::Word, rollout::Action, run::RunState};

const APPROVED: &str = "approvers = [\"ben\", \"ana\"]\n";

/// Four hosts in zone a, and one alone in each of the zones `lone`.
fn with_lone(lone: &[&str]) -> World {
    let mut world = World::new().hosts("web", "r1/a", 4);
    for zone in lone {
        world.add_hosts("web", &format!("r1/{zone}"), "plain", 1);
    }
    world.pass(secs(1));
    world
}

/// Four hosts in zone a, and two in zone b.
fn with_two() -> World {
    let mut world = with_lone(&[]);
    world.add_hosts("web", "r1/b", "plain", 2);
    world.pass(secs(1));
    world
}

/// A host is deleted from the inventory, and does not come back.
fn lose(world: &mut World, host: &str) {
    world.crash_agent(&id(host), Boots::Same, None);
    world.forget(&id(host));
}

fn is_held(world: &World, host: &str) -> bool {
    let mut holds = world.holds().iter();
    holds.any(|hold| {
        hold.reason.rule() == "approval" && hold.subject.to_string().ends_with(&format!(" {host}"))
    })
}

#[test]
fn without_anybody_who_may_approve_it_there_is_no_plan() {
    let mut world = with_lone(&["b"]);
    let refused = world.try_start(&file("ssl", "openssl", "", AT_ONCE));
    let Err(NotStarted::NoPlan(errors)) = refused else {
        panic!("it must be refused: {refused:?}");
    };
    assert!(errors.to_string().contains("`approvers`"), "{errors}");
}

#[test]
fn the_host_waits_for_its_approval_and_is_taken_then() {
    let mut world = with_lone(&["b"]);
    world.start(&file("ssl", "openssl", APPROVED, AT_ONCE));
    world.pass(mins(60));
    assert_eq!(world.count("ssl", "passed"), 4);
    assert_eq!(world.outcome("ssl", &id("web-b-1")), "untouched");
    assert!(is_held(&world, "web-b-1"));

    let refused = world.try_approve("ssl", "mallory").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "mallory may not do this to rollout ssl: ana or ben may"
    );
    world.try_approve("ssl", "ben").unwrap();
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 5);
    assert_eq!(world.rollout("ssl").approvals()[0].by.as_str(), "ben");

    let late = world.try_approve("ssl", "ben").unwrap_err();
    assert_eq!(
        late.to_string(),
        "nothing of rollout ssl awaits an approval"
    );
}

#[test]
fn an_owner_approves_the_hosts_of_the_own_service_alone() {
    let mut world = with_lone(&[]);
    world.add_hosts("db", "r1/b", "plain", 1);
    world.add_hosts("web", "r1/c", "plain", 1);
    world.declare("[service.db]\nowners = [\"dora\"]\ntier = 1\n");
    world.pass(secs(1));
    let all = file("ssl", "openssl", "approvers = [\"ana\"]\n", AT_ONCE);
    world.start(&all.replace("service == \"web\"", "service != \"none\""));
    world.try_approve("ssl", "dora").unwrap();
    world.pass(mins(60));
    assert_eq!(world.outcome("ssl", &id("db-b-1")), "passed");
    assert_eq!(world.outcome("ssl", &id("web-c-1")), "untouched");
    assert!(world.try_approve("ssl", "dora").is_err());
    world.try_approve("ssl", "ana").unwrap();
    world.wait_for("ssl", "done");
}

#[test]
fn a_wave_puts_off_as_many_as_may_be_left_out_and_the_last_one_waits() {
    let mut world = with_lone(&["b"]);
    // The canary holds a host of every zone, so the lone one too.
    world.start(&file("ssl", "openssl", APPROVED, WAVES));
    world.pass(mins(60));
    assert_eq!(world.rollout("ssl").wave().0, 2, "the last wave");
    assert_eq!(world.count("ssl", "passed"), 4);
    assert!(world.rollout("ssl").is_live());

    world.try_approve("ssl", "ana").unwrap();
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 5);
}

#[test]
fn a_wave_with_more_than_may_be_left_out_waits_and_is_not_braked() {
    let mut world = with_lone(&["b", "c", "d"]);
    world.start(&file("ssl", "openssl", APPROVED, WAVES));
    world.pass(mins(60));
    assert_eq!(world.phase("ssl"), "running");
    assert_eq!(world.rollout("ssl").wave().0, 0);
    assert!(is_held(&world, "web-c-1"));

    world.try_approve("ssl", "ana").unwrap();
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 7);
}

#[test]
fn an_approval_holds_after_a_pause() {
    let mut world = with_lone(&["b"]);
    world.start(&file("ssl", "openssl", APPROVED, WAVES));
    world.pass(mins(60));
    world.ask("ssl", Action::Pause);
    world.try_approve("ssl", "ana").unwrap();
    world.pass(mins(10));
    assert_eq!(world.outcome("ssl", &id("web-b-1")), "untouched");
    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 5);
}

#[test]
fn a_host_that_nobody_approves_is_waited_for_until_it_is_skipped() {
    let mut world = with_lone(&["b"]);
    world.start(&file("ssl", "openssl", APPROVED, WAVES));
    world.pass(mins(60));
    assert!(is_held(&world, "web-b-1"));
    world.except("ssl", Word::Skip, &["web-b-1"]);
    world.wait_for("ssl", "done");
    assert_eq!(world.outcome("ssl", &id("web-b-1")), "skipped");
    assert!(world.rollout("ssl").approvals().is_empty());
}

#[test]
fn an_approval_is_of_the_host_and_not_of_the_next_one_that_is_alone() {
    let mut world = with_lone(&["b"]);
    let top = format!("{APPROVED}standing = true\n");
    world.start(&file("ssl", "openssl", &top, AT_ONCE));
    world.pass(mins(5));
    world.cut(&id("web-b-1"));
    world.forget(&id("web-b-1"));
    world.pass(secs(1));
    world.add_hosts("web", "r1/b", "other", 1);
    world.pass(mins(60));
    assert_eq!(world.outcome("ssl", &id("other-b-1")), "untouched");
    assert!(is_held(&world, "other-b-1"));
    world.try_approve("ssl", "ana").unwrap();
    world.wait_until_host_is("ssl", "other-b-1", "passed");
}

#[test]
fn a_late_host_that_is_alone_waits_for_its_approval_like_others() {
    let mut world = with_lone(&[]);
    world.start(&file("ssl", "openssl", APPROVED, WAVES));
    world.until("one has passed", |world| world.count("ssl", "passed") == 1);
    world.add_hosts("web", "r1/b", "late", 1);
    world.pass(mins(60));
    assert_eq!(world.outcome("ssl", &id("late-b-1")), "untouched");
    assert!(is_held(&world, "late-b-1"));

    world.try_approve("ssl", "ben").unwrap();
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 5);
}

#[test]
fn an_approval_from_before_is_none_for_a_host_that_is_alone_since() {
    let mut world = with_lone(&["b"]);
    let top = format!("{APPROVED}standing = true\n");
    world.start(&file("ssl", "openssl", &top, AT_ONCE));
    world.try_approve("ssl", "ben").unwrap();
    world.pass(mins(60));
    assert_eq!(world.count("ssl", "passed"), 5);

    world.add_hosts("web", "r1/c", "late", 1);
    world.pass(mins(60));
    assert_eq!(world.outcome("ssl", &id("late-c-1")), "untouched");
    world.try_approve("ssl", "ben").unwrap();
    world.wait_until_host_is("ssl", "late-c-1", "passed");
}

#[test]
fn a_host_that_is_alone_no_longer_waits_for_nobody() {
    for waves in [AT_ONCE, WAVES] {
        let mut world = with_lone(&["b"]);
        world.start(&file("ssl", "openssl", APPROVED, waves));
        world.pass(mins(60));
        assert!(is_held(&world, "web-b-1"));
        world.add_hosts("web", "r1/b", "more", 1);
        world.wait_for("ssl", "done");
        assert_eq!(world.count("ssl", "passed"), 6);
        assert!(world.rollout("ssl").approvals().is_empty());
    }
}

#[test]
fn a_host_that_is_left_alone_before_its_turn_waits_from_then_on() {
    for relabelled in [false, true] {
        let mut world = with_two();
        let top = format!("{APPROVED}grace = \"10m\"\n");
        world.start(&file("ssl", "openssl", &top, AT_ONCE));
        world.pass(mins(1));
        match relabelled {
            true => world.relabel(&id("web-b-2"), "db"),
            false => lose(&mut world, "web-b-2"),
        }
        goes_with_a_yes(&mut world);
    }
}

#[test]
fn a_host_that_is_left_alone_at_work_keeps_its_wave_from_passing() {
    let mut world = with_two();
    world.always("web-b-1", Step::Apply, Does::Well(mins(8)));
    let waves = "[[wave]]\nname = \"canary\"\nmatch = 'host == \"web-b-1\"'\nhosts = 1\n\
                 [[wave]]\nname = \"full\"\nto = \"100%\"\n";
    let top = format!("{APPROVED}coverage = [\"service\"]\n");
    world.start(&file("ssl", "openssl", &top, waves));
    world.until("it applies", |world| {
        world.state_of("web-b-1") == Some(RunState::Applying)
    });
    lose(&mut world, "web-b-2");
    world.pass(mins(4));
    assert_eq!(world.orders().count(), 1);
    assert!(!is_held(&world, "web-b-1"));

    world.wait_for("ssl", "done");
    assert_eq!(world.outcome("ssl", &id("web-b-1")), "passed");
}

/// The host waits for a yes, however long, and passes with it.
fn goes_with_a_yes(world: &mut World) {
    world.pass(mins(60));
    assert_eq!(world.outcome("ssl", &id("web-b-1")), "untouched");
    assert!(is_held(world, "web-b-1"));

    world.try_approve("ssl", "ana").unwrap();
    world.wait_for("ssl", "done");
    assert_eq!(world.outcome("ssl", &id("web-b-1")), "passed");
}

#[test]
fn an_approval_is_of_the_group_that_the_host_was_alone_in() {
    let mut world = with_lone(&["b"]);
    let top = format!("{APPROVED}grace = \"10m\"\n");
    let all = file("ssl", "openssl", &top, AT_ONCE);
    world.start(&all.replace("service == \"web\"", "service != \"none\""));
    world.pass(mins(1));
    world.try_approve("ssl", "ana").unwrap();
    world.relabel(&id("web-b-1"), "db");
    goes_with_a_yes(&mut world);
}

#[test]
fn a_host_that_is_tried_again_needs_no_approval_once_it_has_company() {
    let mut world = with_lone(&["b"]);
    let top = format!("{APPROVED}bake = \"2h\"\n");
    world.start(&file("ssl", "openssl", &top, WAVES));
    world.pass(mins(10));
    world.except("ssl", Word::Skip, &["web-b-1"]);
    world.add_hosts("web", "r1/b", "spare", 1);
    world.pass(mins(1));
    world.except("ssl", Word::Retry, &["web-b-1"]);
    world.pass(mins(1));
    assert!(!is_held(&world, "web-b-1"));

    world.wait_for("ssl", "done");
    assert_eq!(world.outcome("ssl", &id("web-b-1")), "passed");
}
