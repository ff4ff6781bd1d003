//! Records: what they keep, and for how long.

use super::*;
use crate::step::record::{OldPackage, PackageWas};

fn rollout(name: &str) -> RolloutId {
    RolloutId::new(name).unwrap()
}

fn package(number: u64, name: &str, old: &str) -> Before {
    Before {
        number,
        lock_digest: Digest::of("lock"),
        phase: Phase::Begun,
        exceptions: Vec::new(),
        was: Was::Packages {
            packages: vec![PackageWas {
                conffiles: Vec::new(),
                name: name.to_owned(),
                new_version: "new".to_owned(),
                old: Some(OldPackage {
                    version: old.to_owned(),
                    sha256: Some(Digest::of(old)),
                    automatic: true,
                    on_hold: false,
                }),
            }],
        },
    }
}

#[test]
fn a_record_reads_back_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::new(folder.path());
    let before = package(1, "tool", "1");
    assert_eq!(records.before(&rollout("r1")).unwrap(), None);
    records.save_before(&rollout("r1"), &before).unwrap();
    assert_eq!(records.before(&rollout("r1")).unwrap(), Some(before));
}

/// Written by the first version of the agent; every later one must read it.
const FIRST: &str = r#"{"version":1,"number":1,
    "lock_digest":"0000000000000000000000000000000000000000000000000000000000000000",
    "phase":"begun","was":{"kind":"config","path":"/etc/a",
    "new":"1111111111111111111111111111111111111111111111111111111111111111",
    "old":{"sha256":"2222222222222222222222222222222222222222222222222222222222222222",
    "mode":420,"uid":0,"gid":0},"reload":"a.service"}}"#;

#[test]
fn records_of_the_first_format_are_read_and_others_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollouts/r1/before.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let records = Records::new(folder.path());
    fs::write(&path, FIRST).unwrap();
    assert!(matches!(
        records.before(&rollout("r1")).unwrap().unwrap().was,
        Was::Config(_)
    ));
    fs::write(&path, FIRST.replace("begun", "superseded")).unwrap();
    let superseded = records.before(&rollout("r1")).unwrap().unwrap();
    assert_eq!(superseded.phase, Phase::Begun);
    for (text, says) in [
        (FIRST.replacen('1', "2", 1), "has format 2"),
        (FIRST.replace("begun", "x"), "is damaged"),
        ("{".to_owned(), "is damaged"),
    ] {
        fs::write(&path, text).unwrap();
        let error = records.before(&rollout("r1")).unwrap_err().to_string();
        assert!(
            error.contains("r1/before.json") && error.contains(says),
            "{error}"
        );
    }
}

/// Records of as many changes of one package as have names, each numbered one above the last.
fn chain(records: &Records, names: &[&str]) {
    for (number, name) in (1..).zip(names) {
        assert_eq!(records.next_number().unwrap(), number);
        records
            .save_before(&rollout(name), &package(number, "tool", name))
            .unwrap();
    }
}

#[test]
fn the_newest_ways_back_are_needed_and_older_ones_go() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::new(folder.path());
    chain(&records, &["r1", "r2", "r3", "r4"]);
    let other = package(5, "other", "o");
    records.save_before(&rollout("o"), &other).unwrap();
    let needed = |names: &[&str]| {
        let needed: BTreeSet<Digest> = names.iter().map(Digest::of).collect();
        assert_eq!(records.needed_bits().unwrap(), needed);
    };
    needed(&["r2", "r3", "r4", "o"]);
    records.release(&rollout("r4")).unwrap();
    needed(&["r2", "r3", "r4", "o"]);
    let undone = Before {
        phase: Phase::Undone,
        ..records.before(&rollout("r4")).unwrap().unwrap()
    };
    records.save_before(&rollout("r4"), &undone).unwrap();
    needed(&["r1", "r2", "r3", "o"]);
}

#[test]
fn what_changed_the_same_later_is_told_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::new(folder.path());
    chain(&records, &["b", "c", "a"]);
    let other = package(4, "other", "o");
    records.save_before(&rollout("o"), &other).unwrap();
    let later = |name: &str| {
        let before = records.before(&rollout(name)).unwrap().unwrap();
        let later = records.later_than(&before).unwrap();
        let names = later.into_iter().map(|(name, _)| name.to_string());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        ["b", "c", "a", "o"].map(later),
        ["c a", "a", "", ""].map(str::to_owned)
    );
}

#[test]
fn what_is_staged_is_needed_until_it_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::new(folder.path());
    let staged = Staged {
        lock_digest: Digest::of("lock"),
        bits: BTreeSet::from([Digest::of("a")]),
    };
    records.save_staged(&rollout("r1"), &staged).unwrap();
    assert_eq!(records.needed_bits().unwrap(), staged.bits);
    records.release(&rollout("r1")).unwrap();
    assert!(records.needed_bits().unwrap().is_empty());
    let nothing = records.before(&rollout("r1")).unwrap().unwrap();
    assert_eq!((nothing.phase, nothing.was), (Phase::Undone, Was::Noop));
}
