//! Puts the old config file back.

use super::Steps;
use crate::{
    config_file::{self, Place},
    step::{record::ConfigWas, records::WAYS_BACK},
};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
};

impl Steps {
    pub(super) async fn roll_back_config(&self, config: &ConfigWas) -> Result<(), Failure> {
        let path = config.path.display();
        if self.is_strange(config).await? {
            tracing::warn!(%path, "changed since by others: left as it is");
            return Ok(());
        }
        let root = &self.settings.root;
        let place = Place::find(root, &config.path)?;
        match &config.old {
            Some(old) => {
                let what = format!("the content of {path} before");
                self.require_kept(old.sha256, &what).await?;
                place
                    .prepare(&self.keep.file(old.sha256), Some(old))?
                    .place()?;
            }
            None => place.clear()?,
        }
        config_file::reload(config.reload.as_deref(), root, &*self.outside.runner).await
    }

    /// What stands in the way of putting the old file back, in words. Empty: nothing.
    pub(super) async fn strayed_config(&self, config: &ConfigWas) -> Result<Vec<String>, Failure> {
        let words = format!(
            "{} is neither what the rollout wrote nor what was there before",
            config.path.display()
        );
        Ok(Vec::from_iter(
            self.is_strange(config).await?.then_some(words),
        ))
    }

    /// Whether the file is neither what it was nor what the rollout made of it.
    async fn is_strange(&self, config: &ConfigWas) -> Result<bool, Failure> {
        let place = Place::find(&self.settings.root, &config.path)?;
        let now = place.digest().await?;
        let old = config.old.as_ref().map(|old| old.sha256);
        Ok(now != Some(config.new) && now != old)
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
