//! Fetches and proves the bits of a rollout, and of the way back from it, ahead of time.

mod bring;
pub(super) mod config;
mod old;
mod packages;
mod room;
mod supply;
mod way_back;

pub(super) use bring::PATIENCE;
pub(super) use packages::changed;

use super::{Steps, record::Staged};
use crate::{actions::StageRequest, host::keep};
use cofferdam_engine::{digest::Digest, failure::Failure, patch::Content};
use std::{collections::BTreeSet, time::Duration};

impl Steps {
    /// Stages a rollout once; when that is done already, only proves that its bits are still there. Others, who
    /// bring something to the artefact store, are waited for as long as `patience`.
    pub(super) async fn stage_bits(
        &self,
        request: &StageRequest,
        patience: Duration,
    ) -> Result<(), Failure> {
        if self.is_staged(request).await? {
            return Ok(());
        }
        let filling = self.keep.filling();
        let bits = match &request.content {
            Content::Packages { packages, reach } => {
                let packages = self.of_this_host(packages, reach).await?;
                self.stage_packages(request, &packages, patience).await?
            }
            Content::Config { config, files } => self.stage_config(request, config, files).await?,
            Content::Noop => BTreeSet::new(),
        };
        if !matches!(request.content, Content::Packages { .. }) {
            self.require_kernel_fallback(request.kernel_fallback, &[])
                .await?;
        }
        let staged = Staged {
            lock_digest: request.lock_digest,
            bits,
        };
        self.records.save_staged(&request.rollout, &staged)?;
        drop(filling);
        Ok(())
    }

    async fn is_staged(&self, request: &StageRequest) -> Result<bool, Failure> {
        let Some(staged) = self.records.staged(&request.rollout)? else {
            return Ok(false);
        };
        if staged.lock_digest != request.lock_digest {
            return Ok(false);
        }
        for digest in staged.bits {
            if !self.is_kept(digest).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the keep has these bits, unharmed.
    pub(super) async fn is_kept(&self, digest: Digest) -> Result<bool, Failure> {
        for path in [self.keep.package(digest), self.keep.file(digest)] {
            if path.exists() {
                return Ok(keep::digest_of(&path).await? == digest);
            }
        }
        Ok(false)
    }
}
