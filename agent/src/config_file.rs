//! Config files on the host: read, prove, replace, reload.
//!
//! A path is looked up as if the root were `/`, through symlinks, so that what a service reads is
//! what is replaced, and nothing outside the root ever is.

mod attributes;
pub mod set;

use crate::host::{
    command::{Command, Runner},
    durable::{self, FileError},
    keep::{self, Keep},
    root::Root,
    settings::HostSettings,
    unit,
};
pub use attributes::Attributes;
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    patch::ConfigPatch,
};
use nix::unistd::{Gid, Uid, fchown};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Stands for the candidate in a validate command.
const CANDIDATE: &str = "{file}";

/// The mode of a file that was not there before: the one of most config files.
const NEW_MODE: u32 = 0o644;

/// A config file as it stands on the host, stood, or is to stand. Its content is in the keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// The digest of its content.
    pub sha256: Digest,
    /// Its permissions, as in `0o644`.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its access control list, its label and the like. None in the record of an older agent.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl FileState {
    /// What stands at a path of this machine. Absent: nothing.
    ///
    /// # Errors
    /// A [`Failure`] when it cannot be read.
    pub async fn standing_at(path: &Path) -> Result<Option<Self>, Failure> {
        let meta = match fs::metadata(path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::of("looking at", path)(error).into()),
        };
        Ok(Some(Self {
            sha256: keep::digest_of(path).await?,
            mode: meta.permissions().mode() & 0o7777,
            uid: meta.uid(),
            gid: meta.gid(),
            attributes: attributes::of(path).map_err(FileError::of("looking at", path))?,
        }))
    }
}

/// The place of one config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(PathBuf);

impl Place {
    /// Finds the place of a path of the root.
    ///
    /// # Errors
    /// A [`Failure`] when its folder is not there, or it is there and is no plain file.
    pub fn find(root: &Root, path: &Path) -> Result<Self, Failure> {
        let place = root
            .resolve(path)
            .map_err(FileError::of("looking up", path))?;
        let unsupported = |what: &str| {
            let detail = format!("{} {what}", path.display());
            Err(Failure::new(FailureKind::Unsupported, detail))
        };
        if !place.parent().is_some_and(Path::is_dir) {
            return unsupported("lies in a folder that is not there");
        }
        match fs::symlink_metadata(&place) {
            Ok(meta) if !meta.is_file() => unsupported("is not a plain file"),
            Ok(_) => Ok(Self(place)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self(place)),
            Err(error) => Err(FileError::of("looking at", path)(error).into()),
        }
    }

    /// The digest of what is there. Absent: nothing is.
    ///
    /// # Errors
    /// A [`Failure`] when it cannot be read.
    pub async fn digest(&self) -> Result<Option<Digest>, Failure> {
        if !self.0.exists() {
            return Ok(None);
        }
        Ok(Some(keep::digest_of(&self.0).await?))
    }

    /// Takes a copy of what is there into the keep. Absent: nothing is there.
    ///
    /// # Errors
    /// A [`Failure`] when it cannot be read or kept.
    pub async fn keep_old(&self, keep: &Keep, purpose: &str) -> Result<Option<FileState>, Failure> {
        let Some(stands) = FileState::standing_at(&self.0).await? else {
            return Ok(None);
        };
        let copy = keep.incoming(purpose)?.join("old");
        fs::copy(&self.0, &copy).map_err(FileError::of("copying", &self.0))?;
        Ok(Some(FileState {
            sha256: keep.take_file(&copy).await?,
            ..stands
        }))
    }

    /// Where it is on this machine.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a candidate beside what is there: synced, with the owner and mode that it will have.
    /// `like` is what it replaces. Absent: nothing.
    ///
    /// # Errors
    /// A [`Failure`] when it cannot be written; nothing is replaced yet.
    pub fn prepare(&self, content: &Path, like: Option<&FileState>) -> Result<Candidate, Failure> {
        let path = durable::beside(&self.0);
        let written = write_like(content, &path, like);
        written.map_err(FileError::of("writing", &path))?;
        Ok(Candidate {
            path,
            place: self.0.clone(),
        })
    }

    /// Removes what is there. Nothing is: fine.
    ///
    /// # Errors
    /// A [`Failure`] when it cannot be removed.
    pub fn clear(&self) -> Result<(), Failure> {
        Ok(durable::remove(&self.0)?)
    }
}

/// A file that is written and not in its place yet. Dropped, it is removed.
#[derive(Debug)]
pub struct Candidate {
    path: PathBuf,
    place: PathBuf,
}

impl Candidate {
    /// Where it is until then.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// A [`Failure`] when it cannot be renamed; then the old content is there.
    pub fn place(self) -> Result<(), Failure> {
        Ok(durable::rename(&self.path, &self.place)?)
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        // Placed: it is not there any more. Else the next candidate writes over what is left.
        fs::remove_file(&self.path).ok();
    }
}

/// Asks the host's own validate command about a file.
///
/// # Errors
/// [`FailureKind::Validate`] when there is no command of this name, or it does not end with status 0.
pub async fn validate(
    name: &str,
    file: &Path,
    settings: &HostSettings,
    runner: &dyn Runner,
) -> Result<(), Failure> {
    let Some((program, args)) = settings.validators.get(name).and_then(|c| c.split_first()) else {
        return Err(no_validator(name));
    };
    let file = file.to_string_lossy();
    let args = args.iter().map(|arg| arg.replace(CANDIDATE, &file));
    let output = runner.run(&Command::new(program).args(args)).await?;
    if output.is_success() {
        return Ok(());
    }
    let said = output.text();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let detail = format!("`{name}` ended with {}: {said}", output.exit);
    Err(Failure::new(FailureKind::Validate, detail))
}

/// Lets a config patch's unit read its files again. None, or another root than the machine's: no
/// service runs on it, so there is nothing to do.
///
/// # Errors
/// [`FailureKind::Service`] when the unit could not, or fails afterwards.
pub async fn reload(unit: Option<&str>, root: &Root, runner: &dyn Runner) -> Result<(), Failure> {
    match unit {
        Some(unit) if root.is_machine() => unit::reload(runner, unit).await,
        Some(_) | None => Ok(()),
    }
}

/// Makes sure that a config patch's validate command is one that this host has.
///
/// # Errors
/// [`FailureKind::Validate`] when it is not.
pub fn require_validator(config: &ConfigPatch, settings: &HostSettings) -> Result<(), Failure> {
    match &config.validate {
        Some(name) if !settings.validators.contains_key(name) => Err(no_validator(name)),
        Some(_) | None => Ok(()),
    }
}

fn no_validator(name: &str) -> Failure {
    let detail = format!("this host has no validate command `{name}`");
    Failure::new(FailureKind::Validate, detail)
}

fn write_like(content: &Path, path: &Path, like: Option<&FileState>) -> io::Result<()> {
    let mut from = File::open(content)?;
    // Nobody else reads it before it has its owner.
    let mut to = durable::create_anew(path, 0o600)?;
    io::copy(&mut from, &mut to)?;
    if let Some(old) = like {
        let now = to.metadata()?;
        if (now.uid(), now.gid()) != (old.uid, old.gid) {
            let owner = (Uid::from_raw(old.uid), Gid::from_raw(old.gid));
            fchown(&to, Some(owner.0), Some(owner.1))?;
        }
        attributes::give(&to, &old.attributes)?;
    }
    let mode = like.map_or(NEW_MODE, |old| old.mode);
    to.set_permissions(Permissions::from_mode(mode))?;
    to.sync_all()
}
