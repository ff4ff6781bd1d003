//! The store of simulations: as durable as the [`MemoryDisk`] it is on.

use super::{Loaded, Record, Store, StoreError};
use std::{
    future::{Future, ready},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What outlives a simulated process. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk(Arc<Mutex<Loaded>>);

impl MemoryDisk {
    /// What the disk holds now.
    pub fn content(&self) -> Loaded {
        self.locked().clone()
    }

    /// Puts back what the disk held once, as whoever restores a backup does.
    pub fn set_back(&self, content: Loaded) {
        *self.locked() = content;
    }

    fn locked(&self) -> MutexGuard<'_, Loaded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store on a [`MemoryDisk`]. Each append takes no time and never fails.
#[derive(Debug, Default)]
pub struct MemoryStore {
    disk: MemoryDisk,
}

impl MemoryStore {
    /// The store that is on a disk.
    pub fn on(disk: &MemoryDisk) -> Self {
        Self { disk: disk.clone() }
    }
}

impl Store for MemoryStore {
    fn load(&mut self) -> impl Future<Output = Result<Loaded, StoreError>> + Send {
        ready(Ok(self.disk.content()))
    }

    fn append(
        &mut self,
        records: Vec<Record>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.disk.locked().records.extend(records);
        ready(Ok(()))
    }

    fn checkpoint(
        &mut self,
        state: Vec<u8>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        *self.disk.locked() = Loaded {
            checkpoint: Some(state),
            records: Vec::new(),
        };
        ready(Ok(()))
    }
}
