//! What the guard saw, as a short durable record: [`record`] is the one way in.
//!
//! The file holds the last [`MOST_EVENTS`] tries that nobody had asked for, and as many of all else, oldest
//! first, each with a number that only grows: what was refused does not fall out because others came. Hooks
//! of several processes write it, one after the other. An event that says again what the last one said of
//! the same process counts it up instead: unattended-upgrades tries package after package. A record that was
//! begun anew counts from 1 again, and is known by another number of its own.

use super::{asker::Asker, decision::Decision, places::Places};
use crate::{
    clock,
    host::durable::{self, FileError},
    identity,
};
use cofferdam_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// The most tries that nobody had asked for and that are kept, and as many of all else (guess: a screen or
/// two; a file of some 200 KB at most).
pub const MOST_EVENTS: usize = 100;

/// The most packages of one event that are named; the others are counted.
pub const MOST_PACKAGES: usize = 50;

/// How long others may hold the record: each writes some 100 KB (guess).
const HELD_WITHIN: Duration = Duration::from_secs(2);

/// The wait between two tries to hold it.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// The format of the file that this program reads and writes.
const FORMAT: u32 = 1;

/// One thing that the guard saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number on this host, from 1.
    pub number: u64,
    /// When it was seen first, by the agent's clock.
    pub at: Timestamp,
    /// How often it was seen.
    pub times: u64,
    /// What was seen.
    pub what: What,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// Somebody tried to change packages, or a unit that does so was about to start.
    Try(Try),
    /// A person opened a window.
    Allowed {
        /// How long it was to last, in milliseconds.
        for_ms: u64,
        /// Why.
        reason: String,
        /// Who.
        by: Asker,
    },
    /// A person closed a window before its end.
    Denied {
        /// Who.
        by: Asker,
    },
    /// Drop-ins are not what the guard wrote: it is not in control.
    ControlLost {
        /// The files, in order.
        files: Vec<String>,
    },
    /// They are again.
    ControlRegained,
}

/// A change of packages that somebody tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    /// What became of it.
    pub decision: Decision,
    /// The channel that it came by: `apt`, `dpkg`, `dnf` or `unit`.
    pub channel: String,
    /// Who tried.
    pub by: Asker,
    /// The packages, each as in `tea 1 -> 2`. Empty: not known.
    pub packages: Vec<String>,
    /// How many more packages there were.
    pub more: usize,
}

/// Events cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not what a guard writes.
    #[error("{} is not a file of events of format {FORMAT}", .0.display())]
    Garbled(std::path::PathBuf),
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    format: u32,
    /// Drawn when it was begun.
    #[serde(default)]
    log: u64,
    last: u64,
    /// How many tries that nobody had asked for are not kept any more.
    #[serde(default)]
    dropped: u64,
    events: Vec<Event>,
}

/// What is kept, and which record it is of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Log {
    /// The number of the record itself, drawn when it was begun. 0 where nothing happened yet.
    pub log: u64,
    /// How many tries that nobody had asked for are not kept any more, since others came.
    pub dropped: u64,
    /// The events, oldest first.
    pub events: Vec<Event>,
}

/// Writes down what was seen. A file that is garbled is begun anew: what happens now matters more.
///
/// # Errors
/// [`FileError`] when it cannot be written.
pub fn record(places: &Places, what: What) -> Result<(), FileError> {
    let path = places.events();
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).map_err(FileError::of("making", folder))?;
    let lock = folder.join("lock");
    let held = File::create(&lock).map_err(FileError::of("making", &lock))?;
    hold(&held).map_err(FileError::of("locking", &lock))?;
    let kept = read(&path).ok().flatten();
    let mut kept = kept.map_or_else(begun, Ok)?;
    let at = clock::moment(&places.clock());
    kept.add(at, what);
    let json = serde_json::to_vec_pretty(&kept).expect("plain data becomes JSON");
    durable::write(&path, &json)
}

/// Waits for the others, and not for one that was stopped while it writes.
fn hold(file: &File) -> io::Result<()> {
    let since = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if since.elapsed() < HELD_WITHIN => {
                thread::sleep(TRY_EVERY);
            }
            tried => return Ok(tried?),
        }
    }
}

/// The events that are kept, oldest first. None: nothing happened yet.
///
/// # Errors
/// [`EventsError`] when the file cannot be read or is garbled.
pub fn all(places: &Places) -> Result<Vec<Event>, EventsError> {
    Ok(log(places)?.events)
}

/// The same, with what tells this record from one that is begun anew.
///
/// # Errors
/// [`EventsError`] when the file cannot be read or is garbled.
pub fn log(places: &Places) -> Result<Log, EventsError> {
    let kept = read(&places.events())?;
    let told = |kept: Kept| Log {
        log: kept.log,
        dropped: kept.dropped,
        events: kept.events,
    };
    Ok(kept.map_or_else(Log::default, told))
}

/// Absent: there is no file.
fn read(path: &Path) -> Result<Option<Kept>, EventsError> {
    let Some(bytes) = durable::read(path)? else {
        return Ok(None);
    };
    let kept = serde_json::from_slice(&bytes).ok();
    let kept = kept.filter(|kept: &Kept| kept.format == FORMAT);
    kept.map(Some)
        .ok_or_else(|| EventsError::Garbled(path.to_owned()))
}

fn begun() -> Result<Kept, FileError> {
    Ok(Kept {
        format: FORMAT,
        log: identity::draw_incarnation()?.0,
        last: 0,
        dropped: 0,
        events: Vec::new(),
    })
}

