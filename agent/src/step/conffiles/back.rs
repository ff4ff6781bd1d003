//! The way back for config files of packages: content, mode and owner.

use super::{Steps, litter};
use crate::{
    config_file::{FileState, Place},
    host::durable::{self, FileError},
    step::record::{Before, ConffileWas, Left, Was},
};
use cofferdam_engine::{failure::Failure, id::RolloutId};
use std::{collections::BTreeSet, fs, path::PathBuf};

/// What becomes of a config file whose folder went with its package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::step) enum Folder {
    /// It waits for its package, which brings the folder.
    Awaited,
    /// The package is back, and no other will bring the folder: it is made.
    Made,
}

impl Steps {
    /// Writes down what the patch left of the config files that it may have changed, so that what people
    /// change later is told from it.
    pub(in crate::step) async fn note_conffiles(&self, rollout: &RolloutId) -> Result<(), Failure> {
        let Some(mut before) = self.records.before(rollout)? else {
            return Ok(());
        };
        let Before {
            was: Was::Packages { packages },
            ..
        } = &mut before
        else {
            return Ok(());
        };
        for file in packages
            .iter_mut()
            .flat_map(|package| &mut package.conffiles)
        {
            let now = self.conffile_now(file).await?;
            file.left = match &now {
                Some(now) => Left::Holds(now.sha256),
                None => Left::Nothing,
            };
            file.left_as = now;
        }
        Ok(self.records.save_before(rollout, &before)?)
    }

    async fn conffile_now(&self, file: &ConffileWas) -> Result<Option<FileState>, Failure> {
        match Place::find(&self.settings.root, &file.path) {
            Ok(place) => FileState::standing_at(place.path()).await,
            // Its folder went with its package.
            Err(_) => Ok(None),
        }
    }

    /// Those of these config files that people changed since the patch.
    pub(in crate::step) async fn strayed_conffiles(
        &self,
        files: &[&ConffileWas],
    ) -> Result<BTreeSet<PathBuf>, Failure> {
        let mut strayed = BTreeSet::new();
        for file in files {
            let now = self.conffile_now(file).await?;
            let is_as_left = match (file.left, &file.left_as) {
                (Left::Unknown, _) => continue,
                (Left::Nothing, _) => now.is_none(),
                (Left::Holds(_), Some(left)) => now.as_ref() == Some(left),
                (Left::Holds(digest), None) => now.as_ref().is_some_and(|now| now.sha256 == digest),
            };
            if !is_as_left && now != file.old {
                strayed.insert(file.path.clone());
            }
        }
        Ok(strayed)
    }

    /// Puts config files back as they were, and takes away what dpkg left beside them.
    pub(in crate::step) async fn put_conffiles_back(
        &self,
        files: &[&ConffileWas],
        folder: Folder,
    ) -> Result<(), Failure> {
        for file in files {
            let now = self.conffile_now(file).await?;
            match &file.old {
                Some(old) if now.as_ref() != Some(old) => {
                    self.put_conffile_back(file, old, folder).await?;
                }
                None if now.is_some() => Place::find(&self.settings.root, &file.path)?.clear()?,
                Some(_) | None => {}
            }
            self.clear_litter(file)?;
        }
        Ok(())
    }

    async fn put_conffile_back(
        &self,
        file: &ConffileWas,
        old: &FileState,
        folder: Folder,
    ) -> Result<(), Failure> {
        let what = format!("the content of {} before", file.path.display());
        self.require_kept(old.sha256, &what).await?;
        let root = &self.settings.root;
        let place = match (Place::find(root, &file.path), folder) {
            (Ok(place), _) => place,
            (Err(_), Folder::Awaited) => return Ok(()),
            (Err(_), Folder::Made) => {
                let path = root.resolve(&file.path);
                let path = path.map_err(FileError::of("looking up", &file.path))?;
                let above = path.parent().unwrap_or(root.path());
                fs::create_dir_all(above).map_err(FileError::of("making", above))?;
                Place::find(root, &file.path)?
            }
        };
        place
            .prepare(&self.keep.file(old.sha256), Some(old))?
            .place()
    }

    fn clear_litter(&self, file: &ConffileWas) -> Result<(), Failure> {
        let Ok(place) = Place::find(&self.settings.root, &file.path) else {
            return Ok(());
        };
        for name in litter(place.path()) {
            if !file.litter.contains(&name) {
                durable::remove(&place.path().with_file_name(name))?;
            }
        }
        Ok(())
    }
}
