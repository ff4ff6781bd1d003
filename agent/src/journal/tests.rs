use super::*;
use crate::{actions::Flag, outbox::Outbox, sample};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    id::{Incarnation, ReportSequence},
    order::Order,
    patch::RestartPolicy,
    report::ReportBody,
    run::{RunEvent, RunState},
    time::Timestamp,
};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

const FIRST: Incarnation = Incarnation(1);
const SECOND: Incarnation = Incarnation(2);

fn open(folder: &TempDir, incarnation: Incarnation) -> Opened<FileJournal> {
    FileJournal::open(folder.path(), incarnation).unwrap()
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("journal")
}

fn append(opened: &mut Opened<FileJournal>, records: &[Record]) {
    opened.journal.append(records, Durability::Synced).unwrap();
    for record in records {
        opened.history.apply(record).unwrap();
    }
}

fn accepted() -> Record {
    Record::Accepted {
        order: Box::new(sample::order(1)),
        at: Timestamp(5),
        granted: None,
    }
}

fn moved(event: RunEvent) -> Record {
    Record::Moved {
        event,
        at: Timestamp(6),
        boot_id: "boot-1".to_owned(),
    }
}

fn said(detail: &str) -> Record {
    Record::Said {
        body: ReportBody::Service {
            in_service: false,
            detail: detail.to_owned(),
        },
    }
}

/// A journal of a run that drains, and what it led to.
fn a_journal() -> (TempDir, History) {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = open(&folder, FIRST);
    append(&mut opened, &[accepted()]);
    append(
        &mut opened,
        &[said("a check"), moved(RunEvent::ClaimGranted)],
    );
    (folder, opened.history)
}

fn waiting(outbox: &Outbox) -> Vec<u64> {
    let mut sent = ReportSequence(0);
    let mut numbers = Vec::new();
    while let Some(report) = outbox.after(sent) {
        sent = report.sequence;
        numbers.push(sent.0);
    }
    numbers
}

#[test]
fn a_journal_that_is_opened_again_leads_to_the_same_history() {
    let (folder, before) = a_journal();

    let again = open(&folder, SECOND);

    assert_eq!(again.history, before);
    assert_eq!(again.history.incarnation(), FIRST);
    assert_eq!(again.history.open().unwrap().state(), RunState::Draining);
    assert_eq!(waiting(again.history.outbox()), [1, 2, 3]);
    assert_eq!(again.damage, None);
}

#[test]
fn a_torn_end_is_dropped_wherever_it_is_torn() {
    let (folder, _) = a_journal();
    let whole = fs::read(file(&folder)).unwrap();
    let lines: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    let (second, last) = (lines[lines.len() - 2] + 1, whole.len());
    for end in [second + 1, second + 12, last - 2, last - 1] {
        fs::write(file(&folder), &whole[..end]).unwrap();

        let mut opened = open(&folder, SECOND);
        assert_eq!(opened.history.open().unwrap().state(), RunState::Claiming);
        append(&mut opened, &[moved(RunEvent::ClaimGranted)]);
        let after = opened.history.clone();
        drop(opened);

        assert_eq!(open(&folder, SECOND).history, after, "torn at {end}");
    }
}

#[test]
fn a_last_record_with_a_wrong_checksum_is_torn_too() {
    let (folder, _) = a_journal();
    let mut bytes = fs::read(file(&folder)).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    fs::write(file(&folder), bytes).unwrap();

    let opened = open(&folder, SECOND);

    assert_eq!(opened.history.open().unwrap().state(), RunState::Claiming);
    assert_eq!(opened.damage, None);
}

#[test]
fn a_damaged_record_in_the_middle_sets_the_journal_aside_and_says_where() {
    let (folder, _) = a_journal();
    let mut bytes = fs::read(file(&folder)).unwrap();
    let middle = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    bytes[middle + 20] ^= 1;
    fs::write(file(&folder), &bytes).unwrap();

    let opened = open(&folder, SECOND);

    let damage = opened.damage.unwrap();
    assert_eq!(damage.offset, middle as u64);
    assert_eq!(fs::read(&damage.kept).unwrap(), bytes);
    assert_eq!(opened.history, History::begin_again(SECOND));
    assert_eq!(opened.history.flag(), None, "nobody knows where it was");
    assert!(damage.to_string().contains("journal.damaged-2"), "{damage}");
}

#[test]
fn a_file_that_never_was_a_journal_is_set_aside_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(file(&folder), b"\0\0\0garbage").unwrap();

    let opened = open(&folder, FIRST);

    assert_eq!(opened.damage.unwrap().offset, 0);
}

