//! Programs that outlived the agent that started them.
//!
//! A change of packages is not cut short when its agent dies: it runs to its end, and the next
//! agent waits for it. It may not have taken dpkg's lock yet, so its process is written down. So is
//! that of a hook, which is ended instead, since it is run again.

use super::{
    durable::{self, FileError},
    locks::Holder,
    process_table,
};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{fs, path::Path};

/// Writes down which process runs, in place of what was written before. No sync: a power cut ends the process
/// too.
///
/// # Errors
/// [`FileError`] when the file cannot be written.
pub fn write_down(file: &Path, pid: i32) -> Result<(), FileError> {
    let started = process_table::find(pid).map_or(0, |entry| entry.started);
    // Several may write at once, each beside the file under a name of its own.
    let beside = file.with_extension(std::process::id().to_string());
    let written = fs::write(&beside, format!("{pid} {started}"));
    written
        .and_then(|()| fs::rename(&beside, file))
        .map_err(FileError::of("writing", file))
}

/// Strikes out what was written down.
pub fn strike_out(file: &Path) {
    // What stays names a process that has ended, and says nothing.
    fs::remove_file(file).ok();
}

/// The process that was written down, while it runs. Absent: none, or it has ended.
///
/// # Errors
/// [`FileError`] when there is a file that cannot be read. One that is garbled names nobody.
pub fn find(file: &Path) -> Result<Option<Holder>, FileError> {
    let text = durable::read(file)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let Some((pid, started)) = text.split_once(' ') else {
        return Ok(None);
    };
    let entry = pid.parse().ok().and_then(process_table::find);
    let same = entry.filter(|entry| !entry.is_zombie && started == entry.started.to_string());
    Ok(same.map(|entry| Holder::of(entry.pid, file)))
}

/// Ends the process that was written down, with its whole group, if it still runs.
///
/// # Errors
/// [`FileError`] when there is a file that cannot be read.
pub fn end(file: &Path) -> Result<(), FileError> {
    if let Some(left) = find(file)? {
        // No such group: it has just ended, which is all that is wanted.
        killpg(Pid::from_raw(left.pid), Signal::SIGKILL).ok();
    }
    strike_out(file);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::process::CommandExt, process::Command};

    #[test]
    fn a_process_that_was_left_is_ended_with_its_group() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("running");
        end(&file).unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "sleep 600 & wait"])
            .process_group(0)
            .spawn()
            .unwrap();
        write_down(&file, i32::try_from(child.id()).unwrap()).unwrap();
        end(&file).unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(!file.exists());
    }

    #[test]
    fn a_process_is_found_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("running");
        assert_eq!(find(&file).unwrap(), None);
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        write_down(&file, pid).unwrap();
        assert_eq!(find(&file).unwrap().unwrap().pid, pid);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(find(&file).unwrap(), None);
    }

    #[test]
    fn another_process_with_the_same_number_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("running");
        for text in [
            format!("{} 0", std::process::id()),
            "garbled".into(),
            "x y".into(),
        ] {
            fs::write(&file, text).unwrap();
            assert_eq!(find(&file).unwrap(), None);
        }
    }
}
