//! Puts old config files back: each that is as the rollout left it.

use super::Steps;
use crate::{
    config_file::{self, Candidate, Place},
    step::{
        record::{ConfigWas, FileWas},
        records::WAYS_BACK,
    },
};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
};

/// What is to be done to one file, once all can be.
enum Back {
    /// Something was there before.
    To(Candidate),
    /// Nothing was.
    Gone(Place),
}

impl Steps {
    /// Puts the files back and lets their unit read them. Returns what is not as it was, in words.
    pub(super) async fn roll_back_config(
        &self,
        config: &ConfigWas,
    ) -> Result<Vec<String>, Failure> {
        let strange = self.put_back_config(config).await?;
        let (root, runner) = (&self.settings.root, &*self.outside.runner);
        if strange.len() < config.files.count() {
            config_file::reload(config.reload.as_deref(), root, runner).await?;
        }
        Ok(strange)
    }

    /// Writes all that was there beside what is there, and only then puts it in place. What others changed
    /// since stays as it is: returns that, in words.
    pub(in crate::step) async fn put_back_config(
        &self,
        config: &ConfigWas,
    ) -> Result<Vec<String>, Failure> {
        let mut strange = Vec::new();
        let mut back = Vec::new();
        for file in config.files.iter() {
            if self.is_strange(file).await? {
                let path = file.path.display();
                tracing::warn!(%path, "changed since by others: left as it is");
                strange.push(format!("{path} was changed since the patch and stays so"));
                continue;
            }
            back.push(self.prepare_back(file).await?);
        }
        for one in back {
            match one {
                Back::To(old) => old.place()?,
                Back::Gone(place) => place.clear()?,
            }
        }
        Ok(strange)
    }

    async fn prepare_back(&self, file: &FileWas) -> Result<Back, Failure> {
        let place = Place::find(&self.settings.root, &file.path)?;
        let Some(old) = &file.old else {
            return Ok(Back::Gone(place));
        };
        let what = format!("the content of {} before", file.path.display());
        self.require_kept(old.sha256, &what).await?;
        let candidate = place.prepare(&self.keep.file(old.sha256), Some(old))?;
        Ok(Back::To(candidate))
    }

    /// What stands in the way of putting the old files back, in words. Empty: nothing.
    pub(super) async fn strayed_config(&self, config: &ConfigWas) -> Result<Vec<String>, Failure> {
        let mut strayed = Vec::new();
        for file in config.files.iter() {
            if self.is_strange(file).await? {
                strayed.push(format!(
                    "{} is neither what the rollout wrote nor what was there before",
                    file.path.display()
                ));
            }
        }
        Ok(strayed)
    }

    /// Whether the file is neither what it was nor what the rollout made of it.
    async fn is_strange(&self, file: &FileWas) -> Result<bool, Failure> {
        let place = Place::find(&self.settings.root, &file.path)?;
        let now = place.digest().await?;
        let old = file.old.as_ref().map(|old| old.sha256);
        Ok(now != Some(file.new) && now != old)
    }

    /// Makes sure that bits of the way back, named for people, are in the keep, unharmed.
    pub(in crate::step) async fn require_kept(
        &self,
        digest: Digest,
        what: &str,
    ) -> Result<(), Failure> {
        if self.is_kept(digest).await? {
            return Ok(());
        }
        let detail = format!(
            "no way back to {what}: {digest} is not whole in the agent's keep, which has the old \
             bits of the newest {WAYS_BACK} changes; put it back by hand, or start a rollout to it"
        );
        Err(Failure::new(FailureKind::NoWayBack, detail))
    }
}
