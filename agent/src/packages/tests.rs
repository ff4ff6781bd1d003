//! The real apt and dpkg in a private root.

use super::{
    archive::{Download, Exactly},
    lab::{Deb, Lab},
    transaction::{Again, Change, Conditions},
    *,
};
use crate::host::{locks::samples::Locker, process_table};
use cofferdam_engine::{
    package::{PackageFormat, compare_versions},
    patch::VersionWish,
};
use std::{collections::BTreeMap, num::NonZeroU32};

const LOCK_LIMIT: Duration = Duration::from_millis(50);

fn exactly<'a>(name: &'a str, version: &'a str) -> Exactly<'a> {
    Exactly { name, version }
}

/// Fetches packages into a folder.
async fn fetched(lab: &Lab, wanted: &[Exactly<'_>]) -> Vec<PathBuf> {
    let folder = tempfile::tempdir_in(lab.path("")).unwrap().keep();
    let transcript = lab.path("transcript.log");
    let download = Download {
        folder: &folder,
        transcript: &transcript,
        rate: NonZeroU32::new(1 << 20),
    };
    lab.apt().fetch(wanted, download).await.unwrap();
    archive::files_in(&folder, PackageFormat::Deb).unwrap()
}

fn within(transcript: &Path) -> Conditions<'_> {
    Conditions {
        deadline: Duration::from_secs(60),
        script_deadline: Duration::from_millis(300),
        transcript,
    }
}

async fn change(lab: &Lab, change: &Change) -> Result<(), Failure> {
    let transcript = lab.path("transcript.log");
    let on = within(&transcript);
    lab.apt().change(change, on).await
}

fn install(debs: Vec<PathBuf>) -> Change {
    Change {
        install: debs,
        remove: Vec::new(),
    }
}

#[tokio::test]
async fn packages_go_up_down_and_away() {
    let lab = Lab::new();
    for version in ["1", "2"] {
        let fields = format!("Depends: data (= {version})\n");
        lab.publish(Deb::new("tool", version).with(&fields));
        lab.publish(Deb::new("data", version));
    }
    let apt = lab.apt();
    apt.update(Instant::now(), LOCK_LIMIT).await.unwrap();
    for version in ["1", "2", "1"] {
        let debs = fetched(&lab, &[exactly("tool", version), exactly("data", version)]).await;
        change(&lab, &install(debs)).await.unwrap();
        assert_eq!(apt.database().await.unwrap().version("tool"), Some(version));
        assert_eq!(lab.installed_file("data").as_deref(), Some(version));
    }
    let away = Change {
        install: Vec::new(),
        remove: vec!["tool".to_owned(), "data".to_owned()],
    };
    change(&lab, &away).await.unwrap();
    assert_eq!(apt.database().await.unwrap(), Database::default());
}

#[tokio::test]
async fn the_way_back_is_simulated_from_where_a_change_leads() {
    let lab = Lab::new();
    lab.install(&[Deb::new("tool", "1")]);
    lab.publish(Deb::new("tool", "1"));
    lab.publish(Deb::new("tool", "2").with("Depends: data\n"));
    lab.publish(Deb::new("data", "1"));
    lab.publish(Deb::new("tool", "0").with("Depends: ghost\n"));
    let apt = lab.apt();
    apt.update(Instant::now(), LOCK_LIMIT).await.unwrap();
    let forward = fetched(&lab, &[exactly("tool", "2"), exactly("data", "1")]).await;
    let back = Change {
        install: fetched(&lab, &[exactly("tool", "1")]).await,
        remove: vec!["data".to_owned()],
    };
    let folder = lab.path("thought");
    let plan = apt.rehearse_after(&forward, &back, &folder).await.unwrap();
    let install = &plan.installs[0];
    let step = (install.installed.as_deref(), install.version.as_str());
    assert_eq!((plan.installs.len(), step), (1, (Some("2"), "1")));
    assert_eq!(plan.removals, ["data"]);
    assert_eq!(lab.installed_file("tool").as_deref(), Some("1"));
    let astray = Change {
        install: fetched(&lab, &[exactly("tool", "0")]).await,
        ..back
    };
    let failure = apt.rehearse_after(&forward, &astray, &folder).await;
    let failure = failure.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Dependency, "{failure}");
    assert!(failure.detail.contains("ghost"), "{failure}");
}

