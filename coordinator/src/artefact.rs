//! The region's artefact store: files by the SHA-256 of their content.
//!
//! ```text
//!  operator: put -----+                          +--> fetch: by hash, from a byte on, at a rate
//!  agent: supply -----+--> upload --> objects ---+
//!     ^               hash and size     |        +--> collect: what nothing needs goes
//!     |               proved first      v
//!  desk: one host brings a file,     index: what is there, which package, how large
//!  the others wait for the store
//! ```
//!
//! An object is written under a name of its own and gets its hash for a name only when both hash and
//! size are proved, so that a name is absent or holds the whole content; what a crash leaves behind
//! has no such name, and goes at the next start. It is proved again before it is served for the first
//! time, and whenever it is another object than the one that was proved.

mod collect;
mod desk;
mod figures;
mod index;
mod limits;
mod needs;
mod objects;
mod pace;
mod read;
mod upload;

pub(crate) use self::{
    collect::{keep, sweep},
    desk::NotAsked,
};
pub use self::{
    figures::Figures,
    limits::Limits,
    objects::{Location, OpenError},
    read::{FetchError, Reading},
    upload::{PutError, Upload},
};

use self::{
    desk::{Answer, Desk, Subject},
    index::{Entry, Index},
    objects::Objects,
    pace::Pace,
};
use cofferdam_engine::{digest::Digest, id::HostId, patch::LockedFile, time::Timestamp};
use cofferdam_proto::artefact::{
    FindArtefacts, MAX_BUILDS, PackageFile, SuppliedArtefact, WantedArtefact, Whereabouts,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep_until},
};

/// The bytes that travel in one message (a quarter of gRPC's usual limit of 4 MiB would do; 64 KiB
/// keep the memory of a thousand transfers below 64 MiB).
pub const CHUNK_BYTES: usize = 64 * 1024;

/// How long an agent's question is kept when all that it asks for is on its way (guess: few calls, and
/// well within what a call may take).
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// The artefact store of a region. Clones are the same one.
#[derive(Debug, Clone)]
pub struct ArtefactStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    objects: Objects,
    limits: Limits,
    state: Mutex<State>,
    /// Changes when a file came in, or a host gave up bringing one.
    news: watch::Sender<u64>,
    incoming: Arc<Semaphore>,
    outgoing: Arc<Semaphore>,
    /// Held while an object is proved: one at a time, so that a restart does not read all at once.
    proving: tokio::sync::Mutex<()>,
    pace: Pace,
    figures: Figures,
}

#[derive(Debug, Default)]
struct State {
    index: Index,
    desk: Desk,
}

/// A file that the store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The digest of its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// When it was stored last.
    pub stored_at: Timestamp,
    /// Which package it is. Absent: another file.
    pub package: Option<PackageFile>,
}

impl ArtefactStore {
    /// Opens a store, and clears what a crash left half done.
    ///
    /// # Errors
    /// [`OpenError`] when its place cannot be read or written.
    pub async fn open(location: &Location, limits: Limits) -> Result<Self, OpenError> {
        let objects = Objects::open(location)?;
        objects.clear_leftovers().await?;
        let index = objects.index().await?;
        let figures = Figures::default();
        figures.holds(&index);
        Ok(Self {
            shared: Arc::new(Shared {
                objects,
                incoming: Arc::new(Semaphore::new(limits.transfers)),
                outgoing: Arc::new(Semaphore::new(limits.transfers)),
                pace: Pace::new(limits.rate),
                limits,
                state: Mutex::new(State {
                    index,
                    desk: Desk::default(),
                }),
                news: watch::Sender::new(0),
                proving: tokio::sync::Mutex::default(),
                figures,
            }),
        })
    }

    /// What it counts.
    pub fn figures(&self) -> &Figures {
        &self.shared.figures
    }

    /// What it may take and hold.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// The size of a stored file in bytes. Nothing when it is not stored.
    pub fn size(&self, digest: &Digest) -> Option<u64> {
        self.state().index.get(digest).map(|entry| entry.size)
    }

    /// All that it holds, in order of digests.
    pub fn list(&self) -> Vec<Stored> {
        let stored = |(digest, entry): (&Digest, &Entry)| Stored {
            digest: *digest,
            size: entry.size,
            stored_at: entry.stored_at,
            package: entry.package.clone(),
        };
        self.state().index.iter().map(stored).collect()
    }

