//! Packages: staged, applied, rolled back, again and again.

use super::*;
use crate::{
    host::{
        keep,
        locks::samples::Locker,
        space::{Room, scripted::Scripted as ScriptedSpace},
    },
    packages::lab::Deb,
    step::record::Phase,
};
use std::time::Duration;

/// A host with `tool` and its `data` at 1, and a repository with 1 and 2 of both.
struct Tool {
    lab: Lab,
    two: Vec<LockedPackage>,
}

fn tool(version: &'static str) -> Deb<'static> {
    let needs = match version {
        "1" => "Depends: data (= 1)\n",
        _ => "Depends: data (= 2)\n",
    };
    Deb::new("tool", version).with(needs)
}

impl Tool {
    fn new() -> Self {
        let lab = Lab::new();
        lab.install(&[tool("1"), Deb::new("data", "1")]);
        lab.publish(tool("1"));
        lab.publish(Deb::new("data", "1"));
        let two = vec![lab.publish(Deb::new("data", "2")), lab.publish(tool("2"))];
        Self { lab, two }
    }

    fn order(&self) -> Order {
        order("r2", packages(&self.two))
    }

    fn versions(&self) -> (String, String) {
        let version = |name| self.lab.installed_file(name).unwrap_or_default();
        (version("tool"), version("data"))
    }
}

fn both(version: &str) -> (String, String) {
    (version.to_owned(), version.to_owned())
}

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
async fn a_version_that_the_repository_dropped_before_staging_is_named() {
    let host = Tool::new();
    host.lab.unpublish(&host.two[1]);
    let failure = steps(&host.lab)
        .stage(&request(&host.order()))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
    assert!(failure.detail.contains("'2' for 'tool'"), "{failure}");
}

#[tokio::test]
async fn a_repository_that_is_down_is_said() {
    let host = Tool::new();
    let source = "deb [trusted=yes] http://127.0.0.1:9/debian stable main\n";
    fs::write(host.lab.path("root/etc/apt/sources.list"), source).unwrap();
    let failure = steps(&host.lab)
        .stage(&request(&host.order()))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Network, "{failure}");
    assert!(failure.detail.contains("127.0.0.1:9"), "{failure}");
}

