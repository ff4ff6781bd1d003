//! Where the files of a rollout go that was brought: named as `start` looks for them.

use crate::{
    bundle::{carried::Carried, entry::EntryName, opened::Opened},
    exit::UsageError,
    file,
};
use anyhow::{Context as _, Result, bail};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A folder, and the files that go into it.
#[derive(Debug)]
pub(super) struct Folder<'a> {
    path: &'a Path,
    /// The rollout file last: who finds it finds the others.
    files: Vec<(PathBuf, &'a str)>,
}

impl<'a> Folder<'a> {
    /// One for a rollout. What is there must be the same.
    ///
    /// # Errors
    /// When another file is there under one of the names, or cannot be read.
    pub(super) fn of(path: &'a Path, opened: &'a Opened, carried: &'a Carried) -> Result<Self> {
        let name = carried.spec.name();
        let of = |ending: &str| path.join(format!("{name}.{ending}"));
        let text = |entry| {
            let text = opened.text(entry);
            text.with_context(|| format!("{entry} is missing"))
        };
        let mut files = vec![
            (of("lock"), text(EntryName::Lock)?),
            (of("evidence.json"), text(EntryName::Evidence)?),
            (of("manifest.json"), opened.manifest_text.as_str()),
        ];
        if let Some(signature) = &opened.signature {
            files.push((of("manifest.sig"), signature));
        }
        if let Some(signed) = &carried.signed {
            files.push((of("statement"), &signed.statement));
            files.push((of("sig"), &signed.signature));
        }
        files.push((of("toml"), text(EntryName::Rollout)?));
        let folder = Self { path, files };
        folder.check()?;
        Ok(folder)
    }

    fn check(&self) -> Result<()> {
        for (path, text) in &self.files {
            match fs::read(path) {
                Ok(there) if there == text.as_bytes() => {}
                Ok(_) => bail!(UsageError(format!(
                    "{} is there and is another: name another folder with --into",
                    path.display()
                ))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot read {}", path.display()));
                }
            }
        }
        Ok(())
    }

    /// Writes all of it, and says where the rollout file is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(self) -> Result<PathBuf> {
        file::folder(self.path)?;
        let mut last = PathBuf::new();
        for (path, text) in self.files {
            file::replace(&path, file::PUBLIC, text)?;
            last = path;
        }
        Ok(last)
    }
}
