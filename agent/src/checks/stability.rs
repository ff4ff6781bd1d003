//! When a host counts as healthy after a change, and when it is not going to be.

use super::verdict::Verdict;
use cofferdam_engine::policy::FAILED_VERDICTS;
use std::time::Duration;

/// Takes one verdict after another and says when it is enough. Pure: time comes in as what has
/// passed since verify began.
#[derive(Debug, Clone)]
pub struct Stability {
    stable_for: Duration,
    first_answer: Duration,
    passing_since: Option<Duration>,
    has_passed: bool,
    failed_in_a_row: u32,
}

/// What the verdicts so far amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Not enough is known yet.
    Open,
    /// The host was well for long enough.
    Stable,
    /// It failed [`FAILED_VERDICTS`] times in a row.
    Failing,
}

impl Stability {
    /// Nothing seen yet. All signals must agree for `stable_for`; until the first pass or until
    /// `first_answer` is over, whichever is sooner, failures do not count.
    pub fn new(stable_for: Duration, first_answer: Duration) -> Self {
        Self {
            stable_for,
            first_answer,
            passing_since: None,
            has_passed: false,
            failed_in_a_row: 0,
        }
    }

    /// Takes a verdict whose checks began at `now`, counted from the beginning of verify.
    ///
    /// No data ends a stable time, and neither lengthens nor ends a row of failures: silence is no
    /// proof of recovery.
    pub fn observe(&mut self, now: Duration, verdict: Verdict) -> Judgement {
        match verdict {
            Verdict::Pass => {
                self.has_passed = true;
                self.failed_in_a_row = 0;
                let since = *self.passing_since.get_or_insert(now);
                if now.saturating_sub(since) >= self.stable_for {
                    return Judgement::Stable;
                }
            }
            Verdict::NoData => self.passing_since = None,
            Verdict::Fail => {
                self.passing_since = None;
                if self.has_passed || now >= self.first_answer {
                    self.failed_in_a_row += 1;
                }
            }
        }
        if self.failed_in_a_row >= FAILED_VERDICTS {
            return Judgement::Failing;
        }
        Judgement::Open
    }

    /// How long to wait between two verdicts.
    pub fn interval(&self) -> Duration {
        interval(self.stable_for)
    }
}

/// How long to wait between two looks at a host that must be well for a time: a second, or a fifth of a
/// shorter time, at least 100 ms.
pub fn interval(stable_for: Duration) -> Duration {
    let (least, most) = (Duration::from_millis(100), Duration::from_secs(1));
    (stable_for / 5).clamp(least, most)
}

#[cfg(test)]
mod tests {
    use super::{
        Judgement::{Failing, Open, Stable},
        Verdict::{Fail, NoData, Pass},
        *,
    };

    /// One verdict a second from second 0 on: stable for 2 s, first answer within 3 s.
    fn judge(verdicts: &[Verdict]) -> Vec<Judgement> {
        let mut stability = Stability::new(Duration::from_secs(2), Duration::from_secs(3));
        let seconds = (0..).map(Duration::from_secs);
        seconds
            .zip(verdicts)
            .map(|(now, &verdict)| stability.observe(now, verdict))
            .collect()
    }

    #[test]
    fn a_host_that_passes_for_long_enough_is_stable() {
        assert_eq!(judge(&[Pass, Pass, Pass]), [Open, Open, Stable]);
    }

    #[test]
    fn a_failure_or_no_data_begins_the_stable_time_again() {
        assert_eq!(
            judge(&[Pass, Pass, NoData, Pass, Pass, Pass]).last(),
            Some(&Stable)
        );
        assert_eq!(judge(&[Pass, Fail, Pass, Pass]), [Open; 4]);
    }

    #[test]
    fn failures_before_the_first_answer_do_not_count() {
        let verdicts = [Fail, Fail, Fail, Fail, Fail, Fail];
        assert_eq!(judge(&verdicts), [Open, Open, Open, Open, Open, Failing]);
    }

    #[test]
    fn after_the_first_pass_failures_count_at_once() {
        assert_eq!(
            judge(&[Pass, Fail, Fail, Fail]),
            [Open, Open, Open, Failing]
        );
    }

    #[test]
    fn no_data_never_passes_and_does_not_end_a_row_of_failures() {
        assert_eq!(judge(&[NoData; 20]), [Open; 20]);
        assert_eq!(
            judge(&[Pass, Fail, Fail, NoData, Fail]).last(),
            Some(&Failing)
        );
    }

    #[test]
    fn verdicts_come_often_enough_for_the_stable_time() {
        let interval =
            |millis| Stability::new(Duration::from_millis(millis), Duration::ZERO).interval();
        assert_eq!(interval(10), Duration::from_millis(100));
        assert_eq!(interval(1000), Duration::from_millis(200));
        assert_eq!(interval(60_000), Duration::from_secs(1));
    }
}
