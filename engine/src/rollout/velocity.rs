//! How fast the hosts of the present wave get over, so that the brake sees work that stands still
//! although nothing fails.
//!
//! Time is cut into slots, a tenth of `velocity_over` each, and the last ten full ones are a *span*.
//! The present span is held against the best span of the wave. Hosts that people, windows, bakes and
//! floors keep from starting are not at work, so a span is compared only while about as many hosts
//! are at work as in the best one: at least half as many on the average, and no fewer than
//! `velocity_least`, on the average and now (one slow host is no collapse). Hosts that have just begun are
//! at work and cannot be over, many at once where a region opens: so `velocity_least` of them must have
//! been at work for twice as long as the runs that passed took. Where runs take longer than a span on the
//! average, spans say nothing, and neither does the brake.
//!
//! The record begins anew with each wave, when the rollout goes on after a pause, and when the
//! coordinator starts: what happened while it was away is not known.

use super::Rollout;
use crate::{
    duration,
    id::HostId,
    policy::BrakeRule,
    time::{Timestamp, millis},
    warrant::Outcome,
};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// How many slots a span has (guess: a finding is at most a tenth of a span late).
const SLOTS: u32 = 10;

/// How many times as long as those that passed a host is at work that should be over (guess: what takes
/// twice as long may be a slow kind of hosts; many such at once are none).
const LATE: u64 = 2;

/// What is known of the velocity of a wave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Velocity {
    /// The hosts that are ordered and not over, each since when.
    at_work: BTreeMap<HostId, Timestamp>,
    record: Record,
}

/// The slots of a wave so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Record {
    /// When the present slot began.
    began: Timestamp,
    /// Up to when its work is counted.
    counted: Timestamp,
    present: Work,
    /// The last full slots, oldest first: at most a span.
    full: VecDeque<Work>,
    /// The span in which most hosts were over.
    best: Work,
    /// Runs that passed, and the time that they took together, in milliseconds.
    passed: u64,
    passed_ms: u64,
}

/// What was done in some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Work {
    /// Hosts that passed or failed.
    over: usize,
    /// The time that hosts were at work, all together, in milliseconds.
    host_ms: u64,
}

impl Velocity {
    /// Begins the record anew; the hosts at work stay so.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.record = Record {
            began: now,
            counted: now,
            ..Record::default()
        };
    }

    /// Takes in what became of a host.
    pub(super) fn note(
        &mut self,
        host: &HostId,
        outcome: &Outcome,
        rule: &BrakeRule,
        now: Timestamp,
    ) {
        self.record.pass(self.at_work.len(), slot(rule), now);
        if *outcome == Outcome::Running {
            self.at_work.entry(host.clone()).or_insert(now);
            return;
        }
        let Some(began) = self.at_work.remove(host) else {
            return;
        };
        let record = &mut self.record;
        let (is_over, is_passed) = match outcome {
            Outcome::Passed => (true, true),
            Outcome::Failed { .. } => (true, false),
            Outcome::Waiting
            | Outcome::Running
            | Outcome::LeftOut { .. }
            | Outcome::Skipped { .. }
            | Outcome::RolledBack
            | Outcome::Gone => (false, false),
        };
        record.present.over += usize::from(is_over);
        if is_passed {
            record.passed += 1;
            record.passed_ms = record.passed_ms.saturating_add(millis(now.since(began)));
        }
    }

    /// Takes note that nothing is heard of hosts: what they do is not known, so they are at work no more.
    pub(super) fn lose(
        &mut self,
        is_lost: impl Fn(&HostId) -> bool,
        rule: &BrakeRule,
        now: Timestamp,
    ) {
        self.record.pass(self.at_work.len(), slot(rule), now);
        self.at_work.retain(|host, _| !is_lost(host));
    }

    /// Whether the wave has collapsed: hosts over in the last span, and in the best one.
    fn collapse(&self, rule: &BrakeRule, now: Timestamp) -> Option<(usize, usize)> {
        let at_work = self.at_work.len();
        if at_work < rule.velocity_least || self.record.best.over < rule.velocity_least {
            return None;
        }
        let record = self.record.passed_until(at_work, slot(rule), now);
        let (last, best) = (record.span()?, record.best);
        let is_slow = last.over < rule.velocity_share.of_rounded_up(best.over);
        let is_as_busy = last.host_ms.saturating_mul(2) >= best.host_ms
            && last.host_ms >= hosts_for(rule.velocity_least, slot(rule) * SLOTS);
        let is_told = record.passed_ms <= hosts_for(record.passed, rule.velocity_over);
        // As of the slot's beginning: between two slots time alone changes nothing.
        let is_late = || self.late(record.began) >= rule.velocity_least;
        (is_slow && is_as_busy && is_told && is_late()).then_some((last.over, best.over))
    }

    /// How many hosts had been at work at a moment for so long that they should have been over.
    fn late(&self, then: Timestamp) -> usize {
        let Record {
            passed, passed_ms, ..
        } = self.record;
        let is_late = |began: &&Timestamp| {
            hosts_for(passed, then.since(**began)) > passed_ms.saturating_mul(LATE)
        };
        self.at_work.values().filter(is_late).count()
    }
}

