//! Packages go forward and back, again and again.

use super::{
    tool::{Tool, both, tool},
    *,
};
use crate::{
    host::{
        command::{Command, LocalFuture, Output, RunError},
        keep,
        locks::samples::Locker,
        space::Room,
    },
    packages::{lab::Deb, transaction::Conditions},
};
use cofferdam_engine::order::Direction;
use std::time::Duration;

#[tokio::test]
async fn a_patch_goes_on_and_off_as_often_as_asked() {
    let host = Tool::new();
    let order = host.order();
    steps(&host.lab).stage(&request(&order)).await.unwrap();
    assert_eq!(host.versions(), both("1"));
    for _ in 0..2 {
        for _ in 0..2 {
            assert!(!steps(&host.lab).apply(&order).await.unwrap().needs_reboot);
            assert_eq!(host.versions(), both("2"));
        }
        for _ in 0..2 {
            steps(&host.lab).rollback(&order).await.unwrap();
            assert_eq!(host.versions(), both("1"));
        }
    }
}

#[tokio::test]
async fn what_was_staged_is_applied_when_the_repository_is_gone() {
    let host = Tool::new();
    let order = host.order();
    steps(&host.lab).stage(&request(&order)).await.unwrap();
    fs::remove_dir_all(host.lab.path("repo")).unwrap();
    fs::remove_dir_all(host.lab.path("root/var/lib/apt/lists")).unwrap();
    steps(&host.lab).stage(&request(&order)).await.unwrap();
    steps(&host.lab).apply(&order).await.unwrap();
    assert_eq!(host.versions(), both("2"));
    steps(&host.lab).rollback(&order).await.unwrap();
    assert_eq!(host.versions(), both("1"));
}

#[tokio::test]
async fn bits_that_rot_in_the_keep_are_fetched_again() {
    let host = Tool::new();
    let order = host.order();
    steps(&host.lab).stage(&request(&order)).await.unwrap();
    let deb = steps(&host.lab).keep.package(host.two[0].sha256);
    fs::write(&deb, b"rotten").unwrap();
    steps(&host.lab).apply(&order).await.unwrap();
    assert_eq!(keep::digest_of(&deb).await.unwrap(), host.two[0].sha256);
    assert_eq!(host.versions(), both("2"));
}

#[tokio::test]
async fn who_holds_the_lock_is_named_and_nothing_is_changed() {
    let host = Tool::new();
    let order = host.order();
    let steps = steps(&host.lab);
    steps.stage(&request(&order)).await.unwrap();
    let locker = Locker::on(&host.lab.path("root/var/lib/dpkg/lock-frontend"));
    let failure = steps.apply(&order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Locked, "{failure}");
    assert!(failure.detail.contains("(perl)"), "{failure}");
    assert_eq!(host.versions(), both("1"));
    drop(locker);
    steps.apply(&order).await.unwrap();
    assert_eq!(host.versions(), both("2"));
}

#[tokio::test]
async fn a_package_that_was_not_there_goes_again() {
    let lab = Lab::new();
    let order = order("r1", packages(&[lab.publish(Deb::new("fresh", "1"))]));
    steps(&lab).apply(&order).await.unwrap();
    assert!(lab.installed_file("fresh").is_some());
    steps(&lab).rollback(&order).await.unwrap();
    assert!(lab.installed_file("fresh").is_none());
}

#[tokio::test]
async fn marks_are_as_they_were_after_both_ways() {
    let host = Tool::new();
    let apt = host.lab.apt();
    let transcript = host.lab.path("marks.log");
    let on = Conditions {
        deadline: Duration::from_secs(60),
        script_deadline: Duration::from_secs(60),
        transcript: &transcript,
    };
    apt.mark_automatic(&["data"], on).await.unwrap();
    let before = apt.automatic().await.unwrap();
    let order = host.order();
    steps(&host.lab).apply(&order).await.unwrap();
    assert_eq!(apt.automatic().await.unwrap(), before);
    steps(&host.lab).rollback(&order).await.unwrap();
    assert_eq!(apt.automatic().await.unwrap(), before);
}

#[tokio::test]
async fn nothing_staged_and_nothing_begun_are_told_apart() {
    let host = Tool::new();
    let order = host.order();
    let steps = steps(&host.lab);
    let back = Order {
        direction: Direction::Rollback,
        ..order.clone()
    };
    let failure = steps.rollback(&back).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    // An apply whose staging failed has changed nothing.
    steps.rollback(&order).await.unwrap();
    steps.stage(&request(&order)).await.unwrap();
    steps.rollback(&back).await.unwrap();
    steps.release(&order.grant.rollout).await;
    steps.rollback(&order).await.unwrap();
    assert_eq!(host.versions(), both("1"));
}

#[tokio::test]
async fn a_host_that_had_it_all_before_goes_back_to_that_with_or_without_old_transcripts() {
    let host = Tool::new();
    let order = host.order();
    host.lab.install(&[Deb::new("data", "2"), tool("2")]);
    let steps = steps(&host.lab);
    steps.stage(&request(&order)).await.unwrap();
    steps.apply(&order).await.unwrap();
    fs::remove_dir_all(steps.settings.state_dir.join("transcripts")).unwrap();
    steps.rollback(&order).await.unwrap();
    assert_eq!(host.versions(), both("2"));
}

