//! The one place where the process reads a clock.
//!
//! Moments are the system's time at the start plus the boot-time clock since then, which nobody
//! sets and which counts a suspended machine's sleep too. The times in the stored log are the
//! saved anchor: after a restart no moment lies before the last stored one.

use cofferdam_engine::time::Timestamp;
use nix::time::{ClockId, clock_gettime};
use std::{
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// What tells the driver the time. Simulations bring their own.
pub trait Clock: Debug + Send + Sync + 'static {
    /// This moment; never before any that it gave earlier.
    fn now(&self) -> Timestamp;

    /// From here on, no moment lies before this one.
    fn keep_after(&self, earlier: Timestamp);
}

/// The clock of a real process.
#[derive(Debug)]
pub struct AnchoredClock {
    /// What to add to the boot-time clock's milliseconds.
    anchor_ms: AtomicU64,
}

impl AnchoredClock {
    /// A clock anchored at the system's time.
    pub fn start() -> Self {
        let system = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let system_ms = cofferdam_engine::time::millis(system);
        Self {
            anchor_ms: AtomicU64::new(system_ms.saturating_sub(since_boot_ms())),
        }
    }
}

impl Clock for AnchoredClock {
    fn now(&self) -> Timestamp {
        Timestamp(since_boot_ms().saturating_add(self.anchor_ms.load(Ordering::Relaxed)))
    }

    fn keep_after(&self, earlier: Timestamp) {
        let least = earlier.0.saturating_sub(since_boot_ms());
        self.anchor_ms.fetch_max(least, Ordering::Relaxed);
    }
}

/// Measures how long something takes, for metrics; no decision depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

fn since_boot_ms() -> u64 {
    let since_boot = clock_gettime(ClockId::CLOCK_BOOTTIME)
        .expect("Linux has had CLOCK_BOOTTIME since 2.6.39")
        .into();
    let since_boot: Duration = since_boot;
    cofferdam_engine::time::millis(since_boot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_begins_at_the_system_time() {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let apart = AnchoredClock::start()
            .now()
            .0
            .abs_diff(system.as_millis() as u64);
        assert!(apart < 1000, "{apart} ms");
    }

    #[test]
    fn time_never_lies_before_what_was_stored() {
        let clock = AnchoredClock::start();
        let stored = clock.now().after(Duration::from_secs(3600));
        clock.keep_after(stored);
        assert!(clock.now() >= stored);

        clock.keep_after(Timestamp(5));
        assert!(clock.now() >= stored);
    }
}
