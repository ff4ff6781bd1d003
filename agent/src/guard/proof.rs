//! Proves that every channel is still the guard's: cheap enough for each minute.
//!
//! Files that have not changed, as their status says, are not read again, and nothing is written while
//! nothing changes.

use super::manifest::Manifest;
use crate::host::{root::Root, stamp::Stamp};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Proves, and remembers what it has read.
#[derive(Debug, Default)]
pub struct Proof {
    seen: BTreeMap<PathBuf, (Stamp, Judgement)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    Own,
    Other,
}

impl Proof {
    /// The drop-ins that are not what the guard wrote, in order. None: it is in control.
    pub fn lost(&mut self, root: &Root, manifest: &Manifest) -> Vec<String> {
        let mut lost = Vec::new();
        for file in &manifest.files {
            let path = root.join(&file.path.to_string_lossy());
            let judge = |content: &[u8]| file.is_own(content);
            if self.judgement(&path, judge) == Judgement::Other {
                lost.push(file.path.display().to_string());
            }
        }
        lost
    }

    fn judgement(&mut self, path: &Path, is_own: impl FnOnce(&[u8]) -> bool) -> Judgement {
        let Some(stamp) = stamp(path) else {
            self.seen.remove(path);
            return Judgement::Other;
        };
        if let Some((seen, judgement)) = self.seen.get(path)
            && *seen == stamp
        {
            return *judgement;
        }
        let judgement = match fs::read(path) {
            Ok(content) if is_own(&content) => Judgement::Own,
            Ok(_) | Err(_) => Judgement::Other,
        };
        self.seen.insert(path.to_owned(), (stamp, judgement));
        judgement
    }

    /// Forgets what it has read: another manifest judges anew.
    pub fn forget(&mut self) {
        self.seen.clear();
    }
}

/// Absent: there is no plain file.
fn stamp(path: &Path) -> Option<Stamp> {
    let meta = fs::symlink_metadata(path).ok()?;
    meta.is_file().then(|| Stamp::of(&meta))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{
        manifest::{FORMAT, Written},
        settings::GuardSettings,
    };
    use cofferdam_engine::digest::Digest;

    fn bench() -> (tempfile::TempDir, Root, Manifest) {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path()).unwrap();
        let written = |name: &str| {
            fs::write(root.join(name), name).unwrap();
            Written {
                channel: "apt".to_owned(),
                path: PathBuf::from(format!("/{name}")),
                sha256: vec![Digest::of(name)],
            }
        };
        let manifest = Manifest {
            format: FORMAT,
            settings: GuardSettings::default(),
            run_dir: PathBuf::new(),
            files: vec![written("a"), written("b")],
            folders: Vec::new(),
        };
        (folder, root, manifest)
    }

    #[test]
    fn a_file_that_is_changed_removed_or_a_link_is_lost_until_it_is_back() {
        let (_folder, root, manifest) = bench();
        let mut proof = Proof::default();
        let none: [&str; 0] = [];
        assert_eq!(proof.lost(&root, &manifest), none);
        fs::write(root.join("a"), "x").unwrap();
        assert_eq!(proof.lost(&root, &manifest), ["/a"]);
        fs::write(root.join("a"), "a").unwrap();
        assert_eq!(proof.lost(&root, &manifest), none);
        fs::remove_file(root.join("b")).unwrap();
        assert_eq!(proof.lost(&root, &manifest), ["/b"]);
        std::os::unix::fs::symlink("/dev/null", root.join("b")).unwrap();
        assert_eq!(proof.lost(&root, &manifest), ["/b"]);
    }

    #[test]
    fn what_has_not_changed_is_not_read_again() {
        let (_folder, root, manifest) = bench();
        let mut proof = Proof::default();
        proof.lost(&root, &manifest);
        let path = root.join("a");
        let unread = |_: &[u8]| panic!("it is read again");
        assert_eq!(proof.judgement(&path, unread), Judgement::Own);
    }
}
