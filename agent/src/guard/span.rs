//! A while of one boot, by the boot-time clock: a step of the wall clock makes it no longer, and a reboot
//! ends it.

use crate::{
    clock,
    host::{boot, durable::FileError},
};
use cofferdam_engine::time::millis;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A while of one boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The boot, as the kernel names it.
    pub boot_id: String,
    /// The boot-time clock at its beginning, in milliseconds.
    pub opened: u64,
    /// The boot-time clock at its end, in milliseconds.
    pub until: u64,
}

impl Span {
    /// A while that begins now.
    ///
    /// # Errors
    /// [`FileError`] when the kernel does not name its boot.
    pub fn lasting(lasts: Duration) -> Result<Self, FileError> {
        let opened = clock::uptime();
        Ok(Self {
            boot_id: boot::id()?,
            opened,
            until: opened.saturating_add(millis(lasts)),
        })
    }

    /// Whether it is now.
    ///
    /// # Errors
    /// [`FileError`] when the kernel does not name its boot.
    pub fn is_now(&self) -> Result<bool, FileError> {
        Ok(self.holds(&boot::id()?, clock::uptime()))
    }

    /// How much of it is left.
    pub fn left(&self) -> Duration {
        Duration::from_millis(self.until.saturating_sub(clock::uptime()))
    }

    fn holds(&self, boot_id: &str, uptime: u64) -> bool {
        self.boot_id == boot_id && (self.opened..self.until).contains(&uptime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_by_the_boot_time_clock_and_with_its_boot() {
        let span = Span {
            boot_id: "a".to_owned(),
            opened: 1_000,
            until: 2_000,
        };
        for (boot_id, uptime, holds) in [
            ("a", 1_000, true),
            ("a", 1_999, true),
            ("a", 2_000, false),
            ("a", 999, false),
            ("b", 1_500, false),
        ] {
            assert_eq!(span.holds(boot_id, uptime), holds, "{boot_id} {uptime}");
        }
    }
}