impl Record {
    /// As it is once time has passed in which so many hosts are at work, but for the slot that is not full.
    fn passed_until(&self, at_work: usize, slot: Duration, now: Timestamp) -> Cow<'_, Self> {
        if now < self.began.after(slot) {
            return Cow::Borrowed(self);
        }
        let mut record = self.clone();
        record.pass(at_work, slot, now);
        Cow::Owned(record)
    }

    /// Lets time pass in which so many hosts are at work.
    fn pass(&mut self, at_work: usize, slot: Duration, now: Timestamp) {
        // Slots that have left the span again by now are all alike: nothing is over in them.
        let slots = millis(now.since(self.began)) / millis(slot);
        let skipped = slots.saturating_sub(u64::from(SLOTS) + 1);
        if skipped > 0 {
            self.fill(at_work, slot);
            let long = millis(slot).saturating_mul(skipped - 1);
            self.began = self.began.after(Duration::from_millis(long));
            self.counted = self.began;
        }
        while self.began.after(slot) <= now {
            self.fill(at_work, slot);
        }
        self.work_until(at_work, now);
    }

    /// Fills the present slot, and begins the next.
    fn fill(&mut self, at_work: usize, slot: Duration) {
        let ends = self.began.after(slot);
        self.work_until(at_work, ends);
        self.full.push_back(std::mem::take(&mut self.present));
        if self.full.len() > SLOTS as usize {
            self.full.pop_front();
        }
        self.began = ends;
        if let Some(span) = self.span()
            && span.over > self.best.over
        {
            self.best = span;
        }
    }

    fn work_until(&mut self, at_work: usize, until: Timestamp) {
        let worked = hosts_for(at_work, until.since(self.counted));
        self.present.host_ms = self.present.host_ms.saturating_add(worked);
        self.counted = self.counted.max(until);
    }

    /// The last ten full slots. Nothing while there are fewer.
    fn span(&self) -> Option<Work> {
        let sum = |all: Work, slot: &Work| Work {
            over: all.over + slot.over,
            host_ms: all.host_ms.saturating_add(slot.host_ms),
        };
        let is_full = self.full.len() == SLOTS as usize;
        is_full.then(|| self.full.iter().fold(Work::default(), sum))
    }
}

/// The length of a slot: never nothing.
fn slot(rule: &BrakeRule) -> Duration {
    (rule.velocity_over / SLOTS).max(Duration::from_millis(1))
}

/// So many hosts, for so long, in milliseconds.
fn hosts_for(hosts: impl TryInto<u64>, time: Duration) -> u64 {
    let hosts = hosts.try_into().unwrap_or(u64::MAX);
    millis(time).saturating_mul(hosts)
}

impl Rollout {
    /// What the brake finds of the wave's velocity, if it must pause the rollout.
    pub(super) fn velocity_finding(&self, now: Timestamp) -> Option<String> {
        let rule = &self.plan.brake;
        let (over, best) = self.velocity.collapse(rule, now)?;
        let (at_work, span) = (
            self.velocity.at_work.len(),
            duration::format(rule.velocity_over),
        );
        Some(format!(
            "{over} hosts were over in the last {span}, with {at_work} at work; it was {best} in the wave's best {span} (brake: under {})",
            rule.velocity_share
        ))
    }

    /// When the brake looks at the wave's velocity again. Nothing while too few are at work.
    pub(super) fn looks_at_velocity(&self, now: Timestamp) -> Option<Timestamp> {
        let (rule, velocity) = (&self.plan.brake, &self.velocity);
        let is_watched = velocity.at_work.len() >= rule.velocity_least;
        is_watched.then(|| {
            let at_work = velocity.at_work.len();
            let record = velocity.record.passed_until(at_work, slot(rule), now);
            record.began.after(slot(rule))
        })
    }

