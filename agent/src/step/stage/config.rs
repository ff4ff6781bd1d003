//! Stages a config file.

use super::Steps;
use crate::{
    actions::StageRequest,
    config_file::{self, Place},
    host::space::{self, Load},
};
use cofferdam_engine::{
    digest::Digest,
    failure::Failure,
    patch::{ConfigPatch, LockedFile},
};
use std::collections::BTreeSet;

impl Steps {
    /// Fetches the new content, keeps the old one, and asks the host's own validate command.
    pub(super) async fn stage_config(
        &self,
        request: &StageRequest,
        config: &ConfigPatch,
        file: &LockedFile,
    ) -> Result<BTreeSet<Digest>, Failure> {
        config_file::require_validator(config, &self.settings)?;
        let place = Place::find(&self.settings.root, &config.path)?;
        self.require_room_to_stage(2 * file.size)?;
        space::require(
            &*self.outside.space,
            self.settings.root.path(),
            Load::bytes(file.size),
        )?;
        if !self.is_kept(file.sha256).await? {
            let into = self.keep.incoming(request.rollout.as_str())?.join("new");
            self.fetch_stored(file, &into).await?;
            self.keep.take_file(&into).await?;
        }
        let old = place.keep_old(&self.keep, request.rollout.as_str()).await?;
        if let Some(name) = &config.validate {
            let candidate = place.prepare(&self.keep.file(file.sha256), old.as_ref())?;
            candidate
                .validate(name, &self.settings, &*self.outside.runner)
                .await?;
        }
        let bits = old.map(|old| old.sha256).into_iter().chain([file.sha256]);
        Ok(bits.collect())
    }
}
