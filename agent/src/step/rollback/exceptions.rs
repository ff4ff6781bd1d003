//! What is not as it was before, though the host went back.

use super::Steps;
use crate::{packages::database::State, step::record::PackageWas};
use cofferdam_engine::{failure::Failure, id::RolloutId, run::MAX_EXCEPTIONS};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

impl Steps {
    /// Looks for what is not as it was: packages and config files that others changed since, what is left of
    /// packages that went, and files that are not those of their package. One line each.
    pub(super) async fn exceptions(
        &self,
        packages: &[PackageWas],
        strayed: &BTreeSet<PathBuf>,
    ) -> Result<Vec<String>, Failure> {
        let mut exceptions = self.strayed_packages(packages).await?;
        for path in strayed {
            exceptions.push(format!(
                "{} was changed since the patch and stays so",
                path.display()
            ));
        }
        exceptions.extend(self.left_by_removed(packages));
        exceptions.extend(self.foreign_files(packages).await?);
        Ok(exceptions)
    }

    /// Lists what is not as it was at the end of the rollback's transcript.
    pub(super) fn say_exceptions(&self, rollout: &RolloutId, exceptions: &[String]) {
        let transcript = self.transcript(rollout, "rollback");
        for exception in exceptions {
            tracing::warn!(exception, "the host went back, but for this");
        }
        let list = match exceptions {
            [] => "everything is as it was before".to_owned(),
            some => format!("as it was before, but for:\n  {}", some.join("\n  ")),
        };
        // The host is back: that it could not be noted is no reason to quarantine it.
        if let Err(error) = note(&transcript, &list) {
            let path = transcript.display();
            tracing::warn!(%error, "cannot note in {path}: {list}");
        }
    }

    /// The config files of packages that the patch brought: they are removed, and not purged, since what
    /// they hold may be of worth.
    fn left_by_removed(&self, packages: &[PackageWas]) -> Vec<String> {
        let brought = packages.iter().filter(|package| package.old.is_none());
        let files = brought.flat_map(|package| &package.conffiles);
        let root = &self.settings.root;
        let is_there = |path: &Path| root.join(&path.to_string_lossy()).exists();
        files
            .filter(|file| file.old.is_none() && is_there(&file.path))
            .map(|file| format!("{} of a removed package stays", file.path.display()))
            .collect()
    }

    /// The files of packages that were put back whose content is not that of the package.
    async fn foreign_files(&self, packages: &[PackageWas]) -> Result<Vec<String>, Failure> {
        let database = self.manager.database().await?;
        let is_back = |package: &&PackageWas| {
            let old = package.old.as_ref().map(|old| old.version.as_str());
            let now = database.0.get(&package.name);
            now.is_some_and(|now| now.state == State::Whole && old == Some(now.version.as_str()))
        };
        let back: Vec<&str> = packages
            .iter()
            .filter(is_back)
            .map(|package| package.name.as_str())
            .collect();
        let foreign = self.manager.foreign_files(&back).await?;
        Ok(foreign
            .iter()
            .map(|path| format!("{} is not as its package has it", path.display()))
            .collect())
    }
}

/// As much of a list as a report has: its first lines, and how many there are beside them.
pub(super) fn of_report(mut exceptions: Vec<String>) -> Vec<String> {
    let more = exceptions.len().saturating_sub(MAX_EXCEPTIONS);
    if more > 0 {
        exceptions.truncate(MAX_EXCEPTIONS - 1);
        let more = more + 1;
        exceptions.push(format!(
            "and {more} more, as the host's transcript lists them"
        ));
    }
    exceptions
}

/// Adds a line at the end of a transcript, which is begun where no program was run.
fn note(transcript: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = transcript.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::options().create(true).append(true).open(transcript)?;
    writeln!(file, "# {line}")
}