    /// The coordinator started: how fast hosts were over while it was away is not known.
    pub(crate) fn owner_started(&mut self, now: Timestamp) {
        self.velocity.begin(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{policy::mins, warrant::LeftOutCause};

    const START: Timestamp = Timestamp(1_000_000);

    fn rule() -> BrakeRule {
        BrakeRule {
            velocity_over: mins(10),
            velocity_least: 10,
            ..BrakeRule::default()
        }
    }

    fn host(number: u64) -> HostId {
        HostId::new(format!("h{number}")).unwrap()
    }

    fn at(minute: u64) -> Timestamp {
        START.after(mins(minute))
    }

    /// Twenty hosts at work for so many minutes, of which so many pass each minute and are replaced.
    fn steady(velocity: &mut Velocity, minutes: std::ops::Range<u64>, each: u64) {
        for number in 0..20 {
            velocity.note(&host(number), &Outcome::Running, &rule(), at(minutes.start));
        }
        for minute in minutes {
            for number in 0..each {
                let (host, now) = (host(number), at(minute));
                velocity.note(&host, &Outcome::Passed, &rule(), now);
                velocity.note(&host, &Outcome::Running, &rule(), now);
            }
        }
    }

    fn begun() -> Velocity {
        let mut velocity = Velocity::default();
        velocity.begin(START);
        velocity
    }

    #[test]
    fn a_span_under_the_share_of_the_best_is_a_collapse() {
        for (each, after, expected) in [
            (20, 10, Some((0, 200))),
            (20, 9, None),
            (20, 2, None),
            // Never so many that it says anything.
            (0, 100, None),
        ] {
            let mut velocity = begun();
            steady(&mut velocity, 0..20, each);
            let now = at(19 + after);
            assert_eq!(
                velocity.collapse(&rule(), now).map(|(_, best)| (0, best)),
                expected,
                "{each} each minute, then none for {after} minutes"
            );
        }
    }

    /// Twenty hosts that start together and are over together, again and again, with a rest in between: in
    /// how many minutes that is called a collapse.
    fn in_step(lasts: u64, rest: u64) -> usize {
        let mut velocity = begun();
        let mut found = 0;
        for minute in 0..200 {
            let outcome = match minute % (lasts + rest) {
                0 => Some(Outcome::Running),
                passed if passed == lasts => Some(Outcome::Passed),
                _ => None,
            };
            for number in (0..20).filter(|_| outcome.is_some()) {
                let outcome = outcome.as_ref().unwrap();
                velocity.note(&host(number), outcome, &rule(), at(minute));
            }
            found += usize::from(velocity.collapse(&rule(), at(minute)).is_some());
        }
        found
    }

    #[test]
    fn many_hosts_that_have_just_begun_are_no_collapse() {
        let mut velocity = begun();
        steady(&mut velocity, 0..20, 20);
        for number in 0..20 {
            velocity.note(&host(number), &Outcome::Passed, &rule(), at(20));
        }
        for number in 0..400 {
            velocity.note(&host(number), &Outcome::Running, &rule(), at(35));
        }
        // As busy as ever by the time of all, and nobody over.
        assert_eq!(velocity.collapse(&rule(), at(36)), None);
        assert_eq!(velocity.collapse(&rule(), at(38)), Some((0, 200)));
    }

    #[test]
    fn hosts_that_start_together_and_are_over_together_are_no_collapse() {
        for lasts in 1..15 {
            assert_eq!(in_step(lasts, 3), 0, "{lasts} minutes each");
        }
    }

    #[test]
    fn a_long_wait_is_counted_as_fast_as_a_short_one() {
        let mut velocity = begun();
        steady(&mut velocity, 0..20, 20);
        let years = at(60 * 24 * 1000);
        assert_eq!(velocity.collapse(&rule(), years), Some((0, 200)));
    }

    #[test]
    fn hosts_that_are_not_at_work_do_not_make_a_wave_slow() {
        let mut velocity = begun();
        steady(&mut velocity, 0..20, 20);
        let skipped = Outcome::LeftOut {
            reason: String::new(),
            cause: LeftOutCause::Other,
        };
        for number in 0..10 {
            velocity.note(&host(number), &skipped, &rule(), at(20));
        }
        // As many as there must be.
        assert_eq!(velocity.collapse(&rule(), at(40)), Some((0, 200)));
        velocity.note(&host(10), &skipped, &rule(), at(20));
        assert_eq!(velocity.collapse(&rule(), at(40)), None);
    }

    #[test]
    fn a_record_that_began_anew_knows_no_best() {
        let mut velocity = begun();
        steady(&mut velocity, 0..20, 20);
        velocity.begin(at(20));
        assert_eq!(velocity.collapse(&rule(), at(100)), None);
    }

    #[test]
    fn a_host_is_late_once_it_takes_more_than_twice_as_long_as_those_that_passed() {
        let mut velocity = begun();
        velocity.note(&host(0), &Outcome::Running, &rule(), at(0));
        velocity.note(&host(0), &Outcome::Passed, &rule(), at(2));
        velocity.note(&host(1), &Outcome::Running, &rule(), at(2));
        assert_eq!(velocity.late(at(6)), 0);
        assert_eq!(velocity.late(Timestamp(at(6).0 + 1)), 1);
    }
}
