//! Replaces a config file.

use super::Steps;
use crate::{
    config_file::{self, Place},
    step::record::{ConfigWas, Was},
};
use cofferdam_engine::{
    failure::Failure,
    order::Order,
    patch::{ConfigPatch, LockedFile},
};

impl Steps {
    pub(super) async fn apply_config(
        &self,
        order: &Order,
        config: &ConfigPatch,
        file: &LockedFile,
    ) -> Result<(), Failure> {
        let place = Place::find(&self.settings.root, &config.path)?;
        let rollout = order.grant.rollout.as_str();
        let now = place.keep_old(&self.keep, rollout).await?;
        let was = ConfigWas {
            path: config.path.clone(),
            new: file.sha256,
            old: now.clone(),
            reload: config.reload.clone(),
        };
        self.begin(order, Was::Config(was))?;
        let runner = &*self.outside.runner;
        if now.as_ref().map(|now| now.sha256) != Some(file.sha256) {
            let candidate = place.prepare(&self.keep.file(file.sha256), now.as_ref())?;
            if let Some(name) = &config.validate {
                candidate.validate(name, &self.settings, runner).await?;
            }
            candidate.place()?;
        }
        // Again even when the file was in place: an interruption may have come before.
        config_file::reload(config.reload.as_deref(), &self.settings.root, runner).await
    }
}
