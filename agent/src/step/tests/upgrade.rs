//! Upgrades: only what is installed, only what is marked, and what that needs.

use super::*;
use crate::packages::lab::Deb;
use cofferdam_engine::wish::Wish;
use std::collections::BTreeMap;

fn names(simulated: &[SimulatedPackage]) -> Vec<&str> {
    simulated.iter().map(|one| &*one.locked.name).collect()
}

fn fixes(source: &str, version: &str) -> Wish {
    Wish::Fixes(BTreeMap::from([(source.to_owned(), version.to_owned())]))
}

/// A host with `curl` and `tool`; both repositories have newer ones.
fn pending() -> Lab {
    let lab = Lab::new();
    lab.install(&[Deb::new("curl", "7"), Deb::new("tool", "1")]);
    for deb in [
        Deb::new("curl", "7"),
        Deb::new("tool", "1"),
        Deb::new("tool", "2"),
    ] {
        lab.publish(deb);
    }
    lab
}

#[tokio::test]
async fn of_all_that_is_pending_security_updates_alone_are_taken() {
    let lab = pending();
    let fixed = lab.publish_fix(Deb::new("curl", "8"));
    lab.publish_fix(Deb::new("elsewhere", "1"));
    let simulated = steps(&lab).simulate(&Wish::Security).await.unwrap();
    assert_eq!(simulated.len(), 1, "{simulated:?}");
    assert_eq!(simulated[0].locked, fixed);
    assert_eq!(simulated[0].installed.as_deref(), Some("7"));
    assert!(simulated[0].needed_by.is_empty());
}

#[tokio::test]
async fn a_host_that_needs_no_security_update_says_so() {
    let lab = pending();
    let simulated = steps(&lab).simulate(&Wish::Security).await.unwrap();
    assert_eq!(simulated, []);
}

#[tokio::test]
async fn what_an_upgrade_newly_needs_comes_with_the_name_of_what_needs_it() {
    let lab = pending();
    lab.publish_fix(Deb::new("curl", "8").with("Depends: curl-lib\nRecommends: extra\n"));
    lab.publish_fix(Deb::new("curl-lib-1", "1").with("Provides: curl-lib\nDepends: base\n"));
    lab.publish(Deb::new("base", "1"));
    lab.publish(Deb::new("extra", "1"));
    let mut simulated = steps(&lab).simulate(&Wish::Security).await.unwrap();
    simulated.sort_by(|a, b| a.locked.name.cmp(&b.locked.name));
    assert_eq!(names(&simulated), ["base", "curl", "curl-lib-1"]);
    assert_eq!(simulated[0].needed_by, ["curl-lib-1"]);
    assert_eq!(simulated[2].needed_by, ["curl"]);
}

#[tokio::test]
async fn an_upgrade_changes_what_is_installed_and_nothing_else_and_goes_back() {
    let lab = pending();
    let curl = lab.publish_fix(Deb::new("curl", "8"));
    let other = lab.publish_fix(Deb::new("elsewhere", "1"));
    let content = Content::Packages {
        packages: vec![curl, other],
        reach: Reach::Upgrade {
            needed_by: BTreeMap::new(),
        },
    };
    let order = order("r1", content);
    let steps = steps(&lab);
    steps.stage(&request(&order)).await.unwrap();
    for _ in 0..2 {
        steps.apply(&order).await.unwrap();
        assert_eq!(lab.installed_file("curl").as_deref(), Some("8"));
        assert_eq!(lab.installed_file("elsewhere"), None);
        steps.rollback(&order).await.unwrap();
        assert_eq!(lab.installed_file("curl").as_deref(), Some("7"));
    }
}

#[tokio::test]
async fn a_host_that_is_ahead_or_lacks_it_all_is_left_alone() {
    let lab = Lab::new();
    lab.install(&[Deb::new("curl", "9")]);
    let content = Content::Packages {
        packages: vec![lab.publish(Deb::new("curl", "8"))],
        reach: Reach::Upgrade {
            needed_by: BTreeMap::new(),
        },
    };
    let order = order("r1", content);
    steps(&lab).stage(&request(&order)).await.unwrap();
    steps(&lab).apply(&order).await.unwrap();
    assert_eq!(lab.installed_file("curl").as_deref(), Some("9"));
}

#[tokio::test]
async fn an_advisory_takes_the_packages_of_its_source_that_are_older() {
    let lab = Lab::new();
    let of_ssl = "Source: ssl\n";
    lab.install(&[
        Deb::new("libssl", "1").with(of_ssl),
        Deb::new("ssl-tool", "1").with(of_ssl),
        Deb::new("ssl-doc", "9").with(of_ssl),
        Deb::new("curl", "1"),
    ]);
    for name in ["libssl", "ssl-tool", "ssl-new"] {
        lab.publish(Deb::new(name, "1:2").with("Source: ssl (2)\n"));
    }
    lab.publish(Deb::new("curl", "2"));
    let steps = steps(&lab);
    let mut simulated = steps.simulate(&fixes("ssl", "2")).await.unwrap();
    simulated.sort_by(|a, b| a.locked.name.cmp(&b.locked.name));
    assert_eq!(names(&simulated), ["libssl", "ssl-tool"]);
    assert_eq!(steps.simulate(&fixes("ssl", "1")).await.unwrap(), []);
    assert_eq!(steps.simulate(&fixes("absent", "1")).await.unwrap(), []);
}

#[tokio::test]
async fn a_fix_that_no_repository_has_is_not_found_and_says_what_there_is() {
    let lab = pending();
    let steps = steps(&lab);
    for (source, says) in [
        ("tool", "have 2 of source 2"),
        ("curl", "have no newer version"),
    ] {
        let failure = steps.simulate(&fixes(source, "3:1")).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
        assert!(failure.detail.contains(says), "{failure}");
    }
}
