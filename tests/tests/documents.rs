//! Documents name only files that exist: a map that leads nowhere is worse than none.

use std::{
    fs,
    path::{Path, PathBuf},
};

const DOCUMENTS: [&str; 4] = [
    "README.md",
    "docs/architecture.md",
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
