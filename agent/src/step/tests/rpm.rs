//! The same steps on a host with rpm, with the real dnf and rpm.

use super::*;
use crate::{
    host::locks::samples::Locker,
    packages::dnf::lab::{Rpm, RpmLab},
    step::transaction::conditions,
};
use cofferdam_engine::patch::{ConffilePolicies, ConffilePolicy, VersionWish};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A host with `tool` and its `data` at 1, and a repository in which 2 of both needs `fresh`, which needs
/// them in turn.
struct Tool {
    lab: RpmLab,
    /// What 2 comes to, in order of names.
    two: Vec<LockedPackage>,
}

const ONE: &str = "Requires: data = 1\n";
const TWO: &str = "Requires: data = 2\nRequires: fresh\n";

impl Tool {
    fn new() -> Option<Self> {
        let lab = RpmLab::new()?;
        let (tool, data) = (Rpm::new("tool", "1").with(ONE), Rpm::new("data", "1"));
        lab.install(&[tool, data]);
        lab.publish(tool);
        lab.publish(data);
        let two = vec![
            lab.publish(Rpm::new("data", "2")),
            lab.publish(Rpm::new("fresh", "1").with("Requires: tool = 2\n")),
            lab.publish(Rpm::new("tool", "2").with(TWO)),
        ];
        Some(Self { lab, two })
    }

    fn steps(&self) -> Steps {
        rpm_steps(&self.lab)
    }

    fn order(&self) -> Order {
        order("r2", packages(&self.two))
    }

    /// What rpm says is installed, in order of names.
    fn installed(&self) -> Vec<String> {
        installed(&self.lab)
    }
}

const ALL_OLD: [&str; 2] = ["data-1-1", "tool-1-1"];
const ALL_NEW: [&str; 3] = ["data-2-1", "fresh-1-1", "tool-2-1"];

fn rpm_steps(lab: &RpmLab) -> Steps {
    steps_with(
        lab.settings(),
        Rc::new(space::Kernel),
        scripted::Scripted::default(),
    )
}

fn installed(lab: &RpmLab) -> Vec<String> {
    let answer = lab.ask(&["-qa", "--qf", "%{NAME}-%{VERSION}-%{RELEASE}\n"]);
    let mut all: Vec<String> = answer.lines().map(str::to_owned).collect();
    all.sort();
    all
}

fn wish(name: &str, version: &str) -> Wish {
    let version = VersionWish::from(version.to_owned());
    Wish::Packages(BTreeMap::from([(name.to_owned(), version)]))
}

#[tokio::test]
async fn a_patch_goes_on_and_off_as_often_as_asked_though_its_archive_is_gone() {
    let Some(host) = Tool::new() else { return };
    let order = host.order();
    host.steps().stage(&request(&order)).await.unwrap();
    assert_eq!(host.installed(), ALL_OLD);
    fs::remove_dir_all(host.lab.path("repo")).unwrap();
    for _ in 0..2 {
        for _ in 0..2 {
            assert!(!host.steps().apply(&order).await.unwrap().needs_reboot);
            assert_eq!(host.installed(), ALL_NEW);
            assert_eq!(host.lab.installed_file("tool").as_deref(), Some("2"));
        }
        for _ in 0..2 {
            host.steps().rollback(&order).await.unwrap();
            assert_eq!(host.installed(), ALL_OLD);
            assert_eq!(host.lab.installed_file("fresh"), None);
        }
    }
}

