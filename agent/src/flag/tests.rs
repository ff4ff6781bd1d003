//! The state file: what it says, and who may say it.

use super::*;
use crate::checks::verdict::Limit;
use std::fs;

#[test]
fn the_file_says_what_was_set_last() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::open(folder.path(), "web-1", None);
    file.set(FlagState::Down, "rollout r1 drains it").unwrap();
    file.set_release("r1").unwrap();
    let state = State::read(&folder.path().join(FILE_NAME)).unwrap();
    assert_eq!(state.flag, FlagState::Down);
    assert_eq!(state.reason, "rollout r1 drains it");
    assert_eq!(state.release.as_deref(), Some("r1"));
    file.set(FlagState::Up, "").unwrap();
    assert!(file.is_up());
}

#[test]
fn a_flag_that_is_up_already_begins_no_ramp() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::open(folder.path(), "web-1", None);
    let weights = || State::read(&folder.path().join(FILE_NAME)).unwrap().weights;
    let first = weight::held(10, 0);
    file.put_up(first.clone()).unwrap();
    assert_eq!(weights(), first);
    file.put_up(Vec::new()).unwrap();
    assert_eq!(weights(), first);
    file.weigh(Vec::new()).unwrap();
    assert_eq!((weights(), file.is_up()), (Vec::new(), true));
    file.weigh(first).unwrap();
    file.set(FlagState::Draining, "r1").unwrap();
    file.put_up(Vec::new()).unwrap();
    assert_eq!(weights(), []);
}

#[test]
fn an_agent_that_starts_again_leaves_the_flag_alone() {
    let folder = tempfile::tempdir().unwrap();
    StateFile::open(folder.path(), "web-1", None)
        .set(FlagState::Up, "")
        .unwrap();
    assert!(StateFile::open(folder.path(), "web-1", None).is_up());
}

#[test]
fn what_changed_while_no_agent_ran_is_shown_with_the_next_word() {
    let folder = tempfile::tempdir().unwrap();
    for release in [None, Some("r1".to_owned())] {
        let file = StateFile::open(folder.path(), "web-1", release.clone());
        file.set(FlagState::Up, "").unwrap();
        let state = State::read(&folder.path().join(FILE_NAME)).unwrap();
        assert_eq!(state.release, release);
    }
}

#[test]
fn what_is_missing_garbled_or_of_another_format_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    assert!(matches!(State::read(&path), Err(StateError::Missing(_))));
    fs::write(&path, b"{\"version\":1,").unwrap();
    assert!(matches!(
        State::read(&path),
        Err(StateError::Garbled { .. })
    ));
    StateFile::open(folder.path(), "web-1", None)
        .set(FlagState::Up, "")
        .unwrap();
    let other = fs::read_to_string(&path)
        .unwrap()
        .replace("\"version\": 1", "\"version\": 2");
    fs::write(&path, other).unwrap();
    let error = State::read(&path).unwrap_err();
    assert!(
        error.to_string().ends_with("has format 2, 1 is expected"),
        "{error}"
    );
}

#[test]
fn a_file_that_others_removed_or_damaged_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let file = StateFile::open(folder.path(), "web-1", None);
    file.set(FlagState::Up, "").unwrap();
    let before = State::read(&path).unwrap();
    fs::write(&path, b"{").unwrap();
    file.set(FlagState::Up, "").unwrap();
    assert_eq!(State::read(&path).unwrap(), before);
    fs::remove_file(&path).unwrap();
    file.set(FlagState::Up, "").unwrap();
    assert_eq!(State::read(&path).unwrap(), before);
}

#[test]
fn what_one_source_says_replaces_what_it_said_and_keeps_since_when() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::open(folder.path(), "web-1", None);
    let read = || State::read(&folder.path().join(FILE_NAME)).unwrap();
    let word = |name: &str, verdict| Reading::new(name, verdict, "");
    let load = |value| {
        let measure = Measure::new(value, "per core", Limit::AtMost(8.0));
        Reading::measured("load", measure, "")
    };
    file.show(Source::Signal, &[load(1.0)]).unwrap();
    file.show(Source::Check, &[word("load", Verdict::Fail)])
        .unwrap();
    let first = read();
    let sources: Vec<Source> = first.checks.iter().map(|check| check.source).collect();
    assert_eq!(sources, [Source::Check, Source::Signal]);
    // As if it had been so for long, which the next agent takes over.
    let mut long = first.clone();
    long.checks
        .iter_mut()
        .for_each(|check| check.since_ms = Some(1));
    let json = serde_json::to_vec(&long).unwrap();
    fs::write(folder.path().join(FILE_NAME), json).unwrap();
    let file = StateFile::open(folder.path(), "web-1", None);
    file.show(Source::Signal, &[load(2.0), word("route", Verdict::Pass)])
        .unwrap();
    let second = read();
    let since: Vec<bool> = second
        .checks
        .iter()
        .map(|check| check.since_ms == Some(1))
        .collect();
    assert_eq!(since, [true, true, false], "{second:?}");
    assert_eq!(second.checks[1].measure.as_ref().unwrap().value, 2.0);
    file.show(Source::Signal, &[load(9.0)]).unwrap();
    let last = &read().checks[1];
    assert_eq!(last.since_ms, last.read_ms);
    assert_eq!(read().checks.len(), 2);
}

/// Written by the agents before there were signals: the responder is upgraded first.
const WITHOUT_SIGNALS: &str = r#"{"version":1,"host":"web-1","agent":"0.1.0","flag":"up","reason":"",
    "proved":true,"ramp":{"began_ms":1,"takes_ms":30000},"release":null,"checks":[{"name":"app","verdict":"pass","output":""}]}"#;

#[test]
fn what_agents_before_there_were_signals_wrote_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    fs::write(&path, WITHOUT_SIGNALS).unwrap();
    let mut state = State::read(&path).unwrap();
    let check = state.checks.remove(0);
    assert_eq!((check.source, check.since_ms), (Source::Check, None));
    assert_eq!(state.weights, [], "its ramp is over at once");
}
