//! Where a host stands on its way back to all of its traffic. Pure: time comes in as what has passed since
//! the way began.
//!
//! ```text
//!          well once                well for the step's time                 the same
//!   down -------------> first step -------------------------> next ... last ----------> all
//!    ^  (after a step back: for    |                            |
//!    |   the step's time)          | not well                   | not well
//!    +-----------------------------+    first <-----------------+        at the third: given up
//! ```

use crate::checks::{stability, verdict::Verdict};
use cofferdam_engine::policy::FAILED_VERDICTS;
use std::time::Duration;

/// How often a host may step back; the last time it is given up: a patch under which a host cannot bear
/// its traffic is no better than one that fails its checks so often.
pub(super) const STEPS_BACK: u32 = FAILED_VERDICTS;

/// Where a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It has no traffic.
    Down,
    /// It has the part of this step, from 0.
    Step(usize),
    /// It has all.
    All,
}

/// What a look at the host comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It goes on, at the same place or at another one.
    GoesOn,
    /// It has stepped back too often.
    GivenUp,
}

/// The way of one host.
#[derive(Debug, Clone)]
pub(super) struct Climb {
    /// The part of each step, in percent.
    percents: Vec<u8>,
    /// How long the host must be well in each.
    step: Duration,
    place: Place,
    /// Since when it is well there, without a break. Absent: it is not, or nobody knows.
    well_since: Option<Duration>,
    steps_back: u32,
}

impl Climb {
    /// A host that begins without traffic.
    pub(super) fn from_down(percents: &[u8], step: Duration) -> Self {
        Self {
            percents: percents.to_vec(),
            step,
            place: Place::Down,
            well_since: None,
            steps_back: 0,
        }
    }

    /// A host that has a part already: it goes on from the step that this is enough for.
    pub(super) fn from_part(percents: &[u8], step: Duration, has: u64) -> Self {
        let enough_for = percents.iter().rposition(|&part| u64::from(part) <= has);
        let place = match enough_for {
            _ if has >= 100 => Place::All,
            Some(at) => Place::Step(at),
            None => Place::Down,
        };
        Self {
            place,
            ..Self::from_down(percents, step)
        }
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// How much it has there, and at the place that follows, in percent.
    pub(super) fn parts(&self) -> (u8, u8) {
        let part = |at: usize| self.percents.get(at).copied().unwrap_or(100);
        match self.place {
            Place::Down => (0, part(0)),
            Place::Step(at) => (part(at), part(at + 1)),
            Place::All => (100, 100),
        }
    }

    /// How often it stepped back.
    pub(super) fn steps_back(&self) -> u32 {
        self.steps_back
    }

    /// How long to wait between two looks.
    pub(super) fn interval(&self) -> Duration {
        stability::interval(self.step)
    }

    /// Takes a look that began at `now`.
    ///
    /// No data neither steps back nor counts as well: the step's time begins anew after it.
    pub(super) fn observe(&mut self, now: Duration, verdict: Verdict) -> Judgement {
        match verdict {
            Verdict::Pass => {
                let since = *self.well_since.get_or_insert(now);
                if now.saturating_sub(since) >= self.needs() {
                    self.place = self.next();
                    self.well_since = Some(now);
                }
            }
            Verdict::NoData => self.well_since = None,
            Verdict::Fail => {
                self.well_since = None;
                self.step_back();
                if self.steps_back >= STEPS_BACK {
                    return Judgement::GivenUp;
                }
            }
        }
        Judgement::GoesOn
    }

    fn needs(&self) -> Duration {
        match self.place {
            // Verify has just ended.
            Place::Down if self.steps_back == 0 => Duration::ZERO,
            Place::Down | Place::Step(_) | Place::All => self.step,
        }
    }

    fn next(&self) -> Place {
        let next = match self.place {
            Place::Down => 0,
            Place::Step(at) => at + 1,
            Place::All => return Place::All,
        };
        match next < self.percents.len() {
            true => Place::Step(next),
            false => Place::All,
        }
    }

    fn step_back(&mut self) {
        let lower = match self.place {
            Place::Down => return,
            Place::Step(at) => at.checked_sub(1),
            Place::All => self.percents.len().checked_sub(1),
        };
        self.place = lower.map_or(Place::Down, Place::Step);
        self.steps_back += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Judgement::{GivenUp, GoesOn},
        Place::{All, Down, Step},
        Verdict::{Fail, NoData, Pass},
        *,
    };

    const STEP: Duration = Duration::from_secs(2);

    /// One look a second: where the host stands after each.
    fn climb(mut climb: Climb, verdicts: &[Verdict]) -> (Vec<Place>, Judgement) {
        let mut places = Vec::new();
        for (now, &verdict) in (0..).map(Duration::from_secs).zip(verdicts) {
            let judgement = climb.observe(now, verdict);
            places.push(climb.place());
            if judgement == GivenUp {
                return (places, GivenUp);
            }
        }
        (places, GoesOn)
    }

    fn from_down(verdicts: &[Verdict]) -> (Vec<Place>, Judgement) {
        climb(Climb::from_down(&[10, 50], STEP), verdicts)
    }

    #[test]
    fn a_host_that_stays_well_is_given_more_step_by_step() {
        let (places, _) = from_down(&[Pass; 5]);
        assert_eq!(places, [Step(0), Step(0), Step(1), Step(1), All]);
    }

    #[test]
    fn one_bad_look_steps_back_and_the_way_goes_on_when_it_is_well_for_the_step_again() {
        let verdicts = [
            Pass, Pass, Pass, Fail, Pass, Pass, Pass, Fail, Fail, Pass, Pass, Pass,
        ];
        let (places, judgement) = from_down(&verdicts);
        let back = [
            Step(0),
            Step(0),
            Step(1),
            Step(0),
            Step(0),
            Step(0),
            Step(1),
        ];
        assert_eq!(places[..7], back);
        assert_eq!(places[7..9], [Step(0), Down]);
        assert_eq!(judgement, GivenUp, "the third step back");
    }

    #[test]
    fn a_host_that_fails_at_the_first_step_has_no_traffic_until_it_was_well_for_the_steps_time() {
        let (places, judgement) = from_down(&[Pass, Fail, Fail, Fail, Fail, Pass, Pass, Pass]);
        let down = [Step(0), Down, Down, Down, Down, Down, Down, Step(0)];
        assert_eq!((&places[..], judgement), (&down[..], GoesOn));
    }

    #[test]
    fn no_data_is_no_reason_to_step_back_nor_to_go_on() {
        let (places, _) = from_down(&[NoData, Pass, Pass, NoData, Pass, Pass, NoData, NoData]);
        assert_eq!(places[..2], [Down, Step(0)]);
        assert!(places[2..].iter().all(|&place| place == Step(0)));
    }

    #[test]
    fn an_agent_that_starts_again_goes_on_from_what_the_host_has() {
        for (has, place) in [
            (5, Down),
            (10, Step(0)),
            (49, Step(0)),
            (99, Step(1)),
            (100, All),
        ] {
            let climb = Climb::from_part(&[10, 50], STEP, has);
            assert_eq!(climb.place(), place, "{has}");
        }
        let (places, _) = climb(Climb::from_part(&[10, 50], STEP, 10), &[Pass; 3]);
        assert_eq!(places, [Step(0), Step(0), Step(1)]);
        assert_eq!(Climb::from_part(&[10, 50], STEP, 50).parts(), (50, 100));
    }
}
