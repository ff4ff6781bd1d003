//! A folder that is written to over others that are not: overlayfs.

use super::trouble::{FleetError, file};
use nix::mount::{MsFlags, mount};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// One folder with an overlay in it.
///
/// ```text
/// FOLDER/upper     what was written
///        work      overlayfs's own
///        root      both as one tree, while it is mounted
/// ```
#[derive(Debug, Clone)]
pub struct Overlay {
    folder: PathBuf,
}

impl Overlay {
    /// The overlay in a folder, made or not.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What was written.
    pub fn upper(&self) -> PathBuf {
        self.folder.join("upper")
    }

    /// The tree.
    pub fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// Mounts it over other folders, the topmost first.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn mount(&self, lower: &[&Path]) -> Result<(), FleetError> {
        let (upper, work) = (self.upper(), self.folder.join("work"));
        for folder in [&upper, &work, &self.root()] {
            fs::create_dir_all(folder).map_err(file("make", folder))?;
        }
        let lower: Vec<_> = lower.iter().map(|path| path.to_string_lossy()).collect();
        let (lower, upper, work) = (lower.join(":"), upper.display(), work.display());
        let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
        let (kind, none) = (Some("overlay"), MsFlags::empty());
        mount(kind, &self.root(), kind, none, Some(options.as_str()))
            .map_err(|error| file("mount", &self.root())(error.into()))
    }
}
