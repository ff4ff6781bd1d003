//! A rollout file on the operator's machine, and the lock file beside it.

use crate::{advisory, exit::UsageError, file};
use anyhow::Result;
use cofferdam_engine::{
    advisory::Advisory,
    id::RolloutId,
    patch::{ConfigFile, Files, Patch},
    spec::Spec,
    statement::Signed,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A rollout file that was read and holds no mistake.
#[derive(Debug)]
pub struct RolloutFile {
    path: PathBuf,
    text: String,
    spec: Spec,
}

impl RolloutFile {
    /// Reads and checks a rollout file.
    ///
    /// # Errors
    /// When it cannot be read, or every mistake in it with file and line.
    pub fn read(path: &Path) -> Result<Self> {
        let text = file::read(path)?;
        let spec = Spec::parse(&path.display().to_string(), &text)
            .map_err(|mistakes| UsageError(mistakes.to_string()))?;
        let path = path.to_owned();
        Ok(Self { path, text, spec })
    }

    /// The same under another name.
    ///
    /// # Errors
    /// When its name does not stand in a line of its own, as everybody writes it.
    pub fn named(&self, name: &RolloutId) -> Result<Self> {
        let is_name = |line: &&str| {
            let key = line.split_once('=').map(|(key, _)| key.trim());
            key == Some("name")
        };
        let own = self.text.lines().find(is_name);
        let text = own.map(|own| self.text.replacen(own, &format!("name = \"{name}\""), 1));
        let path = self.path.display().to_string();
        let spec = text.as_ref().and_then(|text| Spec::parse(&path, text).ok());
        match (text, spec) {
            (Some(text), Some(spec)) if spec.name() == name => Ok(Self {
                path: self.path.clone(),
                text,
                spec,
            }),
            _ => {
                let why = "its name must stand in a line of its own, as in `name = \"practice\"`";
                Err(UsageError(format!("{path}: {why}")).into())
            }
        }
    }

    /// Its file name, for messages of the coordinator.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// What it says.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it means.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The rollout's name in it.
    pub fn rollout(&self) -> &RolloutId {
        self.spec.name()
    }

    /// Where its lock file is: beside it, named after the rollout.
    pub fn lock_path(&self) -> PathBuf {
        self.path.with_file_name(format!("{}.lock", self.rollout()))
    }

    /// What the lock file says. Nothing when there is none yet.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn lock(&self) -> Result<Option<String>> {
        let path = self.lock_path();
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Ok(_) | Err(_) => file::read(&path).map(Some),
        }
    }

    /// Where the statement is that was signed of it: beside it, named after the rollout.
    pub fn statement_path(&self) -> PathBuf {
        let name = format!("{}.statement", self.rollout());
        self.path.with_file_name(name)
    }

    /// Where its signature is, in the same way.
    pub fn signature_path(&self) -> PathBuf {
        self.path.with_file_name(format!("{}.sig", self.rollout()))
    }

    /// What was signed of it. `signature` is where the signature is, with its statement beside it; absent:
    /// beside this file. Nothing when there is none there.
    ///
    /// # Errors
    /// When one of the two is missing, or cannot be read.
    pub fn signed(&self, signature: Option<&Path>) -> Result<Option<Signed>> {
        let (statement, signature) = match signature {
            Some(signature) => (signature.with_extension("statement"), signature.to_owned()),
            None => (self.statement_path(), self.signature_path()),
        };
        match fs::metadata(&signature) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !statement.exists() => {
                Ok(None)
            }
            Ok(_) | Err(_) => Ok(Some(Signed {
                statement: file::read(&statement)?,
                signature: file::read(&signature)?,
            })),
        }
    }

    /// The advisory that it names, read from the file beside it. Nothing for other patches.
    ///
    /// # Errors
    /// When that file cannot be read, or does not say what the advisory fixes.
    pub fn advisory(&self) -> Result<Option<Advisory>> {
        match self.spec.patch() {
            Patch::Advisory(patch) => {
                let path = self.beside(&patch.file);
                advisory::read(&path, &patch.id).map(Some)
            }
            Patch::Packages { .. } | Patch::Security | Patch::Config(_) | Patch::Noop => Ok(None),
        }
    }

    /// The files that a config patch brings to hosts. Nothing for other patches.
    pub fn config_files(&self) -> Option<&Files<ConfigFile>> {
        match self.spec.patch() {
            Patch::Config(config) => Some(&config.files),
            Patch::Packages { .. } | Patch::Security | Patch::Advisory(_) | Patch::Noop => None,
        }
    }

    /// Where a path is that is said from beside this file.
    pub fn beside(&self, path: &Path) -> PathBuf {
        self.path.with_file_name("").join(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::{self, Exit};

    const PRACTICE: &str =
        "name = \"practice\"\n[patch]\nkind = \"noop\"\n[select]\nmatch = 'service == \"web\"'\n";

    #[test]
    fn the_lock_file_is_named_after_the_rollout_and_lies_beside_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anything.toml");
        fs::write(&path, PRACTICE).unwrap();
        let rollout = RolloutFile::read(&path).unwrap();
        assert_eq!(rollout.lock_path(), folder.path().join("practice.lock"));
        assert_eq!(rollout.lock().unwrap(), None);
        fs::write(rollout.lock_path(), "locked").unwrap();
        assert_eq!(rollout.lock().unwrap().as_deref(), Some("locked"));
    }

    #[test]
    fn a_mistake_in_the_file_is_a_mistake_of_the_caller_with_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.toml");
        fs::write(&path, PRACTICE.replace("kind", "kinds")).unwrap();
        let error = RolloutFile::read(&path).unwrap_err();
        assert!(error.to_string().contains("bad.toml:3:1"), "{error}");
        assert_eq!(exit::of_error(&error), Exit::Usage);
    }
}