#[tokio::test]
async fn without_a_way_back_nothing_is_staged_unless_the_rollout_says_so() {
    let host = Tool::new();
    let old = LockedPackage {
        version: "1".to_owned(),
        ..host.two[1].clone()
    };
    host.lab.unpublish(&old);
    let mut order = host.order();
    let failure = steps(&host.lab).stage(&request(&order)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    for said in ["tool 1", "keep", "cache", "archive"] {
        assert!(failure.detail.contains(said), "{failure}");
    }
    order.one_way = true;
    steps(&host.lab).stage(&request(&order)).await.unwrap();
    steps(&host.lab).apply(&order).await.unwrap();
    assert_eq!(host.versions(), both("2"));
    let failure = steps(&host.lab).rollback(&order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    assert_eq!(host.versions(), both("2"));
}

#[tokio::test]
async fn the_way_back_is_found_in_apts_cache() {
    let lab = Lab::new();
    lab.install(&[Deb::new("tool", "1:1")]);
    let old = lab.publish(Deb::new("tool", "1:1"));
    let new = lab.publish(Deb::new("tool", "1:2"));
    let archives = lab.path("root/var/cache/apt/archives");
    fs::create_dir_all(&archives).unwrap();
    fs::copy(
        lab.path("repo/tool_1:1_all.deb"),
        archives.join("tool_1%3a1_all.deb"),
    )
    .unwrap();
    lab.unpublish(&old);
    let order = order("r2", packages(&[new]));
    steps(&lab).stage(&request(&order)).await.unwrap();
    fs::remove_dir_all(&archives).unwrap();
    steps(&lab).apply(&order).await.unwrap();
    steps(&lab).rollback(&order).await.unwrap();
    assert_eq!(lab.installed_file("tool").as_deref(), Some("1:1"));
}

#[tokio::test]
async fn bits_that_are_not_the_locked_ones_are_refused() {
    let host = Tool::new();
    let mut locked = host.two.clone();
    locked[0].sha256 = Digest::of("other bits");
    let order = order("r2", packages(&locked));
    let failure = steps(&host.lab).stage(&request(&order)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Signature, "{failure}");
    assert!(failure.detail.contains("data 2"), "{failure}");
}

#[tokio::test]
async fn bits_that_rot_in_the_keep_are_fetched_again() {
    let host = Tool::new();
    let order = host.order();
    steps(&host.lab).stage(&request(&order)).await.unwrap();
    let deb = steps(&host.lab).keep.deb(host.two[0].sha256);
    fs::write(&deb, b"rotten").unwrap();
    steps(&host.lab).apply(&order).await.unwrap();
    assert_eq!(keep::digest_of(&deb).await.unwrap(), host.two[0].sha256);
    assert_eq!(host.versions(), both("2"));
}

#[tokio::test]
async fn a_full_disk_is_said_before_anything_is_changed() {
    let host = Tool::new();
    let full = Room {
        bytes: 1000,
        inodes: None,
    };
    let steps = steps_with(
        host.lab.settings(),
        Rc::new(ScriptedSpace(full)),
        scripted::Scripted::default(),
    );
    let failure = steps.apply(&host.order()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::DiskFull, "{failure}");
    assert_eq!(host.versions(), both("1"));
    assert_eq!(steps.records.before(&rollout("r2")).unwrap(), None);
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
async fn a_package_on_hold_and_a_half_installed_one_are_refused_before_drain() {
    let host = Tool::new();
    let status = host.lab.path("root/var/lib/dpkg/status");
    let sound = fs::read_to_string(&status).unwrap();
    for (find, replace, kind, says) in [
        (
            "install ok installed",
            "hold ok installed",
            FailureKind::Unsupported,
            "on hold",
        ),
        (
            "Package: tool\nStatus: install ok installed",
            "Package: other\nStatus: install ok half-configured",
            FailureKind::PackageManager,
            "other is only half",
        ),
    ] {
        fs::write(&status, sound.replacen(find, replace, 2)).unwrap();
        let failure = steps(&host.lab)
            .stage(&request(&host.order()))
            .await
            .unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.detail.contains(says), "{failure}");
    }
}

#[tokio::test]
async fn a_host_that_would_get_more_than_is_locked_is_refused() {
    let lab = Lab::new();
    lab.publish(Deb::new("helper", "1"));
    let tool = lab.publish(Deb::new("tool", "1").with("Depends: helper\n"));
    let order = order("r1", packages(&[tool]));
    let failure = steps(&lab).stage(&request(&order)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Dependency, "{failure}");
    assert!(failure.detail.contains("helper"), "{failure}");
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
    let on = crate::packages::transaction::Conditions {
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

/// Cuts apply off after ever more of its outside programs, as a kill would, and ends it each time
/// by another start of the agent: forward with even counts, back with odd ones.
#[tokio::test]
async fn an_apply_that_is_cut_short_anywhere_can_be_ended_or_undone() {
    let host = Tool::new();
    let order = host.order();
    steps(&host.lab).stage(&request(&order)).await.unwrap();
    for cut_after in 0..40 {
        let cut = Rc::new(CutShort::after(cut_after));
        let outside = Outside {
            runner: cut.clone(),
            space: Rc::new(space::Kernel),
            artefacts: Rc::new(scripted::Scripted::default()),
        };
        let steps_cut = Steps::open(host.lab.settings(), outside).unwrap();
        let ended = tokio::select! {
            biased;
            applied = steps_cut.apply(&order) => { applied.unwrap(); true }
            () = cut.reached() => false,
        };
        if cut_after % 2 == 0 {
            steps(&host.lab).apply(&order).await.unwrap();
            assert_eq!(host.versions(), both("2"), "cut after {cut_after}");
        }
        steps(&host.lab).rollback(&order).await.unwrap();
        assert_eq!(host.versions(), both("1"), "cut after {cut_after}");
        if ended {
            assert!(cut_after > 5, "apply runs more programs than {cut_after}");
            return;
        }
    }
    panic!("apply never ends");
}

/// Runs some programs and then none for ever, but begins each last one: as if the agent had died
/// while it ran.
struct CutShort {
    left: std::cell::Cell<usize>,
    reached: tokio::sync::Notify,
}

impl CutShort {
    fn after(count: usize) -> Self {
        Self {
            left: std::cell::Cell::new(count),
            reached: tokio::sync::Notify::new(),
        }
    }

    async fn reached(&self) {
        self.reached.notified().await;
    }
}

impl Runner for CutShort {
    fn run<'a>(
        &'a self,
        command: &'a crate::host::command::Command,
    ) -> crate::host::command::LocalFuture<
        'a,
        Result<crate::host::command::Output, crate::host::command::RunError>,
    > {
        Box::pin(async move {
            if let Some(left) = self.left.get().checked_sub(1) {
                self.left.set(left);
                return Processes.run(command).await;
            }
            // Half of the time a program has for its work, it gets.
            let brief = command.clone().deadline(Duration::from_millis(30));
            drop(Processes.run(&brief).await);
            self.reached.notify_one();
            std::future::pending().await
        })
    }
}

#[tokio::test]
async fn nothing_staged_and_nothing_begun_are_told_apart() {
    let host = Tool::new();
    let order = host.order();
    let steps = steps(&host.lab);
    let failure = steps.rollback(&order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    steps.stage(&request(&order)).await.unwrap();
    steps.rollback(&order).await.unwrap();
    steps.release(&order.grant.rollout).await;
    steps.rollback(&order).await.unwrap();
    assert_eq!(host.versions(), both("1"));
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

#[tokio::test]
async fn a_release_keeps_what_is_installed_and_what_was_before_it() {
    let lab = Lab::new();
    lab.install(&[Deb::new("tool", "1")]);
    let versions = ["1", "2", "3"].map(|version| lab.publish(Deb::new("tool", version)));
    let steps = steps(&lab);
    let orders = ["2", "3"].map(|version| {
        let locked = versions
            .iter()
            .find(|package| package.version == version)
            .unwrap();
        order(
            &format!("r{version}"),
            packages(std::slice::from_ref(locked)),
        )
    });
    for order in &orders {
        steps.stage(&request(order)).await.unwrap();
        steps.apply(order).await.unwrap();
        steps.release(&order.grant.rollout).await;
    }
    let kept = steps.keep.debs().unwrap();
    let mut expected = vec![versions[1].sha256, versions[2].sha256];
    expected.sort();
    assert_eq!(kept, expected);
    let first = steps.records.before(&rollout("r2")).unwrap().unwrap();
    assert_eq!(first.phase, Phase::Superseded);
    // A late wish to undo the first changes nothing; the second goes back to the first.
    steps.rollback(&orders[0]).await.unwrap();
    assert_eq!(lab.installed_file("tool").as_deref(), Some("3"));
    steps.rollback(&orders[1]).await.unwrap();
    assert_eq!(lab.installed_file("tool").as_deref(), Some("2"));
}

#[tokio::test]
async fn a_simulation_locks_the_closure_and_what_is_there_already() {
    let host = Tool::new();
    let steps = steps(&host.lab);
    let wish = |version: &str| {
        BTreeMap::from([("tool".to_owned(), VersionWish::from(version.to_owned()))])
    };
    let simulated = steps.simulate(&wish("latest")).await.unwrap();
    let locked: Vec<LockedPackage> = simulated.iter().map(|one| one.locked.clone()).collect();
    assert_eq!(locked, host.two);
    assert!(
        simulated
            .iter()
            .all(|one| one.installed.as_deref() == Some("1"))
    );
    let there = steps.simulate(&wish("1")).await.unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!(
        (&*there[0].locked.version, there[0].installed.as_deref()),
        ("1", Some("1"))
    );
    let failure = steps.simulate(&wish("9")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
}

#[tokio::test]
async fn facts_name_the_platform_and_the_packages() {
    let host = Tool::new();
    fs::write(
        host.lab.path("root/etc/os-release"),
        "ID=lab\nVERSION_ID=7\n",
    )
    .unwrap();
    let (facts, set) = steps(&host.lab).facts().await.unwrap();
    assert_eq!(facts.platform.os_release, "lab-7");
    assert!(!facts.platform.architecture.is_empty() && !facts.kernel.is_empty());
    assert_eq!(set.0.get("tool").map(String::as_str), Some("1"));
    assert_eq!(facts.packages, set.digest());
}
