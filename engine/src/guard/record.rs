//! What is kept of a host's guard.

use super::{GuardEvent, GuardNews, GuardPosition, GuardState, Seen, WindowLeft};
use crate::{ledger::Holder, time::Timestamp};
use serde::{Deserialize, Serialize};

/// The most tries of one host that nobody had asked for and that are kept, and as many of all else (guess:
/// who tries what on a host is one or two things; the host itself keeps a hundred of each).
pub const KEPT_EVENTS: usize = 4;

/// The most packages, files and parents of one event that are kept; the host itself keeps all.
const KEPT_WORDS: usize = 8;

/// What is kept of a host's guard.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GuardRecord {
    /// How it stood when it was last heard of.
    pub state: GuardState,
    /// When it was first heard to stand so.
    pub since: Timestamp,
    /// How far its log was taken in.
    pub heard: GuardPosition,
    /// How many events the host had dropped before it could tell them.
    pub missed: u64,
    /// How many tries that nobody had asked for were kept and are not any more, since others came.
    #[serde(default)]
    pub dropped: u64,
    /// The last tries that nobody had asked for and the last of all else, oldest first: of alike tries the
    /// last.
    pub events: Vec<GuardEvent>,
    /// The window that was last heard to be open. Absent: none.
    pub window: Option<KnownWindow>,
}

/// A window at a host, as the host's cell knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownWindow {
    /// Which: as the host told it.
    pub opened: u64,
    /// Who opened it, as in `uid 1000`.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it ends by itself.
    pub until: Timestamp,
}

impl KnownWindow {
    /// It as a holder of its host.
    pub(crate) fn holder(&self) -> Holder {
        Holder::AtHost {
            by: self.by.clone(),
            reason: self.reason.clone(),
            until: self.until,
        }
    }

    /// Whether it is still open.
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

impl GuardRecord {
    /// What is kept of a host of which nothing was heard.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            ..Self::default()
        }
    }

    /// Whether news say nothing that was not known. A window that was known has the end that it had.
    pub fn knows(&self, news: &GuardNews) -> bool {
        let window = |left: &WindowLeft| left.opened;
        let known = self.window.as_ref().map(|window| window.opened);
        let is_new = |event: &GuardEvent| self.heard.is_before(news.log, event);
        self.state == news.state
            && known == news.window.as_ref().map(window)
            && !news.events.iter().any(is_new)
    }

    /// Takes news in.
    pub(crate) fn take_in(&mut self, news: &GuardNews, now: Timestamp) {
        if self.state != news.state {
            self.state = news.state.clone();
            self.since = now;
        }
        self.window = match (self.window.take(), &news.window) {
            (_, None) => None,
            (Some(known), Some(left)) if known.opened == left.opened => Some(known),
            (_, Some(left)) => Some(KnownWindow {
                opened: left.opened,
                by: left.by.clone(),
                reason: left.reason.clone(),
                until: now.after(left.left),
            }),
        };
        for event in &news.events {
            self.take_event(news.log, event);
        }
    }

    fn take_event(&mut self, log: u64, event: &GuardEvent) {
        if !self.heard.is_before(log, event) {
            return;
        }
        if self.heard.log == log {
            let next = self.heard.number.saturating_add(1);
            let dropped = event.number.saturating_sub(next);
            self.missed = self.missed.saturating_add(dropped);
        }
        let replaces = |kept: &GuardEvent| {
            let is_same = self.heard.log == log && kept.number == event.number;
            is_same || is_alike(&kept.seen, &event.seen)
        };
        self.events.retain(|kept| !replaces(kept));
        self.events.push(shortened(event));
        self.make_room(event.is_unasked());
        self.heard = GuardPosition {
            log,
            number: event.number,
            times: event.times,
        };
    }

    /// Drops the oldest of one kind beyond the most that are kept.
    fn make_room(&mut self, is_unasked: bool) {
        let is_of_kind = |event: &GuardEvent| event.is_unasked() == is_unasked;
        let kept = self.events.iter().filter(|event| is_of_kind(event)).count();
        let mut surplus = kept.saturating_sub(KEPT_EVENTS);
        self.events.retain(|event| {
            let goes = surplus > 0 && is_of_kind(event);
            surplus -= usize::from(goes);
            self.dropped += u64::from(goes && is_unasked);
            !goes
        });
    }
}

/// Whether two tries are the same thing done again, as by a timer.
fn is_alike(one: &Seen, other: &Seen) -> bool {
    let (Seen::Tried(one), Seen::Tried(other)) = (one, other) else {
        return false;
    };
    (one.fate, &one.channel, &one.command) == (other.fate, &other.channel, &other.command)
}

