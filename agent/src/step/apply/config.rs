//! Replaces config files: all of them, or none.
//!
//! ```text
//! keep what is there -> write it down -> write all beside -> [one: validate] -> rename each
//!                                                    -> [several: validate] -> reload
//! ```
//!
//! The host is drained, and nothing reads the new files before all are there and judged. If one cannot be
//! put in place, or the judge says no, all are put back at once. An agent that dies in between does the step
//! again, from what was written down.

use super::Steps;
use crate::{
    config_file::{
        self, Candidate,
        set::{self, Change},
    },
    step::{
        record::{ConfigWas, FileWas, Was},
        stage::config::judge_of_one,
    },
};
use cofferdam_engine::{
    failure::Failure,
    order::Order,
    patch::{ConfigPatch, Files, LockedFile},
};

impl Steps {
    pub(super) async fn apply_config(
        &self,
        order: &Order,
        config: &ConfigPatch,
        files: &Files<LockedFile>,
    ) -> Result<(), Failure> {
        let root = &self.settings.root;
        let changes = set::changes(config, files, root)?;
        let candidates = self.prepare_config(order, config, &changes).await?;
        let placed = self.place_config(config, &changes, candidates).await;
        if let Err(failure) = placed {
            self.undo_config(order).await;
            return Err(failure);
        }
        // Again even when the files were in place: an interruption may have come before.
        config_file::reload(config.reload.as_deref(), root, &*self.outside.runner).await
    }

    /// Writes down what is there, then writes what is to be there beside it.
    async fn prepare_config(
        &self,
        order: &Order,
        config: &ConfigPatch,
        changes: &[Change<'_>],
    ) -> Result<Vec<Candidate>, Failure> {
        let rollout = order.grant.rollout.as_str();
        let mut were = Vec::new();
        let mut wanted = Vec::new();
        for change in changes {
            let now = change.place.keep_old(&self.keep, rollout).await?;
            let is_to_be = change.wanted(now.as_ref(), &self.settings.root)?;
            wanted.push((now.as_ref() != Some(&is_to_be)).then_some(is_to_be));
            were.push(FileWas {
                path: change.file.path.clone(),
                new: change.locked.sha256,
                old: now,
            });
        }
        let Some(files) = Files::of(were) else {
            return Ok(Vec::new());
        };
        let was = ConfigWas {
            files,
            reload: config.reload.clone(),
        };
        self.begin(order, Was::Config(was))?;
        let changed = changes.iter().zip(&wanted);
        let changed = changed.filter_map(|(change, wanted)| Some((change, wanted.as_ref()?)));
        changed
            .map(|(change, wanted)| {
                let content = self.keep.file(wanted.sha256);
                change.place.prepare(&content, Some(wanted))
            })
            .collect()
    }

    /// Puts all in their places, and asks the host's own validate command: of one file before that, of several
    /// after it, and before anything is let read them.
    async fn place_config(
        &self,
        config: &ConfigPatch,
        changes: &[Change<'_>],
        candidates: Vec<Candidate>,
    ) -> Result<(), Failure> {
        let (settings, runner) = (&self.settings, &*self.outside.runner);
        if let (Some(name), [one]) = (judge_of_one(config), candidates.as_slice()) {
            config_file::validate(name, one.path(), settings, runner).await?;
        }
        place_all(candidates)?;
        match (&config.validate, changes) {
            (Some(name), [main, _, ..]) => {
                config_file::validate(name, main.place.path(), settings, runner).await
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Puts back what was there. That it cannot is only said: the rollback that follows tries again.
    async fn undo_config(&self, order: &Order) {
        let before = self.records.before(&order.grant.rollout);
        let undone = match before {
            Ok(Some(before)) => match &before.was {
                Was::Config(was) => self.put_back_config(was).await.map(drop),
                Was::Packages { .. } | Was::Noop => Ok(()),
            },
            Ok(None) => Ok(()),
            Err(error) => Err(error.into()),
        };
        if let Err(failure) = undone {
            tracing::warn!(%failure, "config files could not be put back yet");
        }
    }
}

fn place_all(candidates: Vec<Candidate>) -> Result<(), Failure> {
    candidates.into_iter().try_for_each(Candidate::place)
}
