//! Removes a fleet: its processes, its mounts, its folder, in this order. Whatever is not there any more
//! is passed over, so it can be repeated.

use super::{
    cgroup::Cgroup,
    trouble::{FleetError, file},
};
use nix::mount::{MntFlags, umount2};
use std::{
    fs, io,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

/// The kernel's table of this process's mounts: proc(5).
const MOUNTS: &str = "/proc/self/mountinfo";

/// Kills every process in a group and unmounts everything below a folder. The network that is mounted
/// there goes with the last process in it, and so do its links.
///
/// # Errors
/// When a process does not go, or something cannot be unmounted.
pub fn end(processes: &Cgroup, folder: &Path) -> Result<(), FleetError> {
    processes.kill()?;
    if processes.remove().is_err() {
        // One that was being started when its maker was killed may have come in meanwhile.
        processes.kill()?;
        processes.remove()?;
    }
    unmount(folder)
}

/// Unmounts a folder and everything below it, the last one mounted first. Whoever is still in there, as
/// a person's shell may be, keeps what it sees and is in nobody's way.
///
/// # Errors
/// When something cannot be unmounted.
pub fn unmount(folder: &Path) -> Result<(), FleetError> {
    for mount in mounts_below(folder)?.iter().rev() {
        umount2(mount, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW)
            .map_err(|error| file("unmount", mount)(error.into()))?;
    }
    Ok(())
}

/// Removes a folder in which nothing is mounted.
///
/// # Errors
/// When something is mounted in it, or it cannot be removed.
pub fn remove(folder: &Path) -> Result<(), FleetError> {
    if let Some(mount) = mounts_below(folder)?.first() {
        let mount = mount.display();
        return Err(FleetError::Refused(format!("{mount} is still mounted")));
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file("remove", folder)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What is mounted below a folder, in the order in which it was mounted.
///
/// # Errors
/// When the table cannot be read.
pub fn mounts_below(folder: &Path) -> Result<Vec<PathBuf>, FleetError> {
    let path = Path::new(MOUNTS);
    let table = fs::read_to_string(path).map_err(file("read", path))?;
    let mounts = table.lines().filter_map(|line| line.split(' ').nth(4));
    let mounts = mounts.map(unescape);
    Ok(mounts.filter(|mount| mount.starts_with(folder)).collect())
}

/// Spaces and the like stand as `\040` in the table.
fn unescape(text: &str) -> PathBuf {
    let mut parts = text.split('\\');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part
            .get(..3)
            .and_then(|code| u8::from_str_radix(code, 8).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[3..]);
            }
            None => bytes.extend(part.as_bytes()),
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_escapes_are_read() {
        assert_eq!(unescape("/a\\040b/c"), Path::new("/a b/c"));
        assert_eq!(unescape("/plain"), Path::new("/plain"));
    }
}