fn shortened(event: &GuardEvent) -> GuardEvent {
    let mut short = event.clone();
    match &mut short.seen {
        Seen::Tried(tried) => {
            let cut = tried.packages.len().saturating_sub(KEPT_WORDS);
            let cut = u64::try_from(cut).unwrap_or(u64::MAX);
            tried.more = tried.more.saturating_add(cut);
            tried.packages.truncate(KEPT_WORDS);
            tried.parents.truncate(KEPT_WORDS);
        }
        Seen::ControlLost { files } => files.truncate(KEPT_WORDS),
        Seen::Opened { .. } | Seen::Closed { .. } | Seen::ControlRegained => {}
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{Fate, GuardMode, Tried};
    use std::time::Duration;

    fn tried(number: u64, times: u64, command: &str) -> GuardEvent {
        GuardEvent {
            number,
            times,
            at: Timestamp(number),
            seen: Seen::Tried(Tried {
                fate: Fate::Refused,
                channel: "apt".to_owned(),
                command: command.to_owned(),
                parents: Vec::new(),
                unit: String::new(),
                login: String::new(),
                packages: (0..10).map(|n| format!("tea{n} 1 -> 2")).collect(),
                more: 1,
            }),
        }
    }

    fn news(log: u64, events: Vec<GuardEvent>) -> GuardNews {
        GuardNews {
            state: GuardState::default(),
            window: None,
            log,
            events,
        }
    }

    fn numbers(record: &GuardRecord) -> Vec<u64> {
        record.events.iter().map(|event| event.number).collect()
    }

    #[test]
    fn what_was_told_before_changes_nothing_and_a_log_begun_anew_is_all_new() {
        let mut record = GuardRecord::new(Timestamp(0));
        let told = news(7, vec![tried(1, 1, "a"), tried(2, 1, "b")]);
        assert!(!record.knows(&told));
        record.take_in(&told, Timestamp(1));
        let once = record.clone();
        assert!(record.knows(&told));
        record.take_in(&told, Timestamp(2));
        assert_eq!(record, once);
        record.take_in(&news(8, vec![tried(1, 1, "c")]), Timestamp(3));
        assert_eq!((numbers(&record), record.missed), (vec![1, 2, 1], 0));
    }

    #[test]
    fn an_event_that_is_seen_again_is_counted_and_what_was_dropped_is_said() {
        let mut record = GuardRecord::new(Timestamp(0));
        record.take_in(&news(7, vec![tried(1, 1, "a")]), Timestamp(1));
        record.take_in(&news(7, vec![tried(1, 5, "a")]), Timestamp(2));
        assert_eq!((record.events.len(), record.events[0].times), (1, 5));
        record.take_in(&news(7, vec![tried(9, 1, "b")]), Timestamp(3));
        assert_eq!((numbers(&record), record.missed), (vec![1, 9], 7));
    }

    #[test]
    fn the_last_number_that_there_is_may_be_seen_again() {
        let mut record = GuardRecord::new(Timestamp(0));
        for times in [1, 2] {
            record.take_in(&news(7, vec![tried(u64::MAX, times, "a")]), Timestamp(1));
        }
        assert_eq!((record.heard.times, record.missed), (2, 0));
    }

    #[test]
    fn of_alike_tries_the_last_is_kept_and_no_more_than_fit() {
        let mut record = GuardRecord::new(Timestamp(0));
        for number in 1..20 {
            let command = if number % 2 == 0 { "timer" } else { "x" };
            record.take_in(&news(7, vec![tried(number, 1, command)]), Timestamp(1));
        }
        assert_eq!(numbers(&record), [18, 19]);
        for number in 20..30 {
            let event = tried(number, 1, &number.to_string());
            record.take_in(&news(7, vec![event]), Timestamp(1));
        }
        assert_eq!(numbers(&record), [26, 27, 28, 29]);
        let Seen::Tried(kept) = &record.events[0].seen else {
            panic!("{record:?}");
        };
        assert_eq!((kept.packages.len(), kept.more), (8, 3));
    }

    #[test]
    fn what_was_refused_stays_though_other_things_happen_and_what_is_dropped_is_counted() {
        let mut record = GuardRecord::new(Timestamp(0));
        for number in 1..=6 {
            let refused = tried(number, 1, &number.to_string());
            record.take_in(&news(7, vec![refused]), Timestamp(1));
        }
        for number in 7..=12 {
            let closed = GuardEvent {
                seen: Seen::Closed {
                    by: "uid 0".to_owned(),
                },
                ..tried(number, 1, "")
            };
            record.take_in(&news(7, vec![closed]), Timestamp(1));
        }
        assert_eq!(numbers(&record), [3, 4, 5, 6, 9, 10, 11, 12]);
        assert_eq!((record.dropped, record.missed), (2, 0));
    }

    #[test]
    fn a_window_keeps_the_end_that_it_was_first_heard_to_have() {
        let mut record = GuardRecord::new(Timestamp(0));
        let open = |opened, secs| GuardNews {
            window: Some(WindowLeft {
                opened,
                by: "uid 1000".to_owned(),
                reason: "disk".to_owned(),
                left: Duration::from_secs(secs),
            }),
            ..news(0, Vec::new())
        };
        record.take_in(&open(5, 60), Timestamp(0));
        assert!(record.knows(&open(5, 10)));
        record.take_in(&open(5, 60), Timestamp(30_000));
        let until = |record: &GuardRecord| record.window.as_ref().unwrap().until;
        assert_eq!(until(&record), Timestamp(60_000));
        assert!(!record.knows(&open(6, 60)));
        record.take_in(&open(6, 60), Timestamp(30_000));
        assert_eq!(until(&record), Timestamp(90_000));
        record.take_in(&news(0, Vec::new()), Timestamp(31_000));
        assert_eq!(record.window, None);
    }

    #[test]
    fn how_long_it_stands_so_is_counted_from_the_change() {
        let mut record = GuardRecord::new(Timestamp(1));
        let enforce = GuardNews {
            state: GuardState {
                mode: GuardMode::Enforce,
                lost: Vec::new(),
            },
            ..news(0, Vec::new())
        };
        for now in [5, 9] {
            record.take_in(&enforce, Timestamp(now));
            assert_eq!(record.since, Timestamp(5));
        }
    }
}
