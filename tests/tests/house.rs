//! House rules that no lint knows: how long a file may be, what it must not be called, and what
//! must not stand in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The most lines of one file, documentation and tests included.
const MAX_LINES: usize = 500;

/// The most lines of a `src/main.rs`: it only parses arguments, starts the library, maps the exit code.
const MAX_MAIN_LINES: usize = 60;

/// Names that say nothing about what a file holds.
const NAMELESS: &[&str] = &["mod", "util", "utils", "common", "types", "helpers", "misc"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file of the workspace with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for member in ["engine", "proto", "agent", "coordinator", "cli", "tests"] {
        collect(&root().join(member), &mut found);
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a source folder")
        .map(|entry| entry.expect("an entry of a source folder").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            found.push((path, text));
        }
    }
}

fn assert_none(what: &str, offenders: &[String]) {
    assert!(
        offenders.is_empty(),
        "{what}:\n  {}",
        offenders.join("\n  ")
    );
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let offenders: Vec<String> = sources()
        .iter()
        .filter(|(path, text)| {
            let main = path.ends_with("src/main.rs");
            text.lines().count() > if main { MAX_MAIN_LINES } else { MAX_LINES }
        })
        .map(|(path, text)| format!("{} ({} lines)", path.display(), text.lines().count()))
        .collect();
    assert_none("too long", &offenders);
}

#[test]
fn every_file_is_named_after_what_it_holds() {
    let offenders: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| {
            path.file_stem()
                .and_then(|stem| stem.to_str())
                .is_some_and(|stem| NAMELESS.contains(&stem))
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none("named after nothing", &offenders);
}

#[test]
fn nothing_is_left_for_later() {
    let marks = ["TODO", "FIXME", "XXX"];
    let macros = ["todo!(", "unimplemented!("];
    let offenders: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| !path.ends_with("house.rs"))
        .filter(|(_, text)| {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|word| marks.contains(&word)) || macros.iter().any(|name| text.contains(name))
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none("left for later", &offenders);
}

/// Without `biased` the order of branches is drawn at random, and a simulation cannot be repeated.
#[test]
fn every_select_is_biased() {
    let opening = format!("select!{}", " {");
    let offenders: Vec<String> = sources()
        .iter()
        .filter(|(_, text)| {
            text.match_indices(&opening).any(|(at, _)| {
                let body = text[at + opening.len()..].trim_start();
                !body.starts_with("biased;")
            })
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none("select without biased", &offenders);
}

/// The nearest clippy file wins, so the engine's must repeat what the root's says.
#[test]
fn the_engines_clippy_file_repeats_the_roots() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("a clippy file");
    let engine = read("engine/clippy.toml");
    let missing: Vec<String> = read(".clippy.toml")
        .lines()
        .filter(|line| line.contains('=') && !engine.lines().any(|other| other == *line))
        .map(str::to_owned)
        .collect();
    assert_none("not in engine/clippy.toml", &missing);
}
