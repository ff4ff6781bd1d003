//! This boot of the machine, and whether it asks for another.

use super::{
    durable::{self, FileError},
    process_table,
    root::Root,
};
use std::{path::Path, time::Duration};

/// Where the kernel tells this boot from all others.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Where Debian's packages say that they take effect only after a reboot.
const REBOOT_REQUIRED: [&str; 2] = ["run/reboot-required", "var/run/reboot-required"];

/// What tells this boot of the machine from all others.
///
/// # Errors
/// [`FileError`] when the kernel does not say.
pub fn id() -> Result<String, FileError> {
    let path = Path::new(BOOT_ID);
    let text = std::fs::read_to_string(path).map_err(FileError::of("reading", path))?;
    Ok(text.trim().to_owned())
}

/// How long after the kernel's boot this system's first process started: next to nothing, but in a container,
/// which boots again while its kernel goes on. 0, too, where it cannot be told.
pub fn begun() -> Duration {
    let first = process_table::find(1);
    first.map_or(Duration::ZERO, |first| first.started_after_boot())
}

/// Whether a package on this root asks for a reboot.
///
/// # Errors
/// [`FileError`] when its mark cannot be looked for.
pub fn is_required(root: &Root) -> Result<bool, FileError> {
    for mark in REBOOT_REQUIRED {
        let path = root.join(mark);
        if durable::exists(&path)? {
            return Ok(true);
        }
    }
    Ok(false)
}
