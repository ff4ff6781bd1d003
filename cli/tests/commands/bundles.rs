//! Bundles against a coordinator: what it lacks, what it does not know, what it has otherwise.

use crate::{
    coordinator::Script,
    lab::{Lab, rollout},
};
use cofferdam_engine::{
    digest::Digest,
    id::RolloutId,
    lockfile,
    patch::{Files, LockFile, Locked, LockedFile, LockedSource, Patch},
    spec::Spec,
};
use cofferdam_proto::operator::{RolloutEvidence, RolloutState};
use std::fs;

const FILE: &str = "name = \"practice\"\n[patch]\nkind = \"config\"\n\
    path = \"/etc/app.conf\"\nsource = \"app.conf\"\n[select]\nmatch = 'service == \"web\"'\n";

/// A folder with a planned rollout of one file.
fn lab(content: &str, script: Script) -> Lab {
    let lab = Lab::new(script);
    let spec = Spec::parse("app.toml", FILE).unwrap();
    let Patch::Config(config) = spec.patch() else {
        panic!("a config patch is expected");
    };
    let files: Files<LockedSource> = config.files.map(|file| {
        let bits = LockedFile {
            sha256: Digest::of(content),
            size: content.len() as u64,
        };
        LockedSource::named(file, bits, None)
    });
    let lock = LockFile {
        rollout: "practice".to_owned(),
        content: Locked::Config(files),
    };
    fs::write(lab.path("app.toml"), FILE).unwrap();
    fs::write(lab.path("practice.lock"), lockfile::format(&lock)).unwrap();
    lab
}

#[test]
fn a_bundle_brings_bits_and_files_into_another_place() {
    // The scripted store holds these bits, and says so to whoever imports, too.
    let lab = lab("bits", Script::default());

    let written = lab.run("bundle export app.toml --to out.tar --unsigned -o json");
    assert_eq!(written.code, 0, "{}", written.err);
    assert_eq!(written.json()["artefacts"], 1);
    let refused = lab.run("bundle import out.tar");
    assert_eq!(refused.code, 2, "{}", refused.out);
    let checked = lab.run("bundle import out.tar --unsigned --check -o json");
    assert!(checked.json()["brought"].is_null(), "{}", checked.err);
    assert!(!lab.path("practice").exists());
    let brought = lab.run("bundle import out.tar --unsigned");
    assert_eq!(brought.code, 0, "{}", brought.err);
    for part in [
        "nobody signed the bundle",
        "It was not started there",
        "1 artefact, 0 stored now",
    ] {
        assert!(brought.out.contains(part), "{part}: {}", brought.out);
    }
    let planned = fs::read(lab.path("practice.lock")).unwrap();
    assert_eq!(
        fs::read(lab.path("practice/practice.lock")).unwrap(),
        planned
    );

    fs::write(lab.path("practice/practice.lock"), "another").unwrap();
    let refused = lab.run("bundle import out.tar --unsigned");
    assert_eq!(refused.code, 2, "{}", refused.out);
    assert!(
        refused.err.contains("name another folder"),
        "{}",
        refused.err
    );
    let elsewhere = lab.run("bundle import out.tar --unsigned --into elsewhere");
    assert_eq!(elsewhere.code, 0, "{}", elsewhere.err);
    assert!(lab.path("elsewhere/practice.toml").exists());
}

#[test]
fn what_the_store_lacks_is_named_and_only_left_out_when_asked_for() {
    let lab = lab("other bits", Script::default());

    let refused = lab.run("bundle export app.toml --to out.tar --unsigned");
    assert_eq!(refused.code, 1, "{}", refused.out);
    let named = format!("/etc/app.conf, {}", Digest::of("other bits"));
    assert!(refused.err.contains(&named), "{}", refused.err);
    assert!(!lab.path("out.tar").exists());
    let without = lab.run("bundle export app.toml --to out.tar --unsigned --without-artefacts");
    assert_eq!(without.code, 0, "{}", without.err);
    let brought = lab.run("bundle import out.tar --unsigned");
    assert!(
        brought.out.contains("without 1 artefact"),
        "{}{}",
        brought.out,
        brought.err
    );
}

#[test]
fn another_rollout_of_that_name_and_an_amendment_are_not_exported() {
    let amendment = RolloutId::new("first").unwrap();
    for (amends, expected) in [
        (None, "with another rollout file or lock file"),
        (Some(amendment), "practice amends first"),
    ] {
        let mut view = rollout(RolloutState::Running, 1, 0);
        view.amends = amends;
        let lab = lab(
            "bits",
            Script {
                rollout: Some(view),
                evidence: Some(RolloutEvidence {
                    rollout_digest: Digest::of("another"),
                    strata: Vec::new(),
                }),
                ..Script::default()
            },
        );
        let refused = lab.run("bundle export app.toml --to out.tar --unsigned");
        assert_eq!(refused.code, 2, "{}", refused.out);
        assert!(
            refused.err.contains(expected),
            "{expected}: {}",
            refused.err
        );
    }
}
