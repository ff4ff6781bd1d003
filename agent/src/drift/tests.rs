//! Drift on a host in a folder, from the seal to the gate and the report.

use super::{
    contents::stamp,
    hang::Progress,
    image,
    keeper::Drift,
    pattern::Pattern,
    report::{Report, Standing},
    seal::{self, SealError},
    settings::{DriftSettings, FirstBoot},
    store::Store,
};
use crate::{
    checks::verdict::{Reading, Verdict},
    guard::places::Places,
    host::{leftover, locks::samples::Locker, root::Root},
    step::admit::Gate,
    telling,
};
use cofferdam_proto::session::{FromAgent, Heard};
use std::{fs, path::PathBuf, process::Command};
use tokio::time::{self, Duration};

mod hang;

/// A host with one package and one file that is watched.
struct Lab {
    folder: tempfile::TempDir,
    root: Root,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path().join("root")).unwrap();
        for path in ["var/lib/dpkg", "var/log/apt", "etc/app"] {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        let lab = Self { folder, root };
        lab.install("1");
        lab.write("etc/app/app.conf", "one");
        lab.write("etc/machine-id", "aaaa\n");
        lab
    }

    fn sealed() -> Self {
        let lab = Self::new();
        lab.seal();
        lab
    }

    fn seal(&self) {
        seal::seal(&self.root, self.settings().files, &Progress::default()).unwrap();
    }

    fn settings(&self) -> DriftSettings {
        DriftSettings {
            boot_evidence: None,
            files: [Pattern::parse("/etc/app").unwrap()].into(),
            first_boot: FirstBoot::Hold,
        }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.root.join(path), text).unwrap();
    }

    /// Has dpkg's database say that a version of `tea` is installed, and its logs by which command.
    fn install(&self, version: &str) {
        let status = format!(
            "Package: tea\nStatus: install ok installed\nArchitecture: all\nVersion: {version}\n"
        );
        self.write("var/lib/dpkg/status", &status);
        let line = format!("2026-11-28 01:00:01 upgrade tea:all 1 {version}\n");
        self.write("var/log/dpkg.log", &line);
        let stanza = "Start-Date: 2026-11-28  01:00:00\nCommandline: apt install tea\nUpgrade: tea:amd64 (1, 2)\n";
        self.write("var/log/apt/history.log", stanza);
    }

    /// A new start of the agent that has looked once.
    async fn agent(&self) -> Drift {
        self.agent_told(&self.settings()).await
    }

    async fn agent_told(&self, settings: &DriftSettings) -> Drift {
        let drift = Drift::new(self.root.clone(), &self.state(), settings);
        drift.start().await;
        drift
    }

    async fn judged(&self) -> Reading {
        self.agent().await.judge()
    }

    fn report(&self) -> Report {
        Store::new(&self.state()).report().unwrap().unwrap()
    }
}

const TEA: &str = "tea:all 1 -> 2, by `apt install tea` at 2026-11-28 01:00:01";

#[tokio::test]
async fn the_first_boot_is_held_by_drift_until_it_is_put_right_and_reboots_change_nothing() {
    let lab = Lab::sealed();
    lab.install("2");
    let mut drift = lab.agent().await;
    for _ in 0..3 {
        assert_eq!(drift.judge(), Reading::new("drift", Verdict::Fail, TEA));
        drift = lab.agent().await;
    }
    assert_eq!(lab.report().standing, Standing::Drifted);
    lab.install("1");
    drift.start().await;
    assert_eq!(drift.judge(), Reading::new("drift", Verdict::Pass, ""));
    assert_eq!(lab.report().standing, Standing::Same);
}

#[tokio::test]
async fn a_host_that_was_let_in_once_is_warned_of_and_its_copy_is_another_host() {
    let lab = Lab::sealed();
    lab.agent().await.let_in();
    lab.install("2");
    lab.write("etc/app/new.conf", "");
    let all = format!("{TEA}; /etc/app/new.conf added");
    assert_eq!(
        lab.judged().await,
        Reading::new("drift", Verdict::Pass, &all)
    );
    lab.write("etc/machine-id", "bbbb\n");
    assert_eq!(
        lab.judged().await,
        Reading::new("drift", Verdict::Fail, &all)
    );
}

