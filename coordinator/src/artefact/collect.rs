//! Collects what nothing needs any more.
//!
//! A file stays while a rollout needs it, while somebody reads it, and for a while after it was stored:
//! its lock file may not be started yet. Where room is short, what is not needed goes earlier, oldest
//! first.

use super::{
    ArtefactStore,
    index::{Entry, Index},
    limits::Limits,
    needs::Needs,
};
use crate::{
    driver::{DriverHandle, Stopping},
    tasks::Stop,
    view::Situation,
};
use cofferdam_engine::{digest::Digest, time::Timestamp};
use std::time::Duration;
use tokio::time::sleep;

/// How often it looks (guess: retention counts days).
const EVERY: Duration = Duration::from_secs(600);

/// What was stored so recently stays however short room is: whoever put it there is about to use it
/// (guess).
const FRESH: Duration = Duration::from_secs(3600);

/// Collects every now and then, until it is told to stop.
pub(crate) async fn keep(store: ArtefactStore, driver: DriverHandle, mut stop: Stop) {
    loop {
        tokio::select! {
            biased;
            () = stop.asked() => return,
            () = sleep(EVERY) => {}
        }
        if sweep(&store, &driver, 0).await.is_err() {
            return;
        }
    }
}

/// Collects once, and makes room for so many bytes where that is possible.
///
/// # Errors
/// [`Stopping`] when nobody can say what is needed.
pub(crate) async fn sweep(
    store: &ArtefactStore,
    driver: &DriverHandle,
    room: u64,
) -> Result<(), Stopping> {
    let retention = store.limits().retention;
    let look = move |situation: Situation<'_>| {
        let needs = Needs::of(situation.fleet, retention, situation.now);
        (needs, situation.now)
    };
    let (needs, now) = driver.ask(look).await?;
    store.collect(&needs, room, now).await;
    Ok(())
}

impl ArtefactStore {
    /// Which of these files are needed, for the list that operators see.
    pub(crate) async fn needs(&self, driver: &DriverHandle) -> Result<Needs, Stopping> {
        let retention = self.limits().retention;
        let look =
            move |situation: Situation<'_>| Needs::of(situation.fleet, retention, situation.now);
        driver.ask(look).await
    }

    async fn collect(&self, needs: &Needs, room: u64, now: Timestamp) {
        let gone = {
            let mut state = self.state();
            let gone = superfluous(&state.index, self.limits(), needs, room, now);
            for digest in &gone {
                state.index.remove(digest);
            }
            self.figures().holds(&state.index);
            gone
        };
        for digest in gone {
            match self.shared.objects.delete(&digest).await {
                Ok(()) => {
                    tracing::info!(artefact = %digest, "collected: nothing needs it any more");
                    self.figures().collected.inc();
                }
                // It is found again at the next start, and tried again then.
                Err(error) => {
                    let error = cofferdam_proto::error_chain(&error);
                    tracing::warn!(artefact = %digest, error, "cannot be collected");
                }
            }
        }
    }
}

/// What goes: what is too old, and, as long as there is no room, what is the oldest.
fn superfluous(
    index: &Index,
    limits: &Limits,
    needs: &Needs,
    room: u64,
    now: Timestamp,
) -> Vec<Digest> {
    let is_free = |(digest, entry): &(&Digest, &Entry)| {
        entry.readers == 0 && !needs.need_entry(digest, entry)
    };
    let mut free: Vec<(&Digest, &Entry)> = index.iter().filter(is_free).collect();
    free.sort_by_key(|(_, entry)| entry.stored_at);
    let mut left = index.bytes();
    let mut gone = Vec::new();
    for (digest, entry) in free {
        let is_old = entry.stored_at.after(limits.retention) <= now;
        let is_fresh = now < entry.stored_at.after(FRESH);
        let is_crowded = left.saturating_add(room) > limits.quota;
        if is_old || (is_crowded && !is_fresh) {
            left = left.saturating_sub(entry.size);
            gone.push(*digest);
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::{
        inventory::Platform,
        patch::{LockFile, Locked, LockedFile, LockedPackage, LockedPlatform, LockedSource},
        reach::Reach,
    };
    use cofferdam_proto::artefact::PackageFile;

    const NOW: Timestamp = Timestamp(100 * 24 * 3600 * 1000);

    fn platform() -> Platform {
        Platform {
            os_release: "debian-12".to_owned(),
            architecture: "amd64".to_owned(),
        }
    }

    /// A file of 10 bytes that was stored so long ago.
    fn stored(index: &mut Index, content: &str, age: Duration, package: Option<&str>) -> Digest {
        let digest = Digest::of(content);
        let package = package.map(|name| PackageFile {
            platform: platform(),
            name: name.to_owned(),
            version: content.to_owned(),
        });
        let entry = Entry {
            size: 10,
            stored_at: Timestamp(NOW.0 - u64::try_from(age.as_millis()).unwrap()),
            package,
            proved: None,
            readers: 0,
        };
        index.insert(digest, entry);
        digest
    }

    fn days(days: u64) -> Duration {
        Duration::from_secs(days * 24 * 3600)
    }

    fn needs() -> Needs {
        let mut needs = Needs::default();
        let locked = LockedPackage {
            name: "tool".to_owned(),
            version: "2".to_owned(),
            sha256: Digest::of("new"),
            size: 10,
        };
        let config = LockedSource {
            file: LockedFile {
                sha256: Digest::of("config"),
                size: 10,
            },
            of: None,
        };
        for content in [
            Locked::Packages {
                platforms: vec![LockedPlatform {
                    platform: platform(),
                    packages: vec![locked],
                    reach: Reach::Every,
                    fixes: None,
                }],
            },
            Locked::Config(config.into()),
        ] {
            let rollout = "r".to_owned();
            needs.add(&LockFile { rollout, content });
        }
        needs
    }

    #[test]
    fn what_a_rollout_or_its_way_back_needs_stays_however_old() {
        let mut index = Index::default();
        stored(&mut index, "new", days(90), Some("tool"));
        stored(&mut index, "old", days(90), Some("tool"));
        stored(&mut index, "config", days(90), None);
        let other = stored(&mut index, "other", days(90), Some("other"));
        let young = stored(&mut index, "young", days(29), None);
        let limits = Limits::default();
        let gone = superfluous(&index, &limits, &needs(), 0, NOW);
        assert_eq!(gone, [other]);
        let limits = Limits {
            quota: 50,
            ..limits
        };
        let gone = superfluous(&index, &limits, &needs(), 1000, NOW);
        assert_eq!(gone, [other, young], "all that may go, and no more");
    }

    #[test]
    fn where_room_is_short_the_oldest_goes_first_and_what_is_fresh_or_read_stays() {
        let mut index = Index::default();
        let oldest = stored(&mut index, "a", days(9), None);
        let read = stored(&mut index, "b", days(8), None);
        let older = stored(&mut index, "c", days(7), None);
        stored(&mut index, "d", Duration::from_secs(60), None);
        index.get_mut(&read).unwrap().readers = 1;
        let limits = Limits {
            quota: 40,
            ..Limits::default()
        };
        let free = |room| superfluous(&index, &limits, &Needs::default(), room, NOW);
        assert!(free(0).is_empty());
        assert_eq!(free(1), [oldest]);
        assert_eq!(free(30), [oldest, older]);
    }
}