#[test]
fn a_record_that_does_not_follow_is_damage() {
    let (folder, _) = a_journal();
    let mut bytes = fs::read(file(&folder)).unwrap();
    let offset = bytes.len() as u64;
    bytes.extend_from_slice(frame::encode(&[moved(RunEvent::Rebooted)]).as_bytes());
    fs::write(file(&folder), bytes).unwrap();

    let damage = open(&folder, SECOND).damage.unwrap();

    assert_eq!(damage.offset, offset);
}

#[test]
fn a_journal_of_a_newer_release_is_left_alone() {
    let (folder, _) = a_journal();
    let mut text = fs::read_to_string(file(&folder)).unwrap();
    let line = frame::encode(&[said("x")]);
    text += &line.replacen("1 ", "2 ", 1);
    fs::write(file(&folder), &text).unwrap();

    let refused = FileJournal::open(folder.path(), SECOND);

    assert!(matches!(
        refused,
        Err(JournalError::Newer { version: 2, .. })
    ));
    assert_eq!(fs::read_to_string(file(&folder)).unwrap(), text);
}

#[test]
fn a_second_agent_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(&folder, FIRST);

    let second = FileJournal::open(folder.path(), SECOND);

    assert!(matches!(second, Err(JournalError::Held { .. })));
}

#[test]
fn a_journal_that_grew_is_rewritten_and_nothing_is_forgotten() {
    let (folder, _) = a_journal();
    let mut opened = open(&folder, SECOND);
    let long = "x".repeat(1000);
    for number in 0..400 {
        let up_to = ReportSequence(number);
        append(&mut opened, &[said(&long), Record::Acknowledged { up_to }]);
    }
    let (before, history) = (size(&folder), opened.history.clone());
    drop(opened);

    let again = open(&folder, SECOND);

    assert_eq!(again.history, history);
    assert!(size(&folder) < before / 10);
}

#[test]
fn room_that_cannot_be_held_back_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(&folder, FIRST).journal;
    assert!(journal.hold_back_room());

    let reserve = folder.path().join("journal.reserve");
    fs::remove_file(&reserve).unwrap();
    fs::create_dir(&reserve).unwrap();

    assert!(!journal.hold_back_room());
}

#[test]
fn a_host_that_forgot_keeps_its_flag_until_a_run_puts_it_up() {
    let mut history = History::begin_again(SECOND);
    let done = || moved(RunEvent::done(false));
    history.apply(&accepted()).unwrap();
    assert_eq!(history.flag(), None);
    for record in [
        moved(RunEvent::ClaimGranted),
        moved(RunEvent::DeadlinePassed),
        done(),
    ] {
        history.apply(&record).unwrap();
    }
    assert_eq!(history.flag(), Some(Flag::Up));
}

#[test]
fn the_format_that_the_first_release_wrote_is_still_read() {
    let folder = tempfile::tempdir().unwrap();
    let golden = include_str!("golden/journal-v1");
    fs::write(file(&folder), golden).unwrap();

    let opened = open(&folder, SECOND);

    let run = opened.history.open().unwrap();
    assert_eq!(opened.damage, None);
    assert_eq!(opened.history.incarnation(), FIRST);
    let order = Order {
        // It had no choice of restarts, and made none.
        restart: RestartPolicy::Never,
        ..sample::order(1)
    };
    assert_eq!(run.order(), &order);
    assert_eq!(run.state(), RunState::Draining);
    assert_eq!(waiting(opened.history.outbox()), [1, 2, 3]);
}

fn size(folder: &TempDir) -> u64 {
    fs::metadata(file(folder)).unwrap().len()
}

#[test]
fn the_flag_of_a_quarantined_host_stays_down_through_an_order_that_is_stopped() {
    let failed = || RunEvent::Failed(Failure::new(FailureKind::Io, "no disk"));
    let done = || RunEvent::done(false);
    let mut history = History::begin(FIRST);
    let mut learn = |records: &[Record]| {
        for record in records {
            history.apply(record).unwrap();
        }
        history.flag()
    };
    let order = |sequence| Record::Accepted {
        order: Box::new(sample::order(sequence)),
        at: Timestamp(5),
        granted: None,
    };
    let into_apply = || [RunEvent::ClaimGranted, done(), RunEvent::ClaimGranted].map(moved);
    learn(&[order(1)]);
    learn(&into_apply());
    assert_eq!(learn(&[failed(), failed()].map(moved)), Some(Flag::Down));

    assert_eq!(learn(&[order(2)]), Some(Flag::Down), "while it claims");
    let reason = "paused".to_owned();
    let withdrawn = moved(RunEvent::Withdrawn { reason });
    assert_eq!(learn(&[withdrawn]), Some(Flag::Down));

    learn(&[order(3)]);
    learn(&into_apply());
    assert_eq!(learn(&[done(), done(), done()].map(moved)), Some(Flag::Up));
}
