//! Who else is at work on the packages of a host: rpm locks a file as dpkg does, dnf writes down its
//! process.

use crate::host::{
    durable::{self, FileError},
    leftover,
    locks::{self, Holder},
    process_table,
    root::Root,
};
use cofferdam_engine::failure::Failure;
use std::path::Path;

/// The file that rpm locks while it changes packages, beside its database.
pub const RPM_LOCK: &str = ".rpm.lock";

/// The files in which a dnf that changes packages writes down its process, below the root.
const CHANGE_FILES: [&str; 2] = [
    "var/lib/dnf/rpmdb_lock.pid",
    "var/cache/dnf/download_lock.pid",
];

/// The same of a dnf that looks at repositories.
const LOOK_FILE: &str = "var/cache/dnf/metadata_lock.pid";

/// Who changes packages. Absent: nobody.
///
/// # Errors
/// A [`Failure`] when that cannot be found out.
pub fn of_change(root: &Root, rpm_lock: &Path, running: &Path) -> Result<Option<Holder>, Failure> {
    if let Some(left) = leftover::find(running)? {
        return Ok(Some(left));
    }
    let holder = locks::holder(rpm_lock).map_err(FileError::of("asking who locks", rpm_lock))?;
    if holder.is_some() {
        return Ok(holder);
    }
    of_dnf(root)
}

/// Which dnf changes packages. Absent: none.
///
/// # Errors
/// A [`Failure`] when that cannot be found out.
pub fn of_dnf(root: &Root) -> Result<Option<Holder>, Failure> {
    first_of(&CHANGE_FILES.map(|file| root.join(file)))
}

/// Who looks at repositories. Absent: nobody.
///
/// # Errors
/// A [`Failure`] when that cannot be found out.
pub fn of_look(root: &Root) -> Result<Option<Holder>, Failure> {
    first_of(&[root.join(LOOK_FILE)])
}

fn first_of(files: &[impl AsRef<Path>]) -> Result<Option<Holder>, Failure> {
    for file in files.iter().map(AsRef::as_ref) {
        let text = durable::read(file)?.unwrap_or_default();
        let pid = pid(&String::from_utf8_lossy(&text));
        let is_at_work = |pid: &i32| process_table::find(*pid).is_some_and(|it| !it.is_zombie);
        if let Some(pid) = pid.filter(is_at_work) {
            return Ok(Some(Holder::of(pid, file)));
        }
    }
    Ok(None)
}

/// Reads what dnf writes down. One that was killed leaves it; garbage names nobody.
pub fn pid(text: &str) -> Option<i32> {
    text.trim().parse().ok().filter(|pid| *pid > 0)
}