#[tokio::test]
async fn dpkg_alone_can_go_back() {
    let lab = Lab::new();
    lab.install(&[Deb::new("tool", "2"), Deb::new("new", "1")]);
    lab.publish(Deb::new("tool", "1"));
    let apt = lab.apt();
    apt.update(Instant::now(), LOCK_LIMIT).await.unwrap();
    let back = Change {
        install: fetched(&lab, &[exactly("tool", "1")]).await,
        remove: vec!["new".to_owned()],
    };
    let transcript = lab.path("transcript.log");
    let on = within(&transcript);
    apt.force(&back, on).await.unwrap();
    let database = apt.database().await.unwrap();
    assert_eq!(
        (database.version("tool"), database.version("new")),
        (Some("1"), None)
    );
}

#[tokio::test]
async fn a_simulation_brings_the_closure_with_hashes() {
    let lab = Lab::new();
    lab.install(&[Deb::new("data", "1")]);
    lab.publish(Deb::new("tool", "2").with("Depends: data (= 2)\n"));
    let locked = lab.publish(Deb::new("data", "2"));
    let apt = lab.apt();
    apt.update(Instant::now(), LOCK_LIMIT).await.unwrap();
    let wish = BTreeMap::from([("tool".to_owned(), VersionWish::Latest)]);
    let simulation = apt.simulate(&wish).await.unwrap();
    let installs: Vec<_> = simulation
        .installs
        .iter()
        .map(|i| (&*i.name, i.installed.as_deref()))
        .collect();
    assert!(installs.contains(&("tool", None)) && installs.contains(&("data", Some("1"))));
    let wanted = [
        exactly("data", "3"),
        exactly("data", "2"),
        exactly("nosuch", "1"),
    ];
    assert_eq!(
        apt.locked(&wanted).await.unwrap(),
        [None, Some(locked), None]
    );
}

#[tokio::test]
async fn what_no_repository_has_is_named() {
    let lab = Lab::new();
    lab.publish(Deb::new("tool", "1"));
    let apt = lab.apt();
    apt.update(Instant::now(), LOCK_LIMIT).await.unwrap();
    for (name, version) in [("nosuch", "latest"), ("tool", "9")] {
        let wish = VersionWish::from(version.to_owned());
        let wishes = BTreeMap::from([(name.to_owned(), wish)]);
        let failure = apt.simulate(&wishes).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotFound);
        assert!(failure.detail.contains(name), "{failure}");
    }
}

#[tokio::test]
async fn a_repository_that_is_gone_fails_the_update() {
    let lab = Lab::new();
    fs::remove_dir_all(lab.path("repo")).unwrap();
    let failure = lab
        .apt()
        .update(Instant::now(), LOCK_LIMIT)
        .await
        .unwrap_err();
    assert!(failure.detail.contains("repo"), "{failure}");
}

#[tokio::test]
async fn updates_asked_for_meanwhile_are_one() {
    let lab = Lab::new();
    let apt = lab.apt();
    let (first, second, third) = tokio::join!(
        apt.update(Instant::now(), LOCK_LIMIT),
        apt.update(Instant::now(), LOCK_LIMIT),
        apt.update(Instant::now(), LOCK_LIMIT)
    );
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
}

#[tokio::test]
async fn a_change_that_needs_more_than_its_files_is_refused() {
    let lab = Lab::new();
    lab.publish(Deb::new("tool", "1").with("Depends: data\n"));
    lab.publish(Deb::new("data", "1"));
    let apt = lab.apt();
    apt.update(Instant::now(), LOCK_LIMIT).await.unwrap();
    let half = install(fetched(&lab, &[exactly("tool", "1")]).await);
    let failure = apt.rehearse(&half, Again::No).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Dependency);
    assert!(failure.detail.contains("data"), "{failure}");
    assert_eq!(
        change(&lab, &half).await.unwrap_err().kind,
        FailureKind::Dependency
    );
    assert_eq!(apt.database().await.unwrap(), Database::default());
}

#[tokio::test]
async fn a_change_removes_nothing_but_what_it_names() {
    let lab = Lab::new();
    lab.install(&[Deb::new("old", "1")]);
    lab.publish(Deb::new("tool", "1").with("Conflicts: old\n"));
    lab.apt().update(Instant::now(), LOCK_LIMIT).await.unwrap();
    let debs = fetched(&lab, &[exactly("tool", "1")]).await;
    let failure = change(&lab, &install(debs)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Dependency);
    assert!(lab.installed_file("old").is_some());
}

