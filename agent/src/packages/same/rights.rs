//! What others could do with a file of a package that they cannot do with the installed one.

use nix::unistd::{getegid, geteuid};
use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

/// Set-user-id, set-group-id and sticky, and everybody's leave to write.
const FOR_ALL: u32 = 0o7002;

/// The same, and the group's leave to write.
const FOR_OTHERS: u32 = 0o7022;

/// Leave to read and to run.
const USE: u32 = 0o555;

/// Whose a file or a folder is, and what they may do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rights {
    uid: u32,
    gid: u32,
    mode: u32,
}

impl Rights {
    /// As of a file that is this process's alone, which is root's but where a person tries the agent out: the one to
    /// hold another against where nothing is installed.
    pub(super) fn none() -> Self {
        Self {
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
            mode: 0,
        }
    }

    /// Those of what stands at a path, which is not followed where it is a link. Absent: nothing stands there.
    pub(super) fn at(path: &Path) -> Option<Self> {
        let meta = fs::symlink_metadata(path).ok()?;
        Some(Self {
            uid: meta.uid(),
            gid: meta.gid(),
            mode: meta.mode() & 0o7777,
        })
    }

    /// Whether whoever can use the installed one can use this one, and nobody can write to it, or run as another
    /// by it, who cannot so far. Scripts of packages set modes and owners of installed files, so these need not
    /// be the same: what is root's and for everybody to read and to run, as nearly all files of packages are, is
    /// as harmless where the installed one belongs to another.
    pub(super) fn give_no_more_than(self, installed: Self) -> bool {
        let forbidden = match (self.uid, self.gid) {
            owner if owner == (installed.uid, installed.gid) => FOR_OTHERS & !installed.mode,
            (0, 0) => FOR_ALL,
            _ => return false,
        };
        self.mode & forbidden == 0 && installed.mode & !self.mode & USE == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gains_by_a_file_that_is_put_back() {
        let of = |uid, gid, mode| Rights { uid, gid, mode };
        let root = |mode| of(0, 0, mode);
        for (brought, installed, is_harmless) in [
            (root(0o644), root(0o644), true),
            (root(0o4755), root(0o4755), true),
            (of(33, 33, 0o2775), of(33, 33, 0o2775), true),
            // Scripts change installed ones: dbus's helper is as the third.
            (root(0o755), of(33, 33, 0o700), true),
            (root(0o644), of(0, 42, 0o640), true),
            (root(0o755), of(0, 100, 0o4754), true),
            (root(0o775), root(0o755), false),
            (root(0o775), of(33, 33, 0o755), true),
            // Who could write to it, and run as root by it.
            (of(33, 33, 0o755), root(0o755), false),
            (of(0, 33, 0o775), root(0o755), false),
            (root(0o757), root(0o755), false),
            (root(0o4755), root(0o755), false),
            (root(0o2755), root(0o755), false),
            // Set-user-id to another is not set-user-id to root.
            (root(0o4755), of(5, 0, 0o4755), false),
            // Who could use it so far, and could not any more.
            (root(0o644), root(0o755), false),
            (root(0), root(0o644), false),
            (root(0o644), root(0), true),
            (of(33, 33, 0o644), root(0), false),
        ] {
            let found = brought.give_no_more_than(installed);
            assert_eq!(found, is_harmless, "{brought:?} {installed:?}");
        }
    }
}
