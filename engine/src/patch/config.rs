//! Config files: what a rollout file says of them, and what its lock file fixes.

use super::{Files, Source};
use crate::digest::Digest;
use serde::{Deserialize, Serialize};
use std::{
    fmt::{self, Write as _},
    path::PathBuf,
};

/// Config files that are replaced as one unit, each as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigPatch {
    /// The files, each path once, at most [`MAX_FILES`](super::MAX_FILES).
    #[serde(flatten)]
    pub files: Files<ConfigFile>,
    /// The name of a validate command in the agent's own config. Absent: the files are not validated.
    pub validate: Option<String>,
    /// The unit to reload afterwards. Absent: none.
    pub reload: Option<String>,
}

/// One file of a config patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFile {
    /// Where it goes on the host. Absolute, without `..`.
    pub path: PathBuf,
    /// Where its content comes from.
    pub source: Source,
    /// Its permissions and its owner.
    #[serde(flatten)]
    pub rights: Rights,
}

/// The permissions and the owner of a file. Absent parts are those of the file that it replaces; of one that
/// was not there `0644`, and whom the agent runs as.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rights {
    /// Its permissions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<FileMode>,
    /// Its owner: a name that the host's own list of users has, or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerName>,
    /// Its group, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<OwnerName>,
}

/// The permissions of a config file: those of its owner, its group and all others, and none that would give a
/// program the rights of another user. Displays as `0640`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct FileMode(u32);

/// The name of a user or a group, or its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OwnerName(String);

/// The most bytes of a user's name, by useradd(8).
const MAX_OWNER: usize = 32;

/// The permissions or the owner of a file are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RightsError {
    /// It is not a mode.
    #[error("`{0}` is no mode of a config file: three octal digits are expected, as in \"0640\"")]
    Mode(String),
    /// It is not a name.
    #[error("`{0}` is no name of a user or group, and no number")]
    Owner(String),
}

impl FileMode {
    /// Reads octal digits.
    ///
    /// # Errors
    /// [`RightsError`] when it is anything else, or says more than who may read, write and execute.
    pub fn parse(text: &str) -> Result<Self, RightsError> {
        let no = || RightsError::Mode(text.to_owned());
        let is_octal = matches!(text.len(), 3 | 4) && text.bytes().all(|b| b.is_ascii_digit());
        let bits = u32::from_str_radix(text, 8).map_err(|_| no())?;
        match is_octal {
            true => Self::try_from(bits).map_err(|_| no()),
            false => Err(no()),
        }
    }

    /// Its bits, as in `0o640`.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for FileMode {
    type Error = RightsError;
    fn try_from(bits: u32) -> Result<Self, RightsError> {
        match bits <= 0o777 {
            true => Ok(Self(bits)),
            false => Err(RightsError::Mode(format!("{bits:04o}"))),
        }
    }
}

impl From<FileMode> for u32 {
    fn from(mode: FileMode) -> Self {
        mode.0
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl OwnerName {
    /// Takes a name.
    ///
    /// # Errors
    /// [`RightsError`] when no user and no group can be called so.
    pub fn new(text: impl Into<String>) -> Result<Self, RightsError> {
        let text = text.into();
        let is_good = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if text.is_empty() || text.len() > MAX_OWNER || !text.chars().all(is_good) {
            return Err(RightsError::Owner(text));
        }
        Ok(Self(text))
    }

    /// It as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OwnerName {
    type Error = RightsError;
    fn try_from(text: String) -> Result<Self, RightsError> {
        Self::new(text)
    }
}

impl From<OwnerName> for String {
    fn from(name: OwnerName) -> Self {
        name.0
    }
}

/// One file of a config patch, fixed: the artefact store holds it by this digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedFile {
    /// The digest of the file's content.
    pub sha256: Digest,
    /// The size of the content in bytes.
    pub size: u64,
}

/// What a lock file says of one file of a config patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedSource {
    /// The exact bits.
    #[serde(flatten)]
    pub file: LockedFile,
    /// Of which file of the rollout file they are. Absent: the first releases did not say, and knew one file
    /// a patch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<LockedFrom>,
}

/// Which file of a rollout file was locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedFrom {
    /// Its path on the host.
    pub path: PathBuf,
    /// Its source, as it stood there.
    pub source: Source,
    /// The commit that a revision of a git repository meant. Absent: it is from elsewhere.
    pub commit: Option<String>,
}

impl LockedSource {
    /// The bits that a file was locked to.
    pub fn named(of: &ConfigFile, file: LockedFile, commit: Option<String>) -> Self {
        let of = LockedFrom {
            path: of.path.clone(),
            source: of.source.clone(),
            commit,
        };
        let of = Some(of);
        Self { file, of }
    }

    /// Whether it was locked for this file.
    pub fn is_of(&self, file: &ConfigFile) -> bool {
        let is_same = |of: &LockedFrom| of.path == file.path && of.source == file.source;
        self.of.as_ref().is_none_or(is_same)
    }

    /// What the lock file's digest is of.
    pub(super) fn digested(&self) -> String {
        let LockedFile { sha256, size } = &self.file;
        let mut text = format!("config {sha256} {size}\n");
        if let Some(of) = &self.of {
            text += &format!("of {} {}\n", of.path.display(), of.source);
            let commit = of.commit.iter();
            text.extend(commit.map(|commit| format!("commit {commit}\n")));
        }
        text
    }
}

impl ConfigPatch {
    /// Whether these are the bits of its files, file by file.
    pub fn is_locked_by(&self, locked: &Files<LockedSource>) -> bool {
        let pairs = self.files.iter().zip(locked.iter());
        self.files.count() == locked.count()
            && (self.files.count() == 1 || locked.iter().all(|one| one.of.is_some()))
            && pairs.into_iter().all(|(file, one)| one.is_of(file))
    }

    /// The digest of the files at their places on a host.
    pub(super) fn bits(&self, locked: &Files<LockedFile>) -> Digest {
        let mut lines: Vec<String> = self
            .files
            .iter()
            .zip(locked.iter())
            .map(|(file, one)| {
                let path = file.path.display();
                let rights = file.rights.digested();
                format!("config {path} {} {}{rights}\n", one.sha256, one.size)
            })
            .collect();
        lines.sort();
        Digest::of(lines.concat())
    }
}

impl Rights {
    fn digested(&self) -> String {
        let mut text = String::new();
        let owners = [("owner", &self.owner), ("group", &self.group)];
        if let Some(mode) = self.mode {
            text += &format!(" mode {mode}");
        }
        for (what, name) in owners {
            if let Some(name) = name {
                write!(text, " {what} {}", name.as_str())
                    .expect("a String takes all that is written to it");
            }
        }
        text
    }
}
