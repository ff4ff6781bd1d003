//! The wall clocks of single processes, set by a test: libfaketime stands between them and the kernel.
//!
//! The boot-time and the monotonic clock stay the kernel's, as they do when somebody sets a real clock.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where Debian has libraries, by architecture.
const LIBRARIES: &str = "/usr/lib";

/// libfaketime below the folder of an architecture.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// libfaketime where it is installed. Nothing where it is not, which the test run says.
pub fn library() -> Option<PathBuf> {
    let folders = fs::read_dir(LIBRARIES).into_iter().flatten().flatten();
    let mut found = folders.map(|folder| folder.path().join(LIBRARY));
    let found = found.find(|library| library.is_file());
    if found.is_none() {
        eprintln!("left out: clocks that are set (Debian package `faketime` is missing)");
    }
    found
}

/// Gives a process that is to be started a wall clock which is read from a file.
pub fn arrange(command: &mut Command, library: &Path, clock: &Path) {
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

/// Sets such a clock, at once for all whose clock it is: `+0` is right, `+3d` and `-2h` are not.
///
/// # Panics
/// When it cannot be written.
pub fn set(clock: &Path, to: &str) {
    let beside = clock.with_extension("new");
    fs::write(&beside, to).expect("a clock can be written");
    fs::rename(&beside, clock).expect("a clock can be set");
}
