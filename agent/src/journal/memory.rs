//! A journal in memory, for simulation and tests: it outlives its agent, and fails when told to.

use super::{Durability, History, Journal, JournalError, Opened, Record};
use cofferdam_engine::id::Incarnation;
use std::{cell::RefCell, rc::Rc};

/// A journal in memory. Clones share their records, so one can be kept over a crash of the agent.
#[derive(Debug, Clone)]
pub struct MemoryJournal(Rc<RefCell<Kept>>);

#[derive(Debug)]
struct Kept {
    records: Vec<Record>,
    appends: usize,
    crash: Option<Crash>,
}

/// Where a memory journal fails, as if the agent died there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Before it stores the append of this number, counted from 1.
    Before(usize),
    /// After it stored it.
    After(usize),
}

impl MemoryJournal {
    /// A journal that holds nothing yet.
    pub fn new(incarnation: Incarnation) -> Self {
        let history = Box::new(History::begin(incarnation));
        Self(Rc::new(RefCell::new(Kept {
            records: vec![Record::Snapshot { history }],
            appends: 0,
            crash: None,
        })))
    }

    /// What an agent finds that starts on it.
    ///
    /// # Panics
    /// When its records do not follow from each other, which the driver rules out.
    pub fn open(&self) -> Opened<Self> {
        let kept = self.0.borrow();
        let mut history = History::begin(Incarnation(0));
        for record in &kept.records {
            history
                .apply(record)
                .expect("records were applied before they were stored");
        }
        Opened {
            journal: self.clone(),
            history,
            damage: None,
        }
    }

    /// Fails there, once.
    pub fn crash_at(&self, crash: Crash) {
        self.0.borrow_mut().crash = Some(crash);
    }

    /// Whether the crash that was asked for is still to come.
    pub fn crash_is_ahead(&self) -> bool {
        self.0.borrow().crash.is_some()
    }

    /// All records since the last compaction.
    pub fn records(&self) -> Vec<Record> {
        self.0.borrow().records.clone()
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, records: &[Record], _: Durability) -> Result<(), JournalError> {
        let mut kept = self.0.borrow_mut();
        kept.appends += 1;
        if kept.crash == Some(Crash::Before(kept.appends)) {
            kept.crash = None;
            return Err(JournalError::Scripted);
        }
        kept.records.extend_from_slice(records);
        if kept.crash == Some(Crash::After(kept.appends)) {
            kept.crash = None;
            return Err(JournalError::Scripted);
        }
        Ok(())
    }

    fn hold_back_room(&mut self) -> bool {
        true
    }

    fn compact(&mut self, _: &History) -> Result<(), JournalError> {
        Ok(())
    }
}
