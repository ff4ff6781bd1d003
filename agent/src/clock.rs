//! The agent's clock: the only place where time is read.

use crate::{
    host::durable::{self, FileError},
    identity,
};
use cofferdam_engine::time::{Anchor, Timestamp};
use nix::time::{ClockId, clock_gettime};
use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;

/// Tells the time. It never runs backwards.
pub trait Clock: 'static {
    /// The moment now.
    fn now(&self) -> Timestamp;
}

/// The host's clock: counts from an anchor with the boot-time clock, which goes on in suspend, and
/// which no step of the wall clock moves. The anchor is kept, so that a restart of the agent does
/// not take over a step either; a new boot takes a new one.
#[derive(Debug, Clone)]
pub struct SystemClock {
    anchor: Anchor,
}

/// The clocks as they stand.
fn fresh(boot_id: &str) -> Anchor {
    Anchor {
        boot_id: boot_id.to_owned(),
        uptime: uptime(),
        at: wall(),
    }
}

impl SystemClock {
    /// Starts the clock. `not_before` is the latest moment that the journal holds: a host whose
    /// wall clock was lost while it was off does not go back behind it.
    ///
    /// # Errors
    /// When the anchor cannot be read from or written to `path`. One that makes no sense is made
    /// anew.
    pub fn start(
        path: &Path,
        boot_id: &str,
        not_before: Option<Timestamp>,
    ) -> Result<Self, FileError> {
        let mut fresh = fresh(boot_id);
        fresh.at = fresh.at.max(not_before.unwrap_or_default());
        let kept = durable::read(path)?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let anchor = fresh.or_kept(kept);
        let text = serde_json::to_vec(&anchor).expect("an anchor is text and numbers");
        durable::write(path, &text)?;
        Ok(Self { anchor })
    }
}

/// The wall clock as it stands: the moment now, where no agent keeps a clock.
pub fn wall() -> Timestamp {
    Timestamp::default().after(since_1970())
}

/// The wall clock as it stands, to the nanosecond: the time since 1970, and none before that.
pub fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// The moment now, by the clock that an agent keeps at `path`, for processes beside it. Without one: by
/// the wall clock.
pub fn moment(path: &Path) -> Timestamp {
    // A clock that cannot be read, or a boot that cannot be told, is none: the wall clock is near enough
    // for a message.
    let boot_id = identity::boot_id().unwrap_or_default();
    let kept = durable::read(path).ok().flatten();
    let kept = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let anchor = fresh(&boot_id).or_kept(kept);
    SystemClock { anchor }.now()
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.anchor.moment(uptime())
    }
}

/// The boot-time clock in milliseconds: it counts from the boot, goes on in suspend, is the same for every
/// process of the host, and no step of the wall clock moves it.
///
/// # Panics
/// Never on a Linux that is younger than 2011.
pub fn uptime() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_BOOTTIME)
        .expect("every Linux since 2.6.39 has the boot-time clock");
    cofferdam_engine::time::millis(time.into())
}

/// The clock that stands still in suspend, in milliseconds: the same for every process of the host, and what
/// an agent's waits go by.
///
/// # Panics
/// Never on a Linux.
pub fn awake() -> u64 {
    let time =
        clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every Linux has the monotonic clock");
    cofferdam_engine::time::millis(time.into())
}

/// A clock that counts with tokio's time, so that a simulation drives it.
#[derive(Debug, Clone)]
pub struct TokioClock {
    start: Instant,
    at: Timestamp,
}

impl TokioClock {
    /// A clock that says `at` now.
    pub fn starting_at(at: Timestamp) -> Self {
        Self {
            start: Instant::now(),
            at,
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.at.after(self.start.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_lost_the_date_does_not_go_back_behind_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let far = Timestamp(u64::MAX / 2);
        let clock = SystemClock::start(&folder.path().join("clock"), "a", Some(far)).unwrap();
        assert!(clock.now() >= far);
    }

    #[test]
    fn processes_beside_the_agent_tell_the_time_as_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        let far = Timestamp(u64::MAX / 2);
        let boot_id = identity::boot_id().unwrap();
        SystemClock::start(&path, &boot_id, Some(far)).unwrap();
        assert!(moment(&path) >= far);
        assert!(moment(&folder.path().join("none")) < far);
    }

    #[test]
    fn a_restart_goes_on_with_the_same_anchor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        let first = SystemClock::start(&path, "a", Some(Timestamp(u64::MAX / 2))).unwrap();
        let second = SystemClock::start(&path, "a", None).unwrap();
        assert_eq!(first.anchor, second.anchor);
    }
}
