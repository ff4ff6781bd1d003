//! Lets go of what was staged.
//!
//! The rule: a file of the keep stays while it is the version that is installed now (it is the way
//! back from the next patch), while a rollout that is not released has it staged, and while it is
//! the way back of one of the newest rollouts that changed the same packages or file and stand:
//! rolled back one after the other, each finds what was before it. So a host keeps, of each package
//! that Cofferdam ever changed, what is installed and [`WAYS_BACK`](super::records::WAYS_BACK) versions
//! before it.

use super::Steps;
use cofferdam_engine::{digest::Digest, failure::Failure, id::RolloutId};
use std::{collections::BTreeSet, fs, io, path::PathBuf, time::SystemTime};

/// How many rollouts' transcripts a host keeps: the newest (guess: a year of monthly ones, and
/// some more).
const TRANSCRIPTS: usize = 20;

impl Steps {
    /// What cannot be let go of stays until the next time.
    pub(super) async fn let_go(&self, rollout: &RolloutId) {
        if let Err(failure) = self.try_let_go(rollout).await {
            tracing::warn!(%rollout, %failure, "staged bits stay on the host");
        }
    }

    async fn try_let_go(&self, rollout: &RolloutId) -> Result<(), Failure> {
        self.records.release(rollout)?;
        self.sweep_keep().await?;
        if let Err(error) = self.prune_transcripts() {
            tracing::warn!(%error, "old transcripts stay on the host");
        }
        Ok(())
    }

    /// Lets go of what nothing needs.
    pub(super) async fn sweep_keep(&self) -> Result<(), Failure> {
        let mut needed = self.records.needed_bits()?;
        needed.extend(self.installed_bits().await?);
        Ok(self.keep.sweep(&needed)?)
    }

    /// The kept packages that are installed now.
    pub(super) async fn installed_bits(&self) -> Result<BTreeSet<Digest>, Failure> {
        let database = self.manager.database().await?;
        let is_installed = |digest: &Digest| {
            self.keep.label(*digest).is_some_and(|label| {
                let is_it = |name: &str| database.version(name) == Some(&label.version);
                is_it(&label.name) || is_it(&format!("{}:{}", label.name, label.architecture))
            })
        };
        Ok(self
            .keep
            .packages()?
            .into_iter()
            .filter(is_installed)
            .collect())
    }

    fn prune_transcripts(&self) -> io::Result<()> {
        let folder = self.settings.state_dir.join("transcripts");
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        let mut by_age: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in entries {
            let entry = entry?;
            by_age.push((entry.metadata()?.modified()?, entry.path()));
        }
        by_age.sort();
        let old = by_age.len().saturating_sub(TRANSCRIPTS);
        by_age[..old]
            .iter()
            .try_for_each(|(_, path)| fs::remove_dir_all(path))
    }
}