impl Kept {
    fn add(&mut self, at: Timestamp, what: What) {
        if let (What::Try(new), Some(Event { times, what, .. })) = (&what, self.events.last_mut())
            && let What::Try(old) = what
            && old.is_like(new)
        {
            *times = times.saturating_add(1);
            old.take_in(new);
            return;
        }
        self.last = self.last.saturating_add(1);
        let is_unasked = what.is_unasked();
        self.events.push(Event {
            number: self.last,
            at,
            times: 1,
            what,
        });
        self.make_room(is_unasked);
    }

    /// Drops the oldest of one kind beyond the most that are kept.
    fn make_room(&mut self, is_unasked: bool) {
        let is_of_kind = |event: &Event| event.what.is_unasked() == is_unasked;
        let kept = self.events.iter().filter(|event| is_of_kind(event)).count();
        if kept <= MOST_EVENTS {
            return;
        }
        // Each comes alone, so that one is too many.
        if let Some(oldest) = self.events.iter().position(is_of_kind) {
            self.events.remove(oldest);
            self.dropped = self.dropped.saturating_add(u64::from(is_unasked));
        }
    }
}

impl What {
    /// Whether somebody tried to change packages and nobody had said yes to it.
    pub fn is_unasked(&self) -> bool {
        matches!(self, Self::Try(tried) if tried.decision.is_unasked())
    }
}

impl Try {
    /// A try, with as many of its packages as are kept.
    pub fn new(decision: Decision, channel: &str, by: Asker, mut packages: Vec<String>) -> Self {
        let more = packages.len().saturating_sub(MOST_PACKAGES);
        packages.truncate(MOST_PACKAGES);
        Self {
            decision,
            channel: channel.to_owned(),
            by,
            packages,
            more,
        }
    }

    /// Whether the same process does the same again.
    fn is_like(&self, other: &Self) -> bool {
        let same_process = match (self.by.manager(), other.by.manager()) {
            (Some(one), Some(two)) => (one.pid, one.started) == (two.pid, two.started),
            (None, Some(_)) | (Some(_), None) | (None, None) => false,
        };
        same_process && self.decision == other.decision && self.channel == other.channel
    }

    fn take_in(&mut self, other: &Self) {
        for package in &other.packages {
            if self.packages.contains(package) {
                continue;
            }
            if self.packages.len() < MOST_PACKAGES {
                self.packages.push(package.clone());
            } else {
                self.more = self.more.saturating_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::asker::Process;

    fn places(folder: &tempfile::TempDir) -> Places {
        Places::new(&folder.path().join("state"), &folder.path().join("run"))
    }

    fn tried(pid: i32, packages: &[&str]) -> What {
        let process = Process {
            pid,
            started: 7,
            name: "apt".to_owned(),
            command: "apt full-upgrade".to_owned(),
        };
        let by = Asker {
            processes: vec![process],
            ..Asker::default()
        };
        let packages = packages.iter().map(|&name| name.to_owned()).collect();
        What::Try(Try::new(Decision::Refused, "apt", by, packages))
    }

    #[test]
    fn events_are_kept_in_order_and_their_numbers_grow() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(&folder);
        assert_eq!(all(&places).unwrap(), []);
        for pid in 0..120 {
            record(&places, tried(pid, &["tea"])).unwrap();
        }
        let events = all(&places).unwrap();
        assert_eq!(events.len(), MOST_EVENTS);
        assert_eq!((events[0].number, events[99].number), (21, 120));
        assert_eq!(log(&places).unwrap().dropped, 20);
    }

    #[test]
    fn what_was_refused_does_not_fall_out_because_others_came() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(&folder);
        record(&places, tried(1, &["tea"])).unwrap();
        for _ in 0..101 {
            record(&places, What::ControlRegained).unwrap();
        }
        let Log {
            events, dropped, ..
        } = log(&places).unwrap();
        assert_eq!((events.len(), dropped), (101, 0));
        assert_eq!((events[0].number, events[1].number), (1, 3));
    }

    #[test]
    fn one_process_that_tries_again_and_again_is_one_event() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(&folder);
        for packages in [&["tea"][..], &["milk"], &["tea"]] {
            record(&places, tried(1, packages)).unwrap();
        }
        let events = all(&places).unwrap();
        let [event] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert_eq!(event.times, 3);
        let What::Try(tried) = &event.what else {
            panic!("{event:?}");
        };
        assert_eq!(tried.packages, ["tea", "milk"]);
    }

    #[test]
    fn more_packages_than_are_kept_are_counted() {
        let names = (0..60).map(|number| number.to_string()).collect();
        let tried = Try::new(Decision::Refused, "apt", Asker::default(), names);
        assert_eq!((tried.packages.len(), tried.more), (50, 10));
    }

    #[test]
    fn who_was_stopped_while_it_writes_keeps_nobody_waiting_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(&folder);
        record(&places, What::ControlRegained).unwrap();
        let stopped = File::open(places.events().with_file_name("lock")).unwrap();
        stopped.lock().unwrap();
        assert!(record(&places, What::ControlRegained).is_err());
        drop(stopped);
        record(&places, What::ControlRegained).unwrap();
        assert_eq!(all(&places).unwrap().len(), 2);
    }

    #[test]
    fn a_garbled_record_is_said_and_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(&folder);
        record(&places, What::ControlRegained).unwrap();
        let before = log(&places).unwrap().log;
        fs::write(places.events(), "{\"format\":2").unwrap();
        assert!(matches!(all(&places), Err(EventsError::Garbled(_))));
        record(&places, What::ControlRegained).unwrap();
        let anew = log(&places).unwrap();
        assert_eq!(anew.events.len(), 1);
        assert_ne!(anew.log, before);
    }
}
