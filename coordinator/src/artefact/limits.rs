//! What the artefact store may take and hold.

use std::{num::NonZeroU32, time::Duration};

/// The slowest that a host may bring a file, in bytes a second: 2 Mbit/s (guess).
const SLOWEST: u64 = 256 * 1024;

/// What the artefact store may take and hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of all files. Default 20 GiB.
    pub quota: u64,
    /// The most bytes of one file. Default 1 GiB.
    pub largest: u64,
    /// The most bytes a second that all agents together are sent. Absent, the default: as fast as
    /// they come.
    pub rate: Option<NonZeroU32>,
    /// How many files may be on their way at once, each way. Default 32.
    pub transfers: usize,
    /// Whether package files are kept. Otherwise every host asks its own repositories. Default yes.
    pub packages: bool,
    /// How long a host may take to bring a file before another one does, beside the time that its size
    /// takes. Default 2 min.
    pub supply_within: Duration,
    /// How long a file stays that no rollout needs, and a rollout that is over needs its own. Default
    /// 30 days.
    pub retention: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A closure of a few hundred packages, new and old, for a few platforms and months (guess).
            quota: 20 << 30,
            // The largest package of Debian 12 has some 700 MB.
            largest: 1 << 30,
            rate: None,
            // 32 windows of 256 KiB each way (guess).
            transfers: 32,
            packages: true,
            // apt's own time-out is 30 s a try, and it tries three times.
            supply_within: Duration::from_secs(120),
            // A rollout is rolled back within days, and a monthly one meets the one before (guess).
            retention: Duration::from_secs(30 * 24 * 3600),
        }
    }
}

impl Limits {
    /// Why a package file of this size is not kept. Nothing when it is.
    pub(super) fn refuse_package(&self, size: u64) -> Option<String> {
        if !self.packages {
            return Some("this region keeps no packages".to_owned());
        }
        let largest = self.largest.min(self.quota);
        (size > largest).then(|| format!("the store takes files of at most {largest} bytes"))
    }

    /// How long a host may take to bring so many bytes.
    pub(super) fn patience(&self, bytes: u64) -> Duration {
        self.supply_within
            .saturating_add(Duration::from_secs(bytes / SLOWEST))
    }
}
