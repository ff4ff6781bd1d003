//! The one folder that everything of the demo lies in.

use crate::file;
use anyhow::{Context as _, Result, ensure};
use std::{
    env, fs,
    path::{self, Path, PathBuf},
    process,
};

/// A Unix socket's path has at most 107 bytes (unix(7): 108 with the final zero).
const MAX_SOCKET_PATH: usize = 107;

/// The longest name of gpg-agent's sockets, in its folder.
const LONGEST_SOCKET: &str = "S.gpg-agent.browser";

/// Where gpg keeps its things: a short name, for its sockets' sake.
const GPG: &str = "gpg";

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
    /// When `dir` exists, cannot be made, or its path is too long or too odd for apt and gpg.
    pub fn create(dir: Option<PathBuf>, at_end: AtEnd) -> Result<Self> {
        let path = match dir {
            Some(dir) => make(&dir)?,
            None => make_default()?,
        };
        let folder = Self { path, at_end };
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

    /// Where gpg keeps the repository's key and its sockets.
    pub fn gpg(&self) -> PathBuf {
        self.path.join(GPG)
    }

    /// The operator's key, and whose signatures count.
    pub fn signing(&self) -> PathBuf {
        self.path.join("signing")
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
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.at_end == AtEnd::Remove {
            // Nothing of the demo is worth an error after its result was shown.
            let _left_behind = fs::remove_dir_all(&self.path);
        }
    }
}

/// Makes a folder that does not exist yet, and returns its absolute path.
fn make(dir: &Path) -> Result<PathBuf> {
    let dir = path::absolute(dir).with_context(|| format!("cannot resolve {}", dir.display()))?;
    check_length(&dir)?;
    check_characters(&dir)?;
    if let Some(parent) = dir.parent() {
        file::folder(parent)?;
    }
    fs::create_dir(&dir).with_context(|| {
        format!(
            "cannot make {}: the demo needs a folder of its own that does not exist yet",
            dir.display()
        )
    })?;
    Ok(dir)
}

fn check_length(dir: &Path) -> Result<()> {
    let longest = dir.join(GPG).join(LONGEST_SOCKET);
    let over = longest.as_os_str().len().saturating_sub(MAX_SOCKET_PATH);
    ensure!(
        over == 0,
        "the path {} is {over} bytes too long for gpg's sockets: give a shorter one with --dir",
        dir.display()
    );
    Ok(())
}

/// The path stands unquoted in apt's list of sources, and in quotes in other files.
fn check_characters(dir: &Path) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/._-+~".contains(c);
    ensure!(
        dir.to_str().is_some_and(|text| text.chars().all(fits)),
        "the path {} holds more than letters, digits and /._-+~, which apt's files need: give \
         another one with --dir",
        dir.display()
    );
    Ok(())
}

/// Tries `target/`, which holds the folder of the running binary, then the temporary folder.
fn make_default() -> Result<PathBuf> {
    let name = format!("demo-{}", process::id());
    let binary = env::current_exe().context("cannot tell where this binary is")?;
    let target = binary
        .ancestors()
        .find(|folder| folder.file_name().is_some_and(|name| name == "target"));
    let beside = target.map(|target| make(&target.join(&name)));
    if let Some(Ok(dir)) = beside {
        return Ok(dir);
    }
    make(&env::temp_dir().join(format!("cofferdam-{name}")))
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
    fn a_path_that_apt_cannot_read_is_refused() {
        let lab = tempfile::tempdir().unwrap();
        for odd in ["with space", "with\"quote", "with[bracket"] {
            let dir = lab.path().join(odd);
            let error = Folder::create(Some(dir.clone()), AtEnd::Remove)
                .err()
                .unwrap();
            assert!(error.to_string().contains("--dir"), "{error}");
            assert!(!dir.exists());
        }
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
