//! What held a rehearsal: by rule, how much and how long.

use crate::{
    hold::Hold,
    rehearse::report::{HeldBy, since},
    time::Timestamp,
};
use std::{cmp::Reverse, collections::BTreeMap};

/// Counts what is held.
#[derive(Debug)]
pub(super) struct Holds {
    start: Timestamp,
    /// Whether all that is held is counted, each time that it changes.
    is_whole: bool,
    by_rule: BTreeMap<&'static str, HeldBy>,
    /// What was held at last. Kept where all is counted: it lasts until the next time.
    held: Vec<Hold>,
}

impl Holds {
    pub(super) fn new(start: Timestamp, is_whole: bool) -> Self {
        Self {
            start,
            is_whole,
            by_rule: BTreeMap::new(),
            held: Vec::new(),
        }
    }

    /// Takes in all that is held from a moment on.
    pub(super) fn count(&mut self, holds: &[Hold], now: Timestamp) {
        for hold in std::mem::take(&mut self.held) {
            self.lasted(&hold, now);
        }
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for hold in holds {
            *counts.entry(hold.reason.rule()).or_default() += 1;
            self.lasted(hold, now);
        }
        if self.is_whole {
            self.held = holds.to_vec();
        }
        for (rule, count) in counts {
            if let Some(held) = self.by_rule.get_mut(rule) {
                held.most = held.most.max(count);
            }
        }
    }

    fn lasted(&mut self, hold: &Hold, now: Timestamp) {
        let rule = hold.reason.rule();
        let lasts = since(hold.since.max(self.start), now);
        let held = self.by_rule.entry(rule).or_insert_with(|| HeldBy {
            rule: rule.to_owned(),
            most: 0,
            longest_ms: 0,
            such_as: String::new(),
        });
        if lasts > held.longest_ms || held.such_as.is_empty() {
            held.longest_ms = lasts;
            held.such_as = format!("{}: {}", hold.subject, hold.reason);
        }
    }

    /// What held things, the longest first.
    pub(super) fn all(&self) -> Vec<HeldBy> {
        let mut holds: Vec<HeldBy> = self.by_rule.values().cloned().collect();
        holds.sort_by_key(|held| (Reverse(held.longest_ms), held.rule.clone()));
        holds
    }
}
