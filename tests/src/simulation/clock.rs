//! Simulated time, for the coordinator and the agents.

use cofferdam_engine::time::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// When every simulation begins: 2026-01-01.
const BEGINS: Duration = Duration::from_secs(1_767_225_600);

/// When every simulation begins.
pub(super) fn epoch() -> SystemTime {
    UNIX_EPOCH + BEGINS
}

/// Tells simulated time.
#[derive(Debug, Clone, Copy)]
pub(super) struct SimulatedClock;

/// Tells a coordinator simulated time, in a boot of its machine.
#[derive(Debug)]
pub(super) struct MachineClock {
    /// Which boot it is.
    pub(super) boot: u32,
}

fn now() -> Timestamp {
    let since = turmoil::since_epoch().expect("only simulated hosts ask");
    Timestamp::default().after(since)
}

impl cofferdam_coordinator::clock::Clock for MachineClock {
    fn now(&self) -> Timestamp {
        now()
    }

    fn boot_id(&self) -> Option<String> {
        Some(format!("boot-{}", self.boot))
    }

    fn keep_after(&self, _: Timestamp) {
        // Simulated time does not go back.
    }
}

impl cofferdam_agent::clock::Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        now()
    }
}
