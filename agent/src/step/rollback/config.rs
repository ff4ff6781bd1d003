//! Puts the old config file back.

use super::Steps;
use crate::{
    config_file::{self, Place},
    step::record::ConfigWas,
};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
};

impl Steps {
    pub(super) async fn roll_back_config(&self, config: &ConfigWas) -> Result<(), Failure> {
        let root = &self.settings.root;
        let place = Place::find(root, &config.path)?;
        let now = place.digest().await?;
        let old = config.old.as_ref();
        if now != Some(config.new) && now != old.map(|old| old.sha256) {
            tracing::warn!(path = %config.path.display(), "changed since by others: left as it is");
            return Ok(());
        }
        match old {
            Some(old) => {
                self.require_kept(old.sha256).await?;
                place
                    .prepare(&self.keep.file(old.sha256), Some(old))?
                    .place()?;
            }
            None => place.clear()?,
        }
        config_file::reload(config.reload.as_deref(), root, &*self.outside.runner).await
    }

    /// Makes sure that bits of the way back are in the keep, unharmed.
    pub(super) async fn require_kept(&self, digest: Digest) -> Result<(), Failure> {
        if self.is_kept(digest).await? {
            return Ok(());
        }
        let detail = format!("{digest} is not whole in the agent's keep");
        Err(Failure::new(FailureKind::NoWayBack, detail))
    }
}
