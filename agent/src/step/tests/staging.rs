//! Packages are staged whole and with their way back, or not at all.

use super::{
    tool::{Tool, both},
    *,
};
use crate::{host::space::scripted::Scripted as ScriptedSpace, packages::lab::Deb};
use std::path::Path;

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
async fn a_full_disk_is_said_before_anything_is_changed() {
    for full in ["root", "state/keep", "root/var/lib/dpkg"] {
        let host = Tool::new();
        let path = host.lab.path(full);
        let left = move |asked: &Path| if asked == path { 1000 } else { u64::MAX };
        let space = Rc::new(ScriptedSpace(left));
        let steps = steps_with(host.lab.settings(), space, scripted::Scripted::default());
        let failure = steps.apply(&host.order()).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::DiskFull, "{failure}");
        assert!(failure.detail.contains(full), "{failure}");
        assert_eq!(host.versions(), both("1"));
        assert_eq!(steps.records.before(&rollout("r2")).unwrap(), None);
    }
}

#[tokio::test]
async fn a_disk_that_filled_since_staging_is_said_before_anything_is_changed() {
    let host = Tool::new();
    let order = host.order();
    steps(&host.lab).stage(&request(&order)).await.unwrap();
    let space = Rc::new(ScriptedSpace(|_: &Path| 1000));
    let steps = steps_with(host.lab.settings(), space, scripted::Scripted::default());
    let failure = steps.apply(&order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::DiskFull, "{failure}");
    assert!(failure.detail.contains("1000 bytes left"), "{failure}");
    assert_eq!(steps.records.before(&rollout("r2")).unwrap(), None);
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
            "Package: other\nStatus: install reinstreq half-installed",
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
async fn a_host_that_would_lose_a_package_is_refused() {
    let lab = Lab::new();
    lab.install(&[Deb::new("old", "1")]);
    let tool = lab.publish(Deb::new("tool", "1").with("Conflicts: old\n"));
    let order = order("r1", packages(&[tool]));
    let failure = steps(&lab).stage(&request(&order)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Dependency, "{failure}");
    assert!(failure.detail.contains("old (removed)"), "{failure}");
}

#[tokio::test]
async fn a_rollout_that_was_amended_is_staged_again() {
    let host = Tool::new();
    let steps = steps(&host.lab);
    let mut order = host.order();
    steps.stage(&request(&order)).await.unwrap();
    let fresh = host.lab.publish(Deb::new("fresh", "1"));
    order.content = packages(&[host.two.clone(), vec![fresh.clone()]].concat());
    order.grant.lock_digest = Digest::of("amended");
    steps.stage(&request(&order)).await.unwrap();
    assert!(steps.keep.package(fresh.sha256).exists());
}

#[tokio::test]
async fn host_and_rollout_may_each_bound_what_is_fetched_and_the_slower_counts() {
    let lab = Lab::new();
    for (host, rollout, counts) in [
        (0, 0, None),
        (512, 0, Some(512)),
        (0, 512, Some(512)),
        (512, 256, Some(256)),
        (128, 256, Some(128)),
    ] {
        let mut settings = lab.settings();
        settings.download_rate_kib = NonZeroU32::new(host);
        let store = scripted::Scripted::default();
        let steps = steps_with(settings, Rc::new(space::Kernel), store);
        let mut request = request(&order("c1", Content::Noop));
        request.rate_kib = NonZeroU32::new(rollout);
        assert_eq!(steps.rate_of(&request).map(NonZeroU32::get), counts);
    }
}
