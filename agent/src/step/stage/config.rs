//! Stages config files.

use super::Steps;
use crate::{
    actions::StageRequest,
    config_file::{self, set},
    host::space::{self, Load},
};
use cofferdam_engine::{
    digest::Digest,
    failure::Failure,
    patch::{ConfigPatch, Files, LockedFile},
};
use std::collections::BTreeSet;

impl Steps {
    /// Fetches the new contents and keeps the old ones. Of one file the host's own validate command is asked;
    /// several can only be judged together, in their places.
    pub(super) async fn stage_config(
        &self,
        request: &StageRequest,
        config: &ConfigPatch,
        files: &Files<LockedFile>,
    ) -> Result<BTreeSet<Digest>, Failure> {
        let settings = &self.settings;
        config_file::require_validator(config, settings)?;
        let changes = set::changes(config, files, &settings.root)?;
        let sizes = files.iter().map(|file| file.size);
        let bytes = sizes.fold(0_u64, u64::saturating_add);
        self.require_room_to_stage(bytes.saturating_mul(2))?;
        let (space, load) = (&*self.outside.space, Load::bytes(bytes));
        space::require(space, settings.root.path(), load)?;
        let rollout = request.rollout.as_str();
        let mut bits = BTreeSet::new();
        for change in &changes {
            let sha256 = change.locked.sha256;
            if !self.is_kept(sha256).await? {
                let into = self.keep.incoming(rollout)?.join("new");
                self.fetch_stored(change.locked, self.rate_of(request), &into)
                    .await?;
                self.keep.take_file(&into).await?;
            }
            let old = change.place.keep_old(&self.keep, rollout).await?;
            let wanted = change.wanted(old.as_ref(), &settings.root)?;
            bits.extend(old.map(|old| old.sha256).into_iter().chain([sha256]));
            if let Some(name) = judge_of_one(config) {
                let candidate = change
                    .place
                    .prepare(&self.keep.file(sha256), Some(&wanted))?;
                let runner = &*self.outside.runner;
                config_file::validate(name, candidate.path(), settings, runner).await?;
            }
        }
        Ok(bits)
    }
}

/// The validate command of a patch of one file, which is judged before it is in its place.
pub(in crate::step) fn judge_of_one(config: &ConfigPatch) -> Option<&str> {
    let judge = config.validate.as_deref();
    judge.filter(|_| config.files.count() == 1)
}
