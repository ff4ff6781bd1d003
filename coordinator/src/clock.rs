//! The one place where the process reads a clock.
//!
//! Moments are the system's time at the anchor plus the boot-time clock since then, which nobody
//! sets and which counts a suspended machine's sleep too. The anchor is kept in a file: a process that
//! starts again in the same boot goes on with it, so no step of the system's clock in between counts as
//! time that passed. The times in the stored log are an anchor too: no moment lies before the last
//! stored one.

use crate::tasks::Stop;
use cofferdam_engine::time::{Anchor, Timestamp, WallStep, millis};
use nix::time::{ClockId, clock_gettime};
use std::{
    fmt::Debug,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Where the kernel tells this boot from all others.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// How often the system's clock is held against the process's own (guess: a step is news for people).
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What tells the driver the time. Simulations bring their own.
pub trait Clock: Debug + Send + Sync + 'static {
    /// This moment; never before any that it gave earlier.
    fn now(&self) -> Timestamp;

    /// From here on, no moment lies before this one.
    fn keep_after(&self, earlier: Timestamp);

    /// What names the boot in which it counts. Nothing where that cannot be told.
    fn boot_id(&self) -> Option<String> {
        None
    }

    /// How far the system's clock was set from this one. Nothing: it was not.
    fn wall_step(&self) -> Option<WallStep> {
        None
    }
}

/// The clock of a real process.
#[derive(Debug)]
pub struct AnchoredClock {
    anchor: Mutex<Anchor>,
    /// Where the anchor is kept. Absent: nowhere.
    kept: Option<PathBuf>,
}

impl AnchoredClock {
    /// A clock anchored at the system's time, which goes with its process.
    pub fn start() -> Self {
        Self {
            anchor: Mutex::new(fresh("")),
            kept: None,
        }
    }

    /// A clock that goes on with the anchor which is kept at `path`, where that is of this boot.
    ///
    /// # Errors
    /// When the boot cannot be told, or the anchor cannot be read or written. One that makes no sense is made anew.
    pub fn kept_at(path: &Path) -> io::Result<Self> {
        let boot_id = fs::read_to_string(BOOT_ID)?;
        Self::kept_since(path, boot_id.trim())
    }

    fn kept_since(path: &Path, boot_id: &str) -> io::Result<Self> {
        let kept = match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).ok(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let anchor = fresh(boot_id).or_kept(kept);
        keep(path, &anchor)?;
        Ok(Self {
            anchor: Mutex::new(anchor),
            kept: Some(path.to_owned()),
        })
    }

    fn anchor(&self) -> Anchor {
        // Nobody panics while it is held.
        self.anchor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Clock for AnchoredClock {
    fn now(&self) -> Timestamp {
        self.anchor().moment(since_boot_ms())
    }

    fn keep_after(&self, earlier: Timestamp) {
        let before = self.anchor();
        let anchor = before.clone().not_before(earlier, since_boot_ms());
        if let Some(path) = &self.kept
            && anchor != before
            && let Err(error) = keep(path, &anchor)
        {
            let error = cofferdam_proto::error_chain(&error);
            tracing::warn!(error, path = %path.display(), "the clock's anchor cannot be kept");
        }
        *self.anchor.lock().unwrap_or_else(PoisonError::into_inner) = anchor;
    }

    fn boot_id(&self) -> Option<String> {
        Some(self.anchor().boot_id).filter(|boot_id| !boot_id.is_empty())
    }

    fn wall_step(&self) -> Option<WallStep> {
        self.anchor().wall_step(since_boot_ms(), wall())
    }
}

/// Says in the log when the system's clock was set, and when it is right again, until everything stops.
pub(crate) async fn watch(clock: Arc<dyn Clock>, mut stop: Stop) {
    let mut is_set = false;
    loop {
        match clock.wall_step() {
            Some(step) if !is_set => {
                tracing::warn!(%step, "the system's clock was set: windows, freezes and deadlines go by this process's own");
                is_set = true;
            }
            None if is_set => {
                tracing::info!("the system's clock is right again");
                is_set = false;
            }
            Some(_) | None => {}
        }
        tokio::select! {
            biased;
            () = stop.asked() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Writes an anchor. It is not synced: after a power cut it is another boot's, and of no use.
fn keep(path: &Path, anchor: &Anchor) -> io::Result<()> {
    let beside = path.with_extension("new");
    fs::write(&beside, serde_json::to_vec(anchor)?)?;
    fs::rename(beside, path)
}

/// The clocks as they stand.
fn fresh(boot_id: &str) -> Anchor {
    Anchor {
        boot_id: boot_id.to_owned(),
        uptime: since_boot_ms(),
        at: wall(),
    }
}

fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(millis(since.unwrap_or_default()))
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
    millis(since_boot)
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

    fn anchored(path: &Path, boot_id: &str, ahead: u64) {
        let mut anchor = fresh(boot_id);
        anchor.at = Timestamp(anchor.at.0 + ahead);
        keep(path, &anchor).unwrap();
    }

    #[test]
    fn a_process_that_starts_again_in_the_same_boot_goes_on_with_the_same_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        let three_days = 3 * 24 * 3_600_000;
        anchored(&path, "a", three_days);
        let clock = AnchoredClock::kept_since(&path, "a").unwrap();
        assert!(clock.now().0 >= wall().0 + three_days - 1_000);
        let step = clock.wall_step().unwrap();
        assert!(matches!(step, WallStep::Behind(_)), "{step}");

        let rebooted = AnchoredClock::kept_since(&path, "b").unwrap();
        assert!(rebooted.now().0 <= wall().0 + 1_000);
        assert_eq!(rebooted.wall_step(), None);
    }

    #[test]
    fn what_the_store_holds_moves_the_kept_anchor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        let stored = wall().after(Duration::from_secs(3600));
        let clock = AnchoredClock::kept_since(&path, "a").unwrap();
        clock.keep_after(stored);
        assert!(clock.now() >= stored);
        let again = AnchoredClock::kept_since(&path, "a").unwrap();
        assert!(again.now() >= stored);
    }

    #[test]
    fn an_anchor_that_makes_no_sense_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        fs::write(&path, "{").unwrap();
        let clock = AnchoredClock::kept_since(&path, "a").unwrap();
        assert_eq!(clock.wall_step(), None);
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