#[tokio::test]
async fn who_holds_the_lock_is_named() {
    let lab = Lab::new();
    let lock = lab.path("root/var/lib/dpkg/lock-frontend");
    let locker = Locker::on(&lock);
    let failure = lab
        .apt()
        .wait_for_locks(&CHANGE_LOCKS, LOCK_LIMIT)
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Locked);
    let holder = format!("process {} (perl)", locker.pid());
    assert!(failure.detail.contains(&holder), "{failure}");
    drop(locker);
    lab.apt()
        .wait_for_locks(&CHANGE_LOCKS, LOCK_LIMIT)
        .await
        .unwrap();
}

#[tokio::test]
async fn marks_and_interruptions_are_put_right() {
    let lab = Lab::new();
    lab.install(&[Deb::new("data", "1")]);
    fs::write(lab.path("root/var/lib/dpkg/updates/0001"), "").unwrap();
    let transcript = lab.path("transcript.log");
    let on = within(&transcript);
    let apt = lab.apt();
    apt.repair(&[], on).await.unwrap();
    assert_eq!(
        fs::read_dir(lab.path("root/var/lib/dpkg/updates"))
            .unwrap()
            .count(),
        0
    );
    assert!(apt.automatic().await.unwrap().is_empty());
    apt.mark_automatic(&["data"], on).await.unwrap();
    assert!(apt.automatic().await.unwrap().contains("data"));
}

#[tokio::test]
async fn a_maintainer_script_that_is_late_is_ended_with_all_that_it_started() {
    let lab = Lab::new();
    lab.run_scripts_without_chroot();
    let left = lab.path("left");
    // One that no longer belongs to the script's group, nor to its children.
    let script = format!(
        "setsid sh -c 'echo $$ >{}; sleep 600' & sleep 600",
        left.display()
    );
    lab.publish(Deb::new("slow", "1").with_postinst(&script));
    lab.apt().update(Instant::now(), LOCK_LIMIT).await.unwrap();
    let debs = fetched(&lab, &[exactly("slow", "1")]).await;
    let failure = change(&lab, &install(debs)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::MaintainerScript, "{failure}");
    let named = "the postinst of slow ran longer than 0.3 s";
    assert!(failure.detail.starts_with(named), "{failure}");
    let pid = fs::read_to_string(left).unwrap().trim().parse().unwrap();
    let left = process_table::find(pid).filter(|entry| !entry.is_zombie);
    assert_eq!(left, None);
}

#[tokio::test]
async fn a_change_that_an_earlier_agent_began_is_waited_for() {
    let lab = Lab::new();
    let mut earlier = std::process::Command::new("sleep")
        .arg("600")
        .spawn()
        .unwrap();
    let pid = i32::try_from(earlier.id()).unwrap();
    let apt = lab.apt();
    leftover::write_down(&apt.running, pid).unwrap();
    let failure = apt
        .wait_for_locks(&CHANGE_LOCKS, LOCK_LIMIT)
        .await
        .unwrap_err();
    assert!(failure.detail.contains("(sleep)"), "{failure}");
    earlier.kill().unwrap();
    earlier.wait().unwrap();
    apt.wait_for_locks(&CHANGE_LOCKS, LOCK_LIMIT).await.unwrap();
}

#[tokio::test]
async fn a_damaged_package_file_is_no_package() {
    let lab = Lab::new();
    let file = lab.path("bad.deb");
    fs::write(&file, b"!<arch>\ngarbage").unwrap();
    let failure = lab.apt().label(&file).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::PackageManager);
}

#[test]
fn versions_are_compared_as_dpkg_does() {
    let versions = [
        "1.0~~",
        "1.0~rc1-1",
        "1.0",
        "1.0-1~deb12u1",
        "1.0-1",
        "1.0-1+b1",
        "1.0-10",
        "1.0a-1",
        "1.0+dfsg-1",
        "1.0.1",
        "1.10-1-1",
        "1:0.1",
        "0:1.0-0",
        "1.00",
    ];
    for a in versions {
        for b in versions {
            let dpkg_says = |relation: &str| {
                let arguments = ["--compare-versions", a, relation, b];
                let status = std::process::Command::new("dpkg").args(arguments).status();
                status.unwrap().success()
            };
            let order = compare_versions(a, b);
            assert_eq!(order.is_lt(), dpkg_says("lt"), "{a} {b}");
            assert_eq!(order.is_eq(), dpkg_says("eq"), "{a} {b}");
        }
    }
}