    /// Says where package files are to be had from: at once where there is something to do, else when
    /// there is, or after a while.
    pub(crate) async fn find(&self, host: &HostId, asked: &FindArtefacts) -> Vec<Whereabouts> {
        self.give_up(host, &asked.cannot);
        let deadline = Instant::now() + ANSWER_WITHIN;
        let mut news = self.shared.news.subscribe();
        loop {
            news.mark_unchanged();
            let (found, wake) = self.look(host, &asked.wanted);
            let is_open = |(wanted, found): (&WantedArtefact, &Whereabouts)| {
                !wanted.has_it && matches!(found, Whereabouts::Wait { .. })
            };
            let must_wait = asked.wanted.iter().zip(&found).all(is_open);
            if !must_wait || found.is_empty() || Instant::now() >= deadline {
                self.shared.figures.answered(&asked.wanted, &found);
                return found;
            }
            let wake = wake.map_or(deadline, |wake| wake.min(deadline));
            tokio::select! {
                biased;
                changed = news.changed() => if changed.is_err() { return found },
                () = sleep_until(wake) => {}
            }
        }
    }

    /// Each file's whereabouts now, and when they may be others though nothing comes in.
    fn look(
        &self,
        host: &HostId,
        wanted: &[WantedArtefact],
    ) -> (Vec<Whereabouts>, Option<Instant>) {
        let limits = &self.shared.limits;
        let now = Instant::now();
        let mut state = self.state();
        let mut to_bring = 0_u64;
        let mut found = Vec::with_capacity(wanted.len());
        for one in wanted {
            if let Some(file) = state.index.find(one) {
                found.push(Whereabouts::Stored(file));
                continue;
            }
            if state.index.has_enough_for(one) {
                let reason =
                    format!("the store has {MAX_BUILDS} files of it that are not this one");
                found.push(Whereabouts::Elsewhere { reason });
                continue;
            }
            let size = one.locked.as_ref().map_or(0, |file| file.size);
            if let Some(reason) = limits.refuse_package(size) {
                found.push(Whereabouts::Elsewhere { reason });
                continue;
            }
            let patience = limits.patience(to_bring.saturating_add(size));
            let answer = state.desk.ask(host, one, patience, now);
            if matches!(answer, Answer::Bring) {
                to_bring = to_bring.saturating_add(size);
            }
            found.push(answer.into());
        }
        (found, state.desk.next_expiry())
    }

    /// Takes in what a host was told to bring and cannot.
    fn give_up(&self, host: &HostId, cannot: &[WantedArtefact]) {
        if cannot.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut state = self.state();
        for one in cannot {
            state.desk.cannot(host, &Subject::of(one), now);
        }
        drop(state);
        self.tell_news();
    }

    /// Takes in that a host brought a file in vain.
    pub(crate) fn failed(&self, host: &HostId, supplied: &SuppliedArtefact) {
        let now = Instant::now();
        let mut state = self.state();
        for subject in Subject::both(supplied) {
            state.desk.cannot(host, &subject, now);
        }
        drop(state);
        self.tell_news();
    }

    /// Takes in that a host's session ended: it brings nothing any more.
    pub(crate) fn gone(&self, host: &HostId) {
        if self.state().desk.gone(host, Instant::now()) {
            self.tell_news();
        }
    }

    /// Whether a host is the one that brings a file.
    ///
    /// # Errors
    /// [`NotAsked`] when it is not.
    pub(crate) fn check_supplier(
        &self,
        host: &HostId,
        supplied: &SuppliedArtefact,
    ) -> Result<(), NotAsked> {
        self.state().desk.check(host, supplied)
    }

    /// Takes in that more of a file came from the host that brings it.
    pub(crate) fn goes_on(&self, host: &HostId, supplied: &SuppliedArtefact) {
        self.state().desk.goes_on(host, supplied, Instant::now());
    }

    /// What these hosts wait for, one line a file. Empty: nothing.
    pub(crate) fn waits(&self, is_meant: impl Fn(&HostId) -> bool) -> Vec<String> {
        self.state().desk.waits(is_meant, Instant::now())
    }

    fn tell_news(&self) {
        self.shared.news.send_modify(|number| *number += 1);
    }

    /// Nothing panics while it holds the lock, so what it guards is whole even then.
    fn state(&self) -> MutexGuard<'_, State> {
        let locked = self.shared.state.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Answer> for Whereabouts {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Bring => Self::Bring,
            Answer::Wait(reason) => Self::Wait { reason },
            Answer::Elsewhere(reason) => Self::Elsewhere { reason },
        }
    }
}

/// The exact file of an index entry.
fn locked(digest: Digest, size: u64) -> LockedFile {
    LockedFile {
        sha256: digest,
        size,
    }
}

#[cfg(test)]
mod tests;
