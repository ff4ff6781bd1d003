//! Watches the first minutes of a boot.

use super::{
    names::{self, Untold},
    record::Evidence,
};
use crate::{
    clock::uptime,
    host::{
        boot,
        command::Runner,
        dialled::{self, Dialled},
        owner,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};
use tokio::{
    sync::Mutex,
    task::spawn_blocking,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout_at},
};

/// How often the kernel's tables are read: a connection stands in them for a minute after its end.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long the resolver is listened to before its answers are taken in.
const LISTEN_FOR: Duration = Duration::from_secs(20);

/// Watches over the first minutes of this boot.
pub struct Watch {
    state_dir: PathBuf,
    runner: Rc<dyn Runner>,
    evidence: Mutex<Evidence>,
    /// When this system began, after the kernel's boot.
    begun: Duration,
    until: Instant,
}

impl Watch {
    /// A watch over the rest of the first `window` after a boot. Absent: it is over. An agent that was
    /// restarted goes on with what it had.
    pub fn begin(
        window: Duration,
        boot_id: &str,
        state_dir: &Path,
        runner: Rc<dyn Runner>,
    ) -> Option<Self> {
        let begun = boot::begun();
        let uptime = since(begun);
        let left = window.checked_sub(uptime)?;
        let before = Evidence::load(state_dir).unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the boot evidence begins anew");
            None
        });
        let before = before.filter(|evidence| evidence.boot == boot_id);
        let anew = || Evidence::new(boot_id.to_owned(), window, uptime);
        Some(Self {
            state_dir: state_dir.to_owned(),
            runner,
            evidence: Mutex::new(before.unwrap_or_else(anew)),
            begun,
            until: Instant::now() + left,
        })
    }

    /// Watches until the first minutes are over. What goes wrong is said, and stops nothing else.
    pub async fn watch(&self) {
        self.save(&*self.evidence.lock().await);
        // The resolver is listened to up to the end: what it said last is taken in a moment after that.
        let sockets = timeout_at(self.until, self.watch_sockets());
        let (_over, ()) = tokio::join!(sockets, self.watch_names());
        let mut evidence = self.evidence.lock().await;
        evidence.is_whole = true;
        self.save(&evidence);
        let (dialled, names) = (evidence.dialled.len(), evidence.names.len());
        tracing::info!(dialled, names, "the boot evidence is complete");
    }

    async fn watch_sockets(&self) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let evidence = self.evidence.lock().await;
            if evidence.is_full() {
                return;
            }
            let (known, has_room) = (evidence.known(), evidence.has_room());
            drop(evidence);
            let Ok(found) = spawn_blocking(move || look(&known, has_room)).await else {
                return;
            };
            match found {
                Ok(found) if found.is_empty() => {}
                Ok(found) => {
                    let mut evidence = self.evidence.lock().await;
                    let at = since(self.begun);
                    for (dialled, by) in found {
                        evidence.dialled(dialled, at, by);
                    }
                    self.save(&evidence);
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "what is dialled cannot be told");
                    return;
                }
            }
        }
    }

    async fn watch_names(&self) {
        loop {
            let began = since(self.begun);
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let heard = names::listen(&*self.runner, LISTEN_FOR.min(left)).await;
            let (is_over, is_told) = (matches!(heard, Err(Untold::NoResolver)), heard.is_ok());
            let mut evidence = self.evidence.lock().await;
            let before = evidence.clone();
            evidence.heard(began, heard);
            if *evidence != before {
                self.save(&evidence);
            }
            drop(evidence);
            if is_over {
                return;
            }
            // The resolver may start later than the agent. One that tells is listened to without a pause.
            if !is_told {
                sleep(LOOK_EVERY).await;
            }
        }
    }

    fn save(&self, evidence: &Evidence) {
        if let Err(error) = evidence.save(&self.state_dir) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the boot evidence could not be written");
        }
    }
}

/// How long ago a system began that began so long after the kernel's boot.
fn since(begun: Duration) -> Duration {
    Duration::from_millis(uptime()).saturating_sub(begun)
}

/// What is dialled now and was not before, and, where that is kept, by whom.
fn look(known: &BTreeSet<Dialled>, has_room: bool) -> io::Result<Vec<(Dialled, Option<String>)>> {
    let mut new = dialled::now()?;
    new.retain(|dialled, _| !known.contains(dialled));
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let sockets: BTreeSet<u64> = new.values().copied().filter(|inode| *inode != 0).collect();
    let owners = match has_room {
        true => owner::owners(&sockets),
        false => BTreeMap::new(),
    };
    let found = new.into_iter();
    Ok(found
        .map(|(dialled, inode)| (dialled, owners.get(&inode).map(owner::description)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::command::{Captured, Command, Exit, LocalFuture, Output, RunError};

    /// Listens for as long as it is told, and needs a moment to end.
    struct Slow;

    impl Runner for Slow {
        fn run<'a>(&'a self, command: &'a Command) -> LocalFuture<'a, Result<Output, RunError>> {
            let seconds = command
                .args
                .iter()
                .find_map(|arg| arg.to_str()?.parse().ok());
            Box::pin(async move {
                sleep(Duration::from_secs(seconds.unwrap()) + Duration::from_millis(50)).await;
                let line = br#"{"state":"success","question":[{"name":"deb.debian.org"}]}"#;
                Ok(Output {
                    exit: Exit::Status(124),
                    stdout: Captured {
                        bytes: line.to_vec(),
                        missing: 0,
                    },
                    stderr: Captured::default(),
                })
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_resolver_said_last_is_taken_in() {
        let folder = tempfile::tempdir().unwrap();
        let window = Duration::from_secs(5);
        let evidence = Evidence::new("b".to_owned(), window, Duration::ZERO);
        let watch = Watch {
            state_dir: folder.path().to_owned(),
            runner: Rc::new(Slow),
            evidence: Mutex::new(evidence),
            begun: Duration::ZERO,
            until: Instant::now() + window,
        };

        watch.watch().await;

        let kept = Evidence::load(folder.path()).unwrap().unwrap();
        assert!(kept.is_whole);
        assert_eq!(kept.names["deb.debian.org"], "success");
    }
}
