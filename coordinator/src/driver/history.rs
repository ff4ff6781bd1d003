//! The fleet's history as the store keeps it: events with their moments, and checkpoints.

use crate::store::{Loaded, Record};
use cofferdam_engine::{
    fleet::{Fleet, FleetError, FleetEvent},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The form of events and checkpoints that this release writes.
const VERSION: u32 = 1;

/// An event as it is stored: JSON, so that a record can be read by people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry<E> {
    version: u32,
    at: Timestamp,
    event: E,
}

/// A checkpoint as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Checkpoint<F> {
    version: u32,
    at: Timestamp,
    fleet: F,
}

/// Why a stored history cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A later release wrote it.
    #[error(
        "{what} has version {found}, this release reads up to {VERSION}: install the later release"
    )]
    Version {
        /// What was read.
        what: String,
        /// The version that it says.
        found: u32,
    },
    /// It is not of the form that belongs there, though its checksum is right.
    #[error("{what} cannot be read: install the release that wrote it, or restore a backup")]
    Malformed {
        /// What was read.
        what: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The state refuses an event that it took when it was stored.
    #[error("{what} does not fit the history before it: install the release that wrote it")]
    Refused {
        /// Which.
        what: String,
        /// Why.
        #[source]
        source: Box<FleetError>,
    },
}

/// A history, replayed.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    /// The state after it.
    pub(crate) fleet: Fleet,
    /// The moment of its last event.
    pub(crate) at: Timestamp,
}

/// Replays what a store held.
///
/// # Errors
/// [`HistoryError`], which names the record.
pub(crate) fn replay(loaded: &Loaded) -> Result<Replayed, HistoryError> {
    let mut replayed = match &loaded.checkpoint {
        Some(bytes) => read_checkpoint(bytes)?,
        None => Replayed::default(),
    };
    for (i, record) in loaded.records.iter().enumerate() {
        let what = || format!("record {} after the checkpoint", i + 1);
        let entry = read_entry(record, what)?;
        replayed.at = replayed.at.max(entry.at);
        replayed
            .fleet
            .apply(&entry.event, entry.at)
            .map_err(|source| HistoryError::Refused {
                what: what(),
                source: Box::new(source),
            })?;
    }
    Ok(replayed)
}

/// A history as it is stored.
#[derive(Debug, Default)]
pub struct StoredHistory {
    /// The fleet before its first event. Empty where no checkpoint was made yet.
    pub before: Fleet,
    /// What happened since, in order.
    pub events: Vec<(Timestamp, FleetEvent)>,
}

/// Reads what a store held, to be looked at.
///
/// # Errors
/// [`HistoryError`], which names the record.
pub fn read_history(loaded: &Loaded) -> Result<StoredHistory, HistoryError> {
    let before = match &loaded.checkpoint {
        Some(bytes) => read_checkpoint(bytes)?.fleet,
        None => Fleet::default(),
    };
    let entries = loaded.records.iter().enumerate().map(|(i, record)| {
        let what = || format!("record {} after the checkpoint", i + 1);
        let entry = read_entry(record, what)?;
        Ok((entry.at, entry.event))
    });
    let events = entries.collect::<Result<_, HistoryError>>()?;
    Ok(StoredHistory { before, events })
}

/// An event, to be stored.
pub(crate) fn write_entry(at: Timestamp, event: &FleetEvent) -> Record {
    let version = VERSION;
    Record(json(&Entry { version, at, event }))
}

/// The state, as a checkpoint of it is stored.
pub fn write_checkpoint(at: Timestamp, fleet: &Fleet) -> Vec<u8> {
    let version = VERSION;
    json(&Checkpoint { version, at, fleet })
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("the engine's types have text keys and no failing serialiser")
}

fn read_entry(
    record: &Record,
    what: impl Fn() -> String,
) -> Result<Entry<FleetEvent>, HistoryError> {
    check_version(&record.0, &what)?;
    serde_json::from_slice(&record.0).map_err(|source| HistoryError::Malformed {
        what: what(),
        source,
    })
}

fn read_checkpoint(bytes: &[u8]) -> Result<Replayed, HistoryError> {
    let what = || "the checkpoint".to_owned();
    check_version(bytes, what)?;
    let read: Result<Checkpoint<Fleet>, _> = serde_json::from_slice(bytes);
    let checkpoint = read.map_err(|source| HistoryError::Malformed {
        what: what(),
        source,
    })?;
    Ok(Replayed {
        fleet: checkpoint.fleet,
        at: checkpoint.at,
    })
}

/// Looks at the version alone, so that a later form is told from a damaged one.
fn check_version(bytes: &[u8], what: impl Fn() -> String) -> Result<(), HistoryError> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    match serde_json::from_slice::<Version>(bytes) {
        Ok(Version { version: VERSION }) => Ok(()),
        Ok(Version { version: found }) => Err(HistoryError::Version {
            what: what(),
            found,
        }),
        Err(source) => Err(HistoryError::Malformed {
            what: what(),
            source,
        }),
    }
}
