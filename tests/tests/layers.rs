//! Arrows between crates go one way, and each outside library is used only where it belongs. Read
//! from cargo's own metadata, so the manifests are what is judged.

use cargo_metadata::{Metadata, MetadataCommand, Package};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// Each crate and the ones of ours that it may use.
const ARROWS: [(&str, &[&str]); 6] = [
    ("cofferdam-engine", &[]),
    ("cofferdam-proto", &["cofferdam-engine"]),
    ("cofferdam-agent", &["cofferdam-engine", "cofferdam-proto"]),
    (
        "cofferdam-coordinator",
        &["cofferdam-engine", "cofferdam-proto"],
    ),
    ("cofferdam", &["cofferdam-engine", "cofferdam-proto"]),
    (
        "cofferdam-tests",
        &[
            "cofferdam-engine",
            "cofferdam-proto",
            "cofferdam-agent",
            "cofferdam-coordinator",
            "cofferdam",
        ],
    ),
];

/// All that the engine may use, its tests included: nothing that waits, reads or sends.
const ENGINE_MAY_USE: &[&str] = &[
    // Maps that are hashed the same in each run, and gone through in the order of their names.
    "foldhash",
    "indexmap",
    "insta",
    // Time zones for windows, from a bundled database: with these features it reads no clock, no file
    // and no environment.
    "jiff",
    "proptest",
    "serde",
    "serde_json",
    "sha2",
    "strsim",
    "thiserror",
    "toml",
];

/// Outside libraries and the only crates that may use them.
const WRAPPERS: [(&str, &[&str]); 9] = [
    ("sled", &["cofferdam-coordinator"]),
    ("object_store", &["cofferdam-coordinator"]),
    ("governor", &["cofferdam-coordinator"]),
    (
        "tonic",
        &[
            "cofferdam-proto",
            "cofferdam-agent",
            "cofferdam-coordinator",
            "cofferdam",
            "cofferdam-tests",
        ],
    ),
    ("prost", &["cofferdam-proto"]),
    // Signatures are checked in one place. The agent's tests sign.
    ("ssh-key", &["cofferdam-proto", "cofferdam-agent"]),
    ("tonic-prost", &["cofferdam-proto"]),
    ("anyhow", &["cofferdam"]),
    ("turmoil", &["cofferdam-tests"]),
];

fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo reads its own workspace")
}

fn dependencies(package: &Package) -> BTreeSet<&str> {
    package
        .dependencies
        .iter()
        .map(|dependency| dependency.name.as_str())
        .collect()
}

#[test]
fn every_member_has_its_place_in_the_layers() {
    let workspace = workspace();
    let members: BTreeSet<&str> = workspace.packages.iter().map(|p| p.name.as_str()).collect();
    let placed: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(members, placed);
}

#[test]
fn arrows_between_our_crates_go_one_way() {
    let workspace = workspace();
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut forbidden = Vec::new();
    for package in &workspace.packages {
        let allowed = arrows[package.name.as_str()];
        forbidden.extend(
            dependencies(package)
                .into_iter()
                .filter(|name| arrows.contains_key(name) && !allowed.contains(name))
                .map(|name| format!("{} -> {name}", package.name)),
        );
    }
    assert!(forbidden.is_empty(), "forbidden arrows: {forbidden:?}");
}

#[test]
fn the_engine_uses_nothing_that_waits_reads_or_sends() {
    let workspace = workspace();
    let engine = workspace
        .packages
        .iter()
        .find(|package| package.name.as_str() == "cofferdam-engine")
        .expect("the engine is a member");
    let foreign: Vec<&str> = dependencies(engine)
        .into_iter()
        .filter(|name| !ENGINE_MAY_USE.contains(name))
        .collect();
    assert!(foreign.is_empty(), "the engine must not use {foreign:?}");
}

#[test]
fn outside_libraries_stay_with_their_wrappers() {
    let workspace = workspace();
    let mut strays = Vec::new();
    for (library, wrappers) in WRAPPERS {
        strays.extend(
            workspace
                .packages
                .iter()
                .filter(|package| dependencies(package).contains(library))
                .filter(|package| !wrappers.contains(&package.name.as_str()))
                .map(|package| format!("{} -> {library}", package.name)),
        );
    }
    assert!(strays.is_empty(), "used outside their wrappers: {strays:?}");
}

#[test]
fn every_member_takes_the_workspace_lints() {
    let workspace = workspace();
    for package in &workspace.packages {
        let manifest = fs::read_to_string(&package.manifest_path).expect("a member's manifest");
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} does not take the workspace lints",
            package.manifest_path
        );
    }
}
