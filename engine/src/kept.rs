//! What is worked out from a state and kept with it, until something changes that it was worked out from.
//!
//! It adds nothing to the state: it is not stored, and two states that are alike stay so whether one of
//! them has worked it out or not.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::OnceLock,
};

/// Something that is worked out when it is first asked for.
#[derive(Clone)]
pub(crate) struct Kept<T>(OnceLock<T>);

impl<T> Kept<T> {
    /// What is kept, which is worked out where it is not.
    pub(crate) fn get(&self, work_out: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(work_out)
    }

    /// What is kept, to be kept in step with a change. Nothing: it is not worked out, and need not be.
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.get_mut()
    }

    /// Has it worked out anew.
    pub(crate) fn forget(&mut self) {
        self.take();
    }

    /// The same. What was kept, if anything was.
    pub(crate) fn take(&mut self) -> Option<T> {
        self.0.take()
    }

    /// Keeps what was worked out elsewhere, in the place of what was kept.
    pub(crate) fn keep(&mut self, worked_out: T) {
        match self.0.get_mut() {
            Some(kept) => *kept = worked_out,
            None => self.0 = OnceLock::from(worked_out),
        }
    }
}

impl<T: PartialEq> Kept<T> {
    /// Whether what is kept is what working it out anew comes to. For tests.
    pub(crate) fn is_right(&self, anew: &T) -> bool {
        self.0.get().is_none_or(|kept| kept == anew)
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> PartialEq for Kept<T> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl<T> Eq for Kept<T> {}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

/// Something that stands beside a state and adds nothing to it, like what is kept: two states that are alike
/// stay so whatever it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Aside<T>(T);

impl<T> Deref for Aside<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Aside<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> PartialEq for Aside<T> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl<T> Eq for Aside<T> {}

/// How often something may have changed, for who remembers how often it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Revision(Aside<u64>);

impl Revision {
    /// Takes note of a change.
    pub(crate) fn step(&mut self) {
        *self.0 += 1;
    }

    /// How often it may have changed in this process.
    pub(crate) fn get(self) -> u64 {
        *self.0
    }
}
