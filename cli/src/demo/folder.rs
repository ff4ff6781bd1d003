//! The one folder that everything of the demo lies in.

use crate::file;
use anyhow::{Context as _, Result, ensure};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
};

/// A Unix socket's path has at most 107 bytes (unix(7): 108 with the final zero).
const MAX_SOCKET_PATH: usize = 107;

/// The longest name of gpg-agent's sockets, in its folder.
const LONGEST_SOCKET: &str = "S.gpg-agent.browser";

/// The demo's folder. Removed when dropped, unless it is to be kept.
pub struct Folder {
    path: PathBuf,
    at_end: AtEnd,
}

/// What becomes of the folder when the demo is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    /// It is removed.
    Remove,
    /// It stays, to be looked at.
    Keep,
}

impl Folder {
    /// Makes a fresh folder: `dir` when given, else one beside the built binaries, or in the
    /// system's temporary folder where that is not writable.
    ///
    /// # Errors
    /// When `dir` exists, cannot be made, or its path is too long.
    pub fn create(dir: Option<PathBuf>, at_end: AtEnd) -> Result<Self> {
        let path = match dir {
            Some(dir) => {
                make(&dir)?;
                dir
            }
            None => make_default()?,
        };
        let path = fs::canonicalize(&path)
            .with_context(|| format!("cannot resolve {}", path.display()))?;
        let folder = Self { path, at_end };
        folder.check_length()?;
        file::folder(&folder.tmp())?;
        Ok(folder)
    }

    /// The folder itself, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The certificate authority and its leaves.
    pub fn pki(&self) -> PathBuf {
        self.path.join("pki")
    }

    /// The package repository, as it is served.
    pub fn repository(&self) -> PathBuf {
        self.path.join("repository")
    }

    /// Where gpg keeps the repository's key and its sockets: a short name, for their sake.
    pub fn gpg(&self) -> PathBuf {
        self.path.join("gpg")
    }

    /// Where tools put their temporary files.
    pub fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// The files and the log of the coordinator.
    pub fn coordinator(&self) -> PathBuf {
        self.path.join("coordinator")
    }

    /// The files, the log and the root tree of one host.
    pub fn host(&self, name: &str) -> PathBuf {
        self.path.join("hosts").join(name)
    }

    /// The rollout files and their lock files.
    pub fn rollouts(&self) -> PathBuf {
        self.path.join("rollouts")
    }

    fn check_length(&self) -> Result<()> {
        let longest = self.gpg().join(LONGEST_SOCKET);
        let over = longest.as_os_str().len().saturating_sub(MAX_SOCKET_PATH);
        ensure!(
            over == 0,
            "the path {} is {over} bytes too long for gpg's sockets: give a shorter one with --dir",
            self.path.display()
        );
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.at_end == AtEnd::Remove {
            // Nothing of the demo is worth an error after its result was shown.
            let _left_behind = fs::remove_dir_all(&self.path);
        }
    }
}

fn make(dir: &Path) -> Result<()> {
    if let Some(parent) = dir.parent() {
        file::folder(parent)?;
    }
    fs::create_dir(dir).with_context(|| {
        format!(
            "cannot make {}: the demo needs a folder of its own that does not exist yet",
            dir.display()
        )
    })
}

/// Tries `target/`, which holds the folder of the running binary, then the temporary folder.
fn make_default() -> Result<PathBuf> {
    let name = format!("demo-{}", process::id());
    let binary = env::current_exe().context("cannot tell where this binary is")?;
    let target = binary
        .ancestors()
        .find(|folder| folder.file_name().is_some_and(|name| name == "target"));
    if let Some(target) = target {
        let dir = target.join(&name);
        if make(&dir).is_ok() {
            return Ok(dir);
        }
    }
    let dir = env::temp_dir().join(format!("cofferdam-{name}"));
    make(&dir)?;
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_unless_it_is_kept() {
        let lab = tempfile::tempdir().unwrap();
        for (at_end, stays) in [(AtEnd::Remove, false), (AtEnd::Keep, true)] {
            let dir = lab.path().join("demo");
            drop(Folder::create(Some(dir.clone()), at_end).unwrap());
            assert_eq!(dir.exists(), stays);
        }
    }

    #[test]
    fn a_folder_that_exists_is_not_taken() {
        let lab = tempfile::tempdir().unwrap();
        let taken = Folder::create(Some(lab.path().to_owned()), AtEnd::Remove);
        assert!(taken.is_err());
        assert!(lab.path().exists());
    }

    #[test]
    fn a_path_too_long_for_sockets_is_refused_and_says_so() {
        let lab = tempfile::tempdir().unwrap();
        let dir = lab.path().join("x".repeat(100));
        let error = Folder::create(Some(dir.clone()), AtEnd::Remove)
            .err()
            .unwrap();
        assert!(error.to_string().contains("too long"));
        assert!(!dir.exists());
    }
}