#[tokio::test]
async fn a_first_boot_waits_for_who_works_on_packages_and_is_compared_after_that() {
    let lab = Lab::sealed();
    let lock = lab.root.join("var/lib/dpkg/lock-frontend");
    let upgrade = Locker::on(&lock);
    let drift = lab.agent().await;
    let waits = drift.judge();
    assert_eq!(waits.verdict, Verdict::NoData);
    assert!(waits.output.contains("is locked by process"), "{waits}");
    lab.install("2");
    drop(upgrade);
    assert_eq!(drift.judge().verdict, Verdict::NoData, "not compared since");
    let host = async {
        while drift.judge().verdict == Verdict::NoData {
            time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(drift.judge(), Reading::new("drift", Verdict::Fail, TEA));
        lab.install("1");
        while drift.judge().verdict != Verdict::Pass {
            time::sleep(Duration::from_millis(10)).await;
        }
        // Somebody who begins later is noticed by who asks.
        let late = Locker::on(&lock);
        assert_eq!(drift.judge().verdict, Verdict::NoData);
        drift.let_in();
        assert_eq!(drift.judge().verdict, Verdict::Pass, "it stays in");
        drop(late);
    };
    tokio::select! {
        biased;
        () = host => {}
        never = drift.watch() => match never {},
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_guard_let_pass_is_looked_at_soon_after_it_has_ended() {
    let lab = Lab::sealed();
    let places = Places::new(&lab.state(), &lab.folder.path().join("run"));
    let passed = places.passed();
    fs::create_dir_all(passed.parent().unwrap()).unwrap();
    let drift = Drift::new(lab.root.clone(), &lab.state(), &lab.settings()).heeding(&places);
    drift.let_in();
    drift.start().await;
    let is_drifted = || lab.report().standing == Standing::Drifted;
    let host = async {
        // The watch begins with a look, which is to find nothing yet.
        time::sleep(Duration::from_secs(1)).await;
        let mut manager = Command::new("sleep").arg("600").spawn().unwrap();
        leftover::write_down(&passed, i32::try_from(manager.id()).unwrap()).unwrap();
        lab.install("2");
        time::sleep(Duration::from_secs(600)).await;
        assert!(!is_drifted(), "it is still at work");
        manager.kill().unwrap();
        manager.wait().unwrap();
        let looked = async {
            while !is_drifted() {
                time::sleep(Duration::from_millis(100)).await;
            }
        };
        time::timeout(Duration::from_secs(60), looked)
            .await
            .unwrap();
    };
    tokio::select! {
        biased;
        () = host => {}
        never = drift.watch() => match never {},
    }
}

#[tokio::test]
async fn a_host_that_was_let_in_before_the_agent_had_looked_counts_as_let_in() {
    let lab = Lab::sealed();
    let drift = Drift::new(lab.root.clone(), &lab.state(), &lab.settings());
    assert_eq!(drift.judge().verdict, Verdict::NoData);
    drift.let_in();
    drift.start().await;
    lab.install("2");
    assert_eq!(lab.judged().await.verdict, Verdict::Pass);
}

#[tokio::test]
async fn a_first_boot_is_let_in_with_a_warning_where_the_policy_says_so() {
    let lab = Lab::sealed();
    lab.install("2");
    let settings = DriftSettings {
        first_boot: FirstBoot::Warn,
        ..lab.settings()
    };
    let judged = lab.agent_told(&settings).await.judge();
    assert_eq!(judged, Reading::new("drift", Verdict::Pass, TEA));
}

#[tokio::test]
async fn a_new_seal_accepts_what_is_there_and_its_next_boot_is_a_first_one() {
    let lab = Lab::sealed();
    let drift = lab.agent().await;
    drift.let_in();
    lab.install("2");
    lab.seal();
    drift.start().await;
    assert_eq!(drift.judge().output, "");
    // That agent saw the new seal on a host in traffic.
    lab.install("3");
    assert_eq!(lab.judged().await.verdict, Verdict::Pass);
    lab.seal();
    lab.install("4");
    assert_eq!(lab.judged().await.verdict, Verdict::Fail);
}

#[tokio::test]
async fn a_host_that_is_not_sealed_is_not_held_and_leaves_nothing_behind() {
    let lab = Lab::new();
    let drift = lab.agent().await;
    assert_eq!(drift.judge(), Reading::new("drift", Verdict::Pass, ""));
    drift.let_in();
    drift.account(async { lab.install("2") }).await;
    assert!(!lab.state().exists());
}

#[tokio::test]
async fn a_host_that_is_not_sealed_any_more_says_so_in_place_of_its_drift() {
    let lab = Lab::sealed();
    lab.install("2");
    let told = async || {
        let (found, mut telling) = telling::channel();
        let drift = Drift::new(lab.root.clone(), &lab.state(), &lab.settings()).telling(found);
        drift.start().await;
        telling.open(Some(Heard::default()));
        telling.take()
    };
    let [FromAgent::Drift(drift)] = &told().await[..] else {
        panic!("drift is told");
    };
    assert_eq!(drift.changes(), 1);
    fs::remove_file(lab.root.join(image::PATH)).unwrap();
    // Also by an agent that starts later.
    for _ in 0..2 {
        let [FromAgent::Drift(none)] = &told().await[..] else {
            panic!("it is told");
        };
        assert!(none.is_unknown() && none.at != drift.at, "{none:?}");
    }
}

#[tokio::test]
async fn a_seal_that_cannot_be_used_holds_a_first_boot_and_warns_of_a_later_one() {
    let lab = Lab::sealed();
    let path = lab.root.join(image::PATH);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, "{").unwrap();
    let judged = lab.judged().await;
    assert_eq!(judged.verdict, Verdict::NoData);
    assert!(judged.output.contains("image.json is garbled"), "{judged}");
    fs::write(&path, whole).unwrap();
    lab.agent().await.let_in();
    fs::remove_file(lab.root.join("var/lib/dpkg/status")).unwrap();
    let judged = lab.judged().await;
    assert_eq!(judged.verdict, Verdict::Pass);
    assert!(judged.output.contains("there is no "), "{judged}");
}

#[tokio::test]
async fn what_an_order_changes_is_no_drift_and_what_had_drifted_before_stays_drift() {
    let lab = Lab::sealed();
    let drift = lab.agent().await;
    lab.write("etc/app/app.conf", "drifted");
    let change = async {
        lab.install("2");
        // While it goes on nothing is compared.
        drift.start().await;
    };
    drift.account(change).await;
    let left = "/etc/app/app.conf other content";
    assert_eq!(drift.judge().output, left);
    assert_eq!(lab.judged().await.output, left);
    lab.install("1");
    let judged = lab.judged().await;
    assert!(judged.output.starts_with("tea:all 2 -> 1"), "{judged}");
}

#[tokio::test]
async fn a_change_that_was_cut_short_is_accounted_for_by_the_next_look() {
    let lab = Lab::sealed();
    let drift = lab.agent().await;
    let change = drift.account(async {
        lab.install("2");
        std::future::pending::<()>().await;
    });
    let cut = time::timeout(Duration::from_millis(300), change).await;
    assert!(cut.is_err());
    let next = lab.agent().await;
    assert_eq!(next.judge().output, "");
    // And what comes after it is drift again.
    lab.install("3");
    next.start().await;
    assert!(next.judge().output.starts_with("tea:all 2 -> 3"));
}

#[tokio::test]
async fn records_that_are_of_no_use_make_drift_of_what_orders_changed_and_hold_nobody_for_good() {
    let lab = Lab::sealed();
    let drift = lab.agent().await;
    drift.let_in();
    drift.account(async { lab.install("2") }).await;
    for garbled in ["", "{\"version\":1}", "{\"version\":9}"] {
        fs::write(lab.state().join("drift/expected.json"), garbled).unwrap();
        fs::write(lab.state().join("drift/before.json"), garbled).unwrap();
        fs::write(lab.state().join("drift/let-in.json"), garbled).unwrap();
        fs::write(lab.state().join("drift/report.json"), garbled).unwrap();
        let judged = lab.judged().await;
        assert_eq!(judged, Reading::new("drift", Verdict::Pass, TEA));
    }
    lab.seal();
    assert_eq!(lab.judged().await.output, "");
}

#[tokio::test]
async fn a_change_that_cannot_be_accounted_for_is_found_all_the_same() {
    let lab = Lab::sealed();
    let drift = lab.agent().await;
    // Nothing can be written where a folder is in the way.
    fs::create_dir_all(lab.state().join("drift/expected.json/x")).unwrap();
    drift.account(async { lab.install("2") }).await;
    let judged = lab.judged().await;
    assert_eq!(judged.verdict, Verdict::NoData);
    assert!(judged.output.contains("expected.json"), "{judged}");
    fs::remove_dir_all(lab.state().join("drift/expected.json")).unwrap();
    assert_eq!(lab.judged().await.output, "");
}

#[tokio::test]
async fn nothing_is_written_while_nothing_changes() {
    let lab = Lab::sealed();
    let drift = lab.agent().await;
    drift.let_in();
    lab.install("2");
    drift.start().await;
    let stamps = || {
        let entries = fs::read_dir(lab.state().join("drift")).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.push(lab.state().join("drift"));
        paths.sort();
        paths
            .into_iter()
            .map(|path| (stamp(&path), path))
            .collect::<Vec<_>>()
    };
    let before = stamps();
    for _ in 0..3 {
        drift.start().await;
        lab.agent().await.let_in();
        // The same content under another status.
        lab.install("2");
    }
    assert_eq!(stamps(), before);
}

#[test]
fn what_cannot_be_sealed_is_said_and_changes_nothing() {
    let lab = Lab::sealed();
    let before = fs::read(lab.root.join(image::PATH)).unwrap();
    let status = lab.root.join("var/lib/dpkg/status");
    let text = fs::read_to_string(&status).unwrap();
    let half = text.replace("ok installed", "ok half-installed");
    fs::write(&status, half).unwrap();
    let files = lab.settings().files;
    let error = seal::seal(&lab.root, files.clone(), &Progress::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("not fully installed are tea:all"),
        "{error}"
    );
    fs::remove_file(&status).unwrap();
    let error = seal::seal(&lab.root, files.clone(), &Progress::default()).unwrap_err();
    assert!(matches!(error, SealError::Installed(_)), "{error}");
    let nowhere = Root::new(lab.folder.path().join("nowhere")).unwrap();
    let error = seal::seal(&nowhere, files.clone(), &Progress::default()).unwrap_err();
    assert!(error.to_string().ends_with("nowhere to seal"), "{error}");
    assert_eq!(fs::read(lab.root.join(image::PATH)).unwrap(), before);
    let nothing = [
        Pattern::parse("/etc/none").unwrap(),
        Pattern::parse("/etc/app").unwrap(),
    ];
    let nothing = nothing.into();
    let empty = seal::empty_patterns(&lab.root, &nothing, &Progress::default()).unwrap();
    assert_eq!(
        empty.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["/etc/none"]
    );
}
