//! One seed is one history. Each is played in a process of its own: an executor shuts the tasks of a crashed process
//! down in an order that their numbers decide, and those are counted over all tests of a process.

use crate::hard_times;
use cofferdam_tests::simulation::Scene;
use std::{env, fs, path::Path, process::Command};

/// Where a process that plays one scene alone writes its history.
const WRITES_TO: &str = "COFFERDAM_HISTORY";

#[test]
fn the_same_seed_gives_the_same_history() {
    assert_repeats(
        "repeats::the_same_seed_gives_the_same_history",
        &hard_times(5),
    );
}

#[test]
fn a_network_that_says_things_twice_and_late_is_the_same_for_the_same_seed() {
    // In one process, where nobody signs: no seed repeats a signature.
    let scene = Scene {
        unruly: true,
        ..hard_times(5)
    };
    assert_repeats(
        "repeats::a_network_that_says_things_twice_and_late_is_the_same_for_the_same_seed",
        &scene,
    );
}

/// Plays the scene of a test twice, each time by that test alone.
fn assert_repeats(test: &str, scene: &Scene) {
    if let Some(file) = env::var_os(WRITES_TO) {
        return fs::write(file, scene.play().history.join("\n")).expect("a history is written");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second] = ["first", "second"].map(|name| alone(test, &folder.path().join(name)));
    let differs = first.iter().zip(&second).position(|(a, b)| a != b);
    let at = differs.map(|line| (&first[line], &second[line]));
    assert_eq!(at, None, "the first line that differs");
    assert_eq!(first.len(), second.len());
}

fn alone(test: &str, file: &Path) -> Vec<String> {
    let mut played = Command::new(env::current_exe().expect("this test's own binary"));
    played.args(["--exact", test]).env(WRITES_TO, file);
    let output = played.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let history = fs::read_to_string(file).expect("its history");
    history.lines().map(str::to_owned).collect()
}
