//! What was found, as the agent keeps it in its state folder.

use super::names::Untold;
use crate::host::{
    dialled::{Dialled, Protocol},
    versioned::{self, RecordError},
};
use cofferdam_proto::error_chain;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// The most addresses and names that are kept of a boot (guess: an image that dials more is not idle).
const MOST: usize = 500;

/// The most of either that are told apart beyond those, and only counted. Where there are more, the watch over
/// them ends.
const MOST_COUNTED: usize = 10_000;

/// What a host did by itself in the first minutes of a boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What tells the boot of the host from all others.
    pub boot: String,
    /// For how many seconds after the boot it was watched, or is.
    pub seconds: u64,
    /// When the watch began, in seconds after the boot: what was before it is not known.
    pub began: u64,
    /// What was dialled.
    pub dialled: Vec<Dial>,
    /// The names that were looked up, each with the answer of the resolver: `success`, or why not.
    pub names: BTreeMap<String, String>,
    /// From when on names are known, in seconds after the boot. Absent: they are not.
    pub names_from: Option<u64>,
    /// Why names are not known, or are no longer. Absent: they are.
    pub names_unknown: Option<String>,
    /// Addresses and names beyond the most that are kept, and at least so many where they are very many.
    pub more: u64,
    /// Which those are. An agent that starts again counts them once more.
    #[serde(skip)]
    pub(super) beyond: Beyond,
    /// Whether it was watched up to the end.
    #[serde(default)]
    pub is_whole: bool,
}

/// What is counted and not kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Beyond {
    dialled: BTreeSet<Dialled>,
    names: BTreeSet<String>,
}

/// An address that was dialled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dial {
    /// What was spoken.
    pub protocol: Protocol,
    /// Where to.
    pub to: SocketAddr,
    /// When it was seen first, in seconds after the boot.
    pub at: u64,
    /// The command line and the unit of who dialled. Absent: it had ended when that was looked for.
    pub by: Option<String>,
}

impl Evidence {
    /// The evidence of a boot of which nothing is known yet.
    pub fn new(boot: String, window: Duration, uptime: Duration) -> Self {
        Self {
            boot,
            seconds: window.as_secs(),
            began: uptime.as_secs(),
            dialled: Vec::new(),
            names: BTreeMap::new(),
            names_from: None,
            names_unknown: None,
            more: 0,
            beyond: Beyond::default(),
            is_whole: false,
        }
    }

    /// What is known to have been dialled.
    pub fn known(&self) -> BTreeSet<Dialled> {
        let known = |dial: &Dial| Dialled {
            protocol: dial.protocol,
            to: dial.to,
        };
        let kept = self.dialled.iter().map(known);
        kept.chain(self.beyond.dialled.iter().copied()).collect()
    }

    /// Whether there is room to keep whom an address was dialled by.
    pub fn has_room(&self) -> bool {
        self.dialled.len() < MOST
    }

    /// Whether addresses are not even counted any more.
    pub fn is_full(&self) -> bool {
        self.beyond.dialled.len() >= MOST_COUNTED
    }

    /// Takes in that something was dialled.
    pub fn dialled(&mut self, dialled: Dialled, at: Duration, by: Option<String>) {
        if !self.has_room() {
            let is_new = !self.is_full() && self.beyond.dialled.insert(dialled);
            self.more += u64::from(is_new);
            return;
        }
        self.dialled.push(Dial {
            protocol: dialled.protocol,
            to: dialled.to,
            at: at.as_secs(),
            by,
        });
    }

    /// Takes in what was heard of the resolver since a moment after the boot.
    pub fn heard(&mut self, since: Duration, heard: Result<Vec<(String, String)>, Untold>) {
        let names = match heard {
            Ok(names) => names,
            Err(untold) => {
                self.names_unknown = Some(error_chain(&untold));
                return;
            }
        };
        self.names_from.get_or_insert(since.as_secs());
        self.names_unknown = None;
        for (name, outcome) in names {
            if self.names.len() < MOST || self.names.contains_key(&name) {
                self.names.insert(name, outcome);
            } else if self.beyond.names.len() < MOST_COUNTED {
                self.more += u64::from(self.beyond.names.insert(name));
            }
        }
    }

    /// The evidence of the newest boot that was watched. Absent: none was.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be read.
    pub fn load(state_dir: &Path) -> Result<Option<Self>, RecordError> {
        versioned::load(&path(state_dir))
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be written.
    pub fn save(&self, state_dir: &Path) -> Result<(), RecordError> {
        versioned::save(&path(state_dir), self)
    }
}

fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("evidence.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialled(port: u16) -> Dialled {
        Dialled {
            protocol: Protocol::Tcp,
            to: SocketAddr::new([10, 0, 0, 1].into(), port),
        }
    }

    fn evidence() -> Evidence {
        Evidence::new(
            "b".to_owned(),
            Duration::from_mins(5),
            Duration::from_secs(3),
        )
    }

    #[test]
    fn it_is_kept_and_shown() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Evidence::load(folder.path()).unwrap(), None);
        let mut evidence = evidence();
        let by = "apt-get update, in apt-daily.service".to_owned();
        evidence.dialled(dialled(80), Duration::from_secs(7), Some(by));
        evidence.dialled(dialled(81), Duration::from_secs(8), None);
        let refused = || Err(Untold::Refused("not now".to_owned()));
        evidence.heard(Duration::from_secs(3), refused());
        assert_eq!(evidence.names_from, None);
        let heard = |name: &str| Ok(vec![(name.to_owned(), "success".to_owned())]);
        evidence.heard(Duration::from_secs(4), heard("deb.debian.org"));
        assert_eq!(evidence.names_unknown, None);
        evidence.heard(Duration::from_secs(24), refused());
        evidence.save(folder.path()).unwrap();
        let kept = Evidence::load(folder.path()).unwrap().unwrap();
        assert_eq!(kept, evidence);
    }

    #[test]
    fn what_was_dialled_is_known() {
        let mut evidence = evidence();
        evidence.dialled(dialled(80), Duration::ZERO, None);
        assert_eq!(evidence.known(), [dialled(80)].into());
    }

    #[test]
    fn what_nobody_could_read_is_not_even_counted() {
        let mut evidence = evidence();
        for port in 0..=u16::MAX {
            evidence.dialled(dialled(port), Duration::ZERO, None);
        }
        assert!(evidence.is_full());
        assert_eq!(evidence.more, MOST_COUNTED as u64);
    }

    #[test]
    fn there_is_a_bound_and_it_is_said_what_is_beyond_it() {
        let mut evidence = evidence();
        for port in 1..=502 {
            evidence.dialled(dialled(port), Duration::ZERO, None);
            let heard = vec![(format!("n{port}"), "success".to_owned())];
            evidence.heard(Duration::ZERO, Ok(heard));
        }
        assert_eq!((evidence.dialled.len(), evidence.names.len()), (MOST, MOST));
        assert_eq!(evidence.more, 4);
        // The same once more is nothing new.
        evidence.dialled(dialled(502), Duration::ZERO, None);
        let again = vec![("n502".to_owned(), "success".to_owned())];
        evidence.heard(Duration::ZERO, Ok(again));
        assert_eq!((evidence.more, evidence.known().len()), (4, 502));
    }
}