#[tokio::test]
async fn a_simulation_locks_the_closure_and_what_is_there_already() {
    let Some(host) = Tool::new() else { return };
    let steps = host.steps();
    let simulated = steps.simulate(&wish("tool", "latest")).await.unwrap();
    let locked: Vec<LockedPackage> = simulated.iter().map(|one| one.locked.clone()).collect();
    assert_eq!(locked, host.two);
    let before: Vec<_> = simulated
        .iter()
        .map(|one| one.installed.as_deref())
        .collect();
    assert_eq!(before, [Some("1-1"), None, Some("1-1")]);
    let there = steps.simulate(&wish("tool", "1-1")).await.unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!(there[0].installed.as_deref(), Some("1-1"));
    let failure = steps.simulate(&wish("tool", "9-1")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
    let (facts, known) = steps.facts().await.unwrap();
    assert_eq!(facts.platform.os_release, "rocky-9.4");
    assert_eq!(known.0["tool"], "1-1");
    assert_eq!(host.installed(), ALL_OLD);
}

#[tokio::test]
async fn who_holds_the_lock_is_named_and_nothing_is_changed() {
    let Some(host) = Tool::new() else { return };
    let order = host.order();
    let steps = host.steps();
    steps.stage(&request(&order)).await.unwrap();
    let book = steps.manager.book().await.unwrap();
    let locker = Locker::on(&book.with_file_name(".rpm.lock"));
    let failure = steps.apply(&order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Locked, "{failure}");
    assert!(failure.detail.contains("(perl)"), "{failure}");
    drop(locker);
    let dnf = host.lab.path("root/var/lib/dnf/rpmdb_lock.pid");
    fs::create_dir_all(dnf.parent().unwrap()).unwrap();
    fs::write(&dnf, std::process::id().to_string()).unwrap();
    let failure = steps.apply(&order).await.unwrap_err();
    assert!(failure.detail.contains("rpmdb_lock.pid"), "{failure}");
    assert_eq!(host.installed(), ALL_OLD);
    fs::write(&dnf, "999999999").unwrap();
    steps.apply(&order).await.unwrap();
    assert_eq!(host.installed(), ALL_NEW);
}

#[tokio::test]
async fn what_an_interrupted_rpm_left_twice_is_made_whole_both_ways() {
    let Some(host) = Tool::new() else { return };
    let order = host.order();
    let force = |words: &[&str], rpms: &[Rpm<'_>]| {
        let words = [words, &["--nodeps", "--oldpackage", "--force"]].concat();
        host.lab.rpm_with(&words, rpms);
    };
    host.steps().apply(&order).await.unwrap();
    force(
        &["-U"],
        &[Rpm::new("data", "1"), Rpm::new("tool", "1").with(ONE)],
    );
    force(&["-i"], &[Rpm::new("data", "2")]);
    assert_eq!(host.installed().len(), 4);
    host.steps().apply(&order).await.unwrap();
    assert_eq!(host.installed(), ALL_NEW);
    force(&["-i"], &[Rpm::new("data", "1")]);
    host.steps().rollback(&order).await.unwrap();
    assert_eq!(host.installed(), ALL_OLD);
}

/// What people wrote, and what the package brings with each version.
const OWN: &str = "own";
const CAME: [&str; 2] = ["came 1", "came 2"];

#[tokio::test]
async fn a_config_file_that_people_changed_is_treated_as_the_order_says_however_it_is_marked() {
    use ConffilePolicy::{Fail, Keep, Replace};
    for marked in ["%config", "%config(noreplace)"] {
        let Some(lab) = RpmLab::new() else { return };
        let tea = |version, conffile| Rpm::new("tea", version).with_conffile(marked, conffile);
        lab.install(&[tea("1", CAME[0])]);
        lab.publish(tea("1", CAME[0]));
        let two = lab.publish(tea("2", CAME[1]));
        let conffile = lab.path("root/etc/tea.conf");
        let says = || fs::read_to_string(&conffile).unwrap();
        fs::write(&conffile, OWN).unwrap();
        for (policy, expected) in [(Keep, OWN), (Replace, CAME[1])] {
            let mut order = order(
                &format!("r-{policy:?}"),
                packages(std::slice::from_ref(&two)),
            );
            order.conffiles = ConffilePolicies::from([("tea".to_owned(), policy)]);
            rpm_steps(&lab).apply(&order).await.unwrap();
            assert_eq!(says(), expected, "{marked} {policy:?}");
            rpm_steps(&lab).rollback(&order).await.unwrap();
            assert_eq!(says(), OWN, "{marked} {policy:?}");
            let litter = fs::read_dir(lab.path("root/etc")).unwrap();
            let names = litter.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<String> = names.filter(|name| name.starts_with("tea")).collect();
            names.sort();
            assert_eq!(names, ["tea.conf"], "{marked} {policy:?}");
        }
        let mut order = order("r-fail", packages(&[two]));
        order.conffiles = ConffilePolicies::from([("tea".to_owned(), Fail)]);
        let failure = rpm_steps(&lab).stage(&request(&order)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Conffile, "{failure}");
    }
}

/// A failing script of `tea` 2, and whether the host has 2 then.
async fn fails_by(script: &str) -> (Failure, RpmLab) {
    let lab = RpmLab::new().unwrap();
    lab.install(&[Rpm::new("tea", "1")]);
    lab.publish(Rpm::new("tea", "1"));
    let two = lab.publish(Rpm::new("tea", "2").with_sections(script));
    let order = order("r1", packages(&[two]));
    let steps = rpm_steps(&lab);
    let failure = steps.apply(&order).await.unwrap_err();
    steps.rollback(&order).await.unwrap();
    assert_eq!(installed(&lab), ["tea-1-1"], "{script}");
    (failure, lab)
}

#[tokio::test]
async fn scripts_that_fail_are_told_and_the_host_goes_back() {
    if RpmLab::new().is_none() {
        return;
    }
    // The last is run when 2 goes, and is what keeps it from going.
    for script in [
        "%pre -p <lua>\nerror('no')\n",
        "%post -p <lua>\nerror('no')\n",
        "%post -p <lua>\nerror('no')\n%preun -p <lua>\nerror('no')\n",
    ] {
        let (failure, _) = fails_by(script).await;
        assert_eq!(failure.kind, FailureKind::MaintainerScript, "{failure}");
        assert!(failure.detail.contains("tea-2-1"), "{failure}");
    }
}

#[tokio::test]
async fn a_script_that_hangs_is_ended_at_its_deadline_and_the_host_goes_back() {
    let Some(lab) = RpmLab::new() else { return };
    lab.give_shell();
    lab.install(&[Rpm::new("tea", "1")]);
    lab.publish(Rpm::new("tea", "1"));
    let hangs = Rpm::new("tea", "2").with_sections("%pre\nkill -STOP $$\n");
    let mut order = order("r1", packages(&[lab.publish(hangs)]));
    order.deadlines.script = Duration::from_secs(1);
    let failure = rpm_steps(&lab).apply(&order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::MaintainerScript, "{failure}");
    assert!(failure.detail.contains("ran longer than 1 s"), "{failure}");
    rpm_steps(&lab).rollback(&order).await.unwrap();
    assert_eq!(installed(&lab), ["shell-1-1", "tea-1-1"]);
}

#[tokio::test]
async fn what_keeps_packages_from_coming_has_a_kind_and_changes_nothing() {
    let Some(host) = Tool::new() else { return };
    let lab = &host.lab;
    let here = format!("file://{}", lab.path("repo").display());
    let steps = host.steps();
    let failure = async |name: &str| steps.simulate(&wish(name, "latest")).await.unwrap_err();

    lab.know("http://127.0.0.1:9/", "gpgcheck=0");
    let network = failure("tool").await;
    assert_eq!(network.kind, FailureKind::Network, "{network}");

    lab.know(&here, "gpgcheck=1\ngpgkey=file:///nosuch");
    let unsigned = failure("tool").await;
    assert_eq!(unsigned.kind, FailureKind::Signature, "{unsigned}");

    lab.know(&here, "gpgcheck=0");
    lab.publish(Rpm::new("lacks", "1").with("Requires: nowhere\n"));
    let lacks = failure("lacks").await;
    assert_eq!(lacks.kind, FailureKind::Dependency, "{lacks}");

    lab.publish(Rpm::new("core", "1").with("Provides: installonlypkg(kernel)\n"));
    let kernel = failure("core").await;
    assert_eq!(kernel.kind, FailureKind::Unsupported, "{kernel}");

    // Other bits under the same version than those that are locked.
    let order = host.order();
    lab.publish(Rpm::new("data", "2").with("Vendor: another\n"));
    let other = steps.stage(&request(&order)).await.unwrap_err();
    assert_eq!(other.kind, FailureKind::Signature, "{other}");
    assert_eq!(host.installed(), ALL_OLD);
}

#[tokio::test]
async fn a_patch_that_does_not_fit_the_host_or_has_no_way_back_is_refused_before_it_begins() {
    let Some(host) = Tool::new() else { return };
    let missing = host.lab.path("repo/data-1-1.noarch.rpm");
    let aside = host.lab.path("aside.rpm");
    fs::rename(&missing, &aside).unwrap();
    let order = host.order();
    let failure = host.steps().stage(&request(&order)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    fs::rename(&aside, &missing).unwrap();
    host.steps().stage(&request(&order)).await.unwrap();
    let [data, _, tool] = host.two.clone().try_into().unwrap();
    let alone = super::order("r1", packages(&[data, tool]));
    let failure = host.steps().stage(&request(&alone)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Dependency, "{failure}");
    assert_eq!(host.installed(), ALL_OLD);
}

#[tokio::test]
async fn marks_are_as_they_were_and_what_others_changed_since_is_left_alone() {
    let Some(host) = Tool::new() else { return };
    let steps = host.steps();
    let transcript = host.lab.path("marks.log");
    let order = host.order();
    let on = conditions(&order, &transcript);
    steps.manager.mark_automatic(&["data"], on).await.unwrap();
    let before = steps.manager.automatic().await.unwrap();
    assert_eq!(before, BTreeSet::from(["data".to_owned()]));
    steps.apply(&order).await.unwrap();
    assert_eq!(steps.manager.automatic().await.unwrap(), before);
    host.lab
        .install(&[Rpm::new("fresh", "2").with("Requires: data\n")]);
    steps.rollback(&order).await.unwrap();
    assert_eq!(steps.manager.automatic().await.unwrap(), before);
    assert_eq!(host.installed(), ["data-1-1", "fresh-2-1", "tool-1-1"]);
    let said = fs::read_to_string(steps.transcript(&order.grant.rollout, "rollback")).unwrap();
    assert!(said.contains("fresh is at 2-1 and not at 1-1"), "{said}");
}

#[tokio::test]
async fn security_updates_and_fixes_are_found_and_a_repository_that_tells_of_none_is_no_answer() {
    let Some(host) = Tool::new() else { return };
    let steps = host.steps();
    let silent = steps.simulate(&Wish::Security).await.unwrap_err();
    assert_eq!(silent.kind, FailureKind::Unsupported, "{silent}");
    host.lab.advise("tool", "2");
    let names = |simulated: Vec<SimulatedPackage>| {
        let names = simulated
            .into_iter()
            .map(|one| (one.locked.name, one.needed_by));
        names.collect::<Vec<_>>()
    };
    let expected = [
        ("data".to_owned(), vec![]),
        ("fresh".to_owned(), vec!["tool".to_owned()]),
        ("tool".to_owned(), vec![]),
    ];
    let found = steps.simulate(&Wish::Security).await.unwrap();
    assert_eq!(names(found), expected);
    let fixes = |version: &str| {
        let fix = ("tool".to_owned(), version.to_owned());
        Wish::Fixes(BTreeMap::from([fix]))
    };
    let found = steps.simulate(&fixes("2-1")).await.unwrap();
    assert_eq!(names(found), expected);
    assert_eq!(steps.simulate(&fixes("1-1")).await.unwrap(), []);
    let failure = steps.simulate(&fixes("3-1")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
}

#[tokio::test]
async fn a_host_of_zypper_says_what_it_has_and_is_refused() {
    let Some(host) = Tool::new() else { return };
    let programs = host.lab.path("root/usr/bin");
    fs::create_dir_all(&programs).unwrap();
    fs::write(programs.join("zypper"), "").unwrap();
    let steps = host.steps();
    let (_, known) = steps.facts().await.unwrap();
    assert_eq!(known.0["tool"], "1-1");
    let staged = steps.stage(&request(&host.order())).await.unwrap_err();
    let simulated = steps.simulate(&wish("tool", "latest")).await.unwrap_err();
    for failure in [staged, simulated] {
        assert_eq!(failure.kind, FailureKind::Unsupported, "{failure}");
        assert!(failure.detail.contains("zypper"), "{failure}");
    }
    assert_eq!(host.installed(), ALL_OLD);
}

#[tokio::test]
async fn an_old_package_that_another_host_brought_must_be_the_installed_one() {
    let Some(lab) = RpmLab::new() else { return };
    lab.publish(Rpm::new("tool", "1"));
    let file = lab.path("repo/tool-1-1.noarch.rpm");
    lab.ask(&["-U", &file.to_string_lossy()]);
    let manager = rpm_steps(&lab).manager;
    let tree = lab.path("tree");
    let brought = manager.require_installed_from(&file, "tool", &tree).await;
    assert_eq!(brought, Ok(()));

    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    let damaged = manager.require_installed_from(&file, "tool", &tree).await;
    assert!(damaged.is_err(), "its archive is not that of its header");

    lab.publish(Rpm::new("tool", "1").with_sections("%post\ntrue\n"));
    let other = manager.require_installed_from(&file, "tool", &tree).await;
    assert_eq!(other.unwrap_err().kind, FailureKind::Signature);
}