#[tokio::test]
async fn a_rollback_leaves_alone_what_others_changed_since() {
    let host = Tool::new();
    let order = host.order();
    steps(&host.lab).apply(&order).await.unwrap();
    host.lab
        .install(&[Deb::new("tool", "3").with("Depends: data (= 2)\n")]);
    let failure = steps(&host.lab).rollback(&order).await.unwrap_err();
    // tool 3 needs data 2: going back would break it.
    assert_eq!(failure.kind, FailureKind::Dependency, "{failure}");
    host.lab.install(&[tool("2")]);
    steps(&host.lab).rollback(&order).await.unwrap();
    assert_eq!(host.versions(), both("1"));
}

/// `mine` needs what the patch brought, and apt cannot be asked what it would do.
#[tokio::test]
async fn a_rollback_takes_off_nothing_of_others_also_where_the_package_manager_does_not_say_how() {
    let host = Tool::new();
    let extra = Deb::new("extra", "1");
    let all = [host.two.clone(), vec![host.lab.publish(extra)]].concat();
    let order = order("r2", packages(&all));
    steps(&host.lab).apply(&order).await.unwrap();
    host.lab
        .install(&[Deb::new("mine", "1").with("Depends: extra\n")]);
    let silent = interruption::steps_by(&host.lab, Rc::new(Silent));
    silent.rollback(&order).await.unwrap_err();
    assert_eq!(host.lab.installed_file("mine").as_deref(), Some("1"));
    assert_eq!(host.versions(), both("1"));
}

/// Lets no simulation come to an answer.
struct Silent;

impl Runner for Silent {
    fn run<'a>(&'a self, command: &'a Command) -> LocalFuture<'a, Result<Output, RunError>> {
        Box::pin(async move {
            if command.args.iter().any(|arg| arg == "--simulate") {
                return Processes.run(&Command::new("false")).await;
            }
            Processes.run(command).await
        })
    }
}

#[tokio::test]
async fn what_comes_along_with_a_package_is_marked_so_and_what_was_wished_for_is_not() {
    let host = Tool::new();
    let brings = Deb::new("tool", "3").with("Depends: data, extra\n");
    let all = [brings, Deb::new("extra", "1"), Deb::new("wish", "1")];
    let order = order("r2", packages(&all.map(|deb| host.lab.publish(deb))));
    steps(&host.lab).apply(&order).await.unwrap();
    let automatic = host.lab.apt().automatic().await.unwrap();
    assert_eq!(automatic, ["extra".to_owned()].into());
    steps(&host.lab).rollback(&order).await.unwrap();
    assert_eq!(host.versions(), both("1"));
}

/// As a local build with the version of the distribution's.
#[tokio::test]
async fn another_build_of_the_installed_version_is_no_way_back() {
    let host = Tool::new();
    let order = host.order();
    let other = Deb::new("data", "1").with("Provides: other\n");
    host.lab.publish(other);
    let steps = steps(&host.lab);
    let failure = steps.stage(&request(&order)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    let one_way = Order {
        one_way: true,
        ..order
    };
    steps.stage(&request(&one_way)).await.unwrap();
}

#[tokio::test]
async fn a_host_whose_disk_is_full_lets_go_of_what_the_patch_brought_and_goes_back() {
    let host = Tool::new();
    let order = host.order();
    steps(&host.lab).apply(&order).await.unwrap();
    let none = Room {
        bytes: 0,
        inodes: None,
    };
    let steps = steps_with(
        host.lab.settings(),
        Rc::new(none),
        scripted::Scripted::default(),
    );
    let half = steps.keep.incoming("r9").unwrap();
    steps.rollback(&order).await.unwrap();
    assert_eq!(host.versions(), both("1"));
    assert!(!half.exists());
    let kept = steps.keep.packages().unwrap();
    let versions = kept
        .iter()
        .map(|digest| steps.keep.label(*digest).unwrap().version);
    assert_eq!(Vec::from_iter(versions), ["1", "1"]);
}

#[tokio::test]
async fn a_way_back_that_rotted_is_said_and_nothing_is_changed() {
    let host = Tool::new();
    let order = host.order();
    let steps = steps(&host.lab);
    steps.apply(&order).await.unwrap();
    let old = steps.keep.find_packages("data", "1").unwrap()[0];
    fs::write(steps.keep.package(old), b"rotten").unwrap();
    let failure = steps.rollback(&order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    assert_eq!(host.versions(), both("2"));
}

#[tokio::test]
async fn a_host_that_changed_since_it_was_staged_keeps_its_way_back() {
    let host = Tool::new();
    let order = host.order();
    steps(&host.lab).stage(&request(&order)).await.unwrap();
    host.lab.install(&[tool("1+local")]);
    let failure = steps(&host.lab).apply(&order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    assert_eq!(host.versions().0, "1+local");
}
