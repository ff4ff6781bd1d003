//! Where a process's clock is anchored.
//!
//! A process reads the system's wall clock once, and counts from there with the boot-time clock, which nobody
//! sets. The anchor is kept on disk, so that a process that starts again in the same boot tells the same time,
//! whatever was done to the wall clock meanwhile. A new boot takes the wall clock anew, since nobody counted
//! while the machine was off, and goes not behind what was stored before.

use super::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// How far the wall clock may be from an anchored one before that is told: clocks that are disciplined differ by
/// far less, and an hour's drift of a bad oscillator is a third of a second (guess).
const TOLERATED: Duration = Duration::from_secs(60);

/// What was shown at one moment by the clocks of one boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The boot that it holds for. Not empty.
    pub boot_id: String,
    /// The boot-time clock, in milliseconds.
    pub uptime: u64,
    /// The moment.
    pub at: Timestamp,
}

/// How far the wall clock was set from where an anchored clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WallStep {
    /// It shows a later moment.
    Ahead(Duration),
    /// It shows an earlier one.
    Behind(Duration),
}

impl Anchor {
    /// The kept anchor while it is of the same boot, else this one, which was read just now.
    #[must_use]
    pub fn or_kept(self, kept: Option<Self>) -> Self {
        kept.filter(|kept| kept.boot_id == self.boot_id && kept.uptime <= self.uptime)
            .unwrap_or(self)
    }

    /// The moment when the boot-time clock shows `uptime`, in milliseconds.
    pub fn moment(&self, uptime: u64) -> Timestamp {
        let passed = uptime.saturating_sub(self.uptime);
        self.at.after(Duration::from_millis(passed))
    }

    /// The same, put forward where it would show a moment before `earlier` at `uptime`.
    #[must_use]
    pub fn not_before(self, earlier: Timestamp, uptime: u64) -> Self {
        match self.moment(uptime) < earlier {
            true => Self {
                uptime,
                at: earlier,
                ..self
            },
            false => self,
        }
    }

    /// How far the wall clock is from this one, at `uptime`. Nothing: by less than a minute.
    pub fn wall_step(&self, uptime: u64, wall: Timestamp) -> Option<WallStep> {
        let own = self.moment(uptime);
        let step = match wall >= own {
            true => WallStep::Ahead(wall.since(own)),
            false => WallStep::Behind(own.since(wall)),
        };
        (step.size() > TOLERATED).then_some(step)
    }
}

impl WallStep {
    /// How far, in either direction.
    pub fn size(self) -> Duration {
        match self {
            Self::Ahead(size) | Self::Behind(size) => size,
        }
    }

    /// How far ahead, in seconds; below 0 where it is behind.
    pub fn seconds(self) -> i64 {
        let size = i64::try_from(self.size().as_secs()).unwrap_or(i64::MAX);
        match self {
            Self::Ahead(_) => size,
            Self::Behind(_) => -size,
        }
    }
}

impl fmt::Display for WallStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, word) = match self {
            Self::Ahead(size) => (size, "ahead of"),
            Self::Behind(size) => (size, "behind"),
        };
        let size = crate::duration::format(Duration::from_secs(size.as_secs()));
        write!(
            f,
            "the system's clock is {size} {word} the time that this process counts by"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(boot_id: &str, uptime: u64, at: u64) -> Anchor {
        Anchor {
            boot_id: boot_id.to_owned(),
            uptime,
            at: Timestamp(at),
        }
    }

    #[test]
    fn an_anchor_holds_for_its_boot_and_no_longer() {
        let kept = anchor("a", 100, 5_000);
        let stepped = anchor("a", 200, 9_000_000);
        let rebooted = anchor("b", 10, 6_000);
        assert_eq!(stepped.or_kept(Some(kept.clone())), kept);
        assert_eq!(rebooted.clone().or_kept(Some(kept)), rebooted);
        // A boot-time clock that runs behind is another one.
        let younger = anchor("b", 5, 7_000);
        assert_eq!(younger.clone().or_kept(Some(rebooted)), younger);
    }

    #[test]
    fn time_goes_on_by_the_boot_time_clock_and_never_back() {
        let anchor = anchor("a", 100, 5_000);
        assert_eq!(anchor.moment(350), Timestamp(5_250));
        let later = anchor.clone().not_before(Timestamp(9_000), 350);
        assert_eq!(later.moment(360), Timestamp(9_010));
        assert_eq!(anchor.clone().not_before(Timestamp(5_200), 350), anchor);
    }

    #[test]
    fn a_step_of_the_wall_clock_is_told_and_drift_is_not() {
        let anchor = anchor("a", 0, 1_000_000_000);
        let step = |wall| {
            anchor
                .wall_step(0, Timestamp(wall))
                .map(|step| step.to_string())
        };
        assert_eq!(step(1_000_060_000), None);
        let said = "the system's clock is 2h behind the time that this process counts by";
        assert_eq!(step(1_000_000_000 - 7_200_000).unwrap(), said);
        let said = "the system's clock is 72h ahead of the time that this process counts by";
        assert_eq!(step(1_000_000_000 + 259_200_000).unwrap(), said);
    }
}
