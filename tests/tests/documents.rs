//! Documents name only files that exist: a map that leads nowhere is worse than none. What they say of
//! the rollout file is what is read from one.

use cofferdam_engine::{
    calendar::Calendar, modelled_fleet::ModelledFleet, rehearse::scenario::Scenario,
    services::Services, spec::Spec,
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const DOCUMENTS: [&str; 7] = [
    "README.md",
    "docs/architecture.md",
    "docs/closed-partitions.md",
    "docs/operator-files.md",
    "docs/rollout-file.md",
    "docs/testing.md",
    "packaging/README.md",
];

const TOPS: [&str; 9] = [
    "engine/",
    "proto/",
    "agent/",
    "coordinator/",
    "cli/",
    "tests/",
    "docs/",
    "packaging/",
    "systemd/",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What stands between single backticks and begins like a path of this repository.
fn paths(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |quoted: &&str| {
        TOPS.iter().any(|top| quoted.starts_with(top)) && !quoted.contains(char::is_whitespace)
    };
    quoted.filter(is_path).collect()
}

#[test]
fn every_file_that_a_document_names_exists() {
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(root().join(document)).expect("a document");
        let named = paths(&text);
        missing.extend(
            named
                .into_iter()
                .filter(|path| !root().join(path).exists())
                .map(|path| format!("{document}: {path}")),
        );
    }
    assert!(missing.is_empty(), "named, but not there: {missing:#?}");
}

/// The TOML files in a document, in order.
fn files_in(document: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(document)).expect("a document");
    let blocks = text.split("```").skip(1).step_by(2);
    let files = blocks.filter_map(|block| block.strip_prefix("toml\n"));
    files.map(ToOwned::to_owned).collect()
}

/// The rollout files in the reference, in order.
fn rollout_files() -> Vec<(String, Spec)> {
    let files = files_in("docs/rollout-file.md").into_iter();
    let read = |file: String| match Spec::parse("docs/rollout-file.md", &file) {
        Ok(spec) => (file, spec),
        Err(mistakes) => panic!("{mistakes}\nin\n{file}"),
    };
    files.map(read).collect()
}

#[test]
fn the_files_of_the_fleet_are_read_as_they_are_documented() {
    let files = files_in("docs/operator-files.md");
    let [services, calendar, fleet, faults] = files.as_slice() else {
        panic!("a file of services, a calendar, a fleet and faults are expected");
    };
    let services = Services::parse("services.toml", services).expect("services");
    assert_ne!(services, Services::default());
    let calendar = Calendar::parse("calendar.toml", calendar).expect("a calendar");
    assert_eq!(calendar.freezes.len(), 1);
    let fleet = ModelledFleet::parse("fleet.toml", fleet).expect("a fleet");
    assert_eq!(fleet.len(), 122);
    let faults = Scenario::parse("faults.toml", faults).expect("faults");
    let usual = Scenario::default();
    assert_eq!((faults.times, faults.costs), (usual.times, usual.costs));
    assert_eq!(
        (faults.others.len(), faults.faults.len(), faults.acts.len()),
        (1, 3, 1)
    );
}

/// The words that stand before an equals sign.
fn keys(text: &str) -> BTreeSet<&str> {
    let before = text.match_indices(" = ").map(|(place, _)| &text[..place]);
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    before
        .filter_map(|before| before.rsplit(|c| !is_of_word(c)).next())
        .filter(|word| !word.is_empty())
        .collect()
}

#[test]
fn the_reference_of_the_rollout_file_states_every_key_and_each_default() {
    let files = rollout_files();
    let [(_, short), (whole, said), ..] = files.as_slice() else {
        panic!("a short file and a whole one are expected");
    };
    assert_eq!(said.to_string(), short.to_string());

    let canonical = short.to_string();
    let missing: Vec<_> = keys(&canonical)
        .difference(&keys(whole))
        .copied()
        // A wave's own `gap` is the top's `cells_gap`, and a table may have lines of its own.
        .filter(|key| *key != "gap" && !whole.contains(&format!("[{key}]")))
        .collect();
    assert!(missing.is_empty(), "not in the whole file: {missing:?}");
}
