//! Looks at a whole machine.

use super::{Effect, MOST_FILES, StaleUnits, kernel, mapped};
use crate::host::{boot, cgroup, durable::FileError, process_table, root::Root};
use cofferdam_engine::effect::EFFECT_UNITS;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// The most bytes of one process's map that are read: a large Java program has one of 2 MB (measured).
const MOST_MAP: u64 = 16 << 20;

/// How far what is installed on a root is in effect. One that is not the machine's runs nothing.
///
/// # Errors
/// [`FileError`] when processes, kernels or the mark of packages cannot be looked at.
pub fn effect(root: &Root) -> Result<Effect, FileError> {
    let stale = match root.is_machine() {
        true => stale_units().map_err(FileError::of("reading", Path::new("/proc")))?,
        false => StaleUnits::new(),
    };
    let reboot = reboot_reason(root)?;
    Ok(Effect { stale, reboot })
}

fn reboot_reason(root: &Root) -> Result<Option<String>, FileError> {
    if root.is_machine() {
        let running = kernel::running()?;
        if let Some(newest) = kernel::newer_than(&running, root)? {
            let reason = format!("kernel {newest} is installed and {running} runs");
            return Ok(Some(reason));
        }
    }
    let is_asked_for = boot::is_required(root)?;
    Ok(is_asked_for.then(|| "a package asked for it".to_owned()))
}

/// The units whose processes run what was replaced. Processes that end meanwhile, and those of the kernel
/// itself, have nothing mapped.
///
/// # Errors
/// The system's error when there is no table of processes.
fn stale_units() -> io::Result<StaleUnits> {
    let system = cgroup::system();
    let mut stale = StaleUnits::new();
    for process in process_table::all()? {
        let pid = process.pid;
        let replaced = mapped::replaced(&map_of(pid));
        if replaced.is_empty() {
            continue;
        }
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let unit = cgroup::unit(&groups, &system).unwrap_or_else(|| process.name.clone());
        if stale.len() >= EFFECT_UNITS && !stale.contains_key(&unit) {
            continue;
        }
        let files = stale.entry(unit).or_default();
        let room = MOST_FILES.saturating_sub(files.len());
        files.extend(replaced.into_iter().take(room));
    }
    Ok(stale)
}

/// Empty: it has ended, or is the kernel's own.
fn map_of(pid: i32) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(format!("/proc/{pid}/maps")) {
        // What was read before an error is a part of the map, and as true.
        file.take(MOST_MAP).read_to_end(&mut bytes).ok();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_what_is_there() {
        let own = i32::try_from(std::process::id()).unwrap();
        let map = map_of(own);
        assert!(map.contains("r-xp"), "{map}");
        assert!(mapped::replaced(&map).is_empty());
        assert_eq!(map_of(i32::MAX), "");
    }
}
