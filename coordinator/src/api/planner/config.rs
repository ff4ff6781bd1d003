//! Lock files of config patches: their bits are in the artefact store.

use super::Planner;
use cofferdam_engine::{
    digest::Digest,
    patch::{ConfigFile, ConfigPatch, Files, LockedFile, LockedSource, Patch, Source},
    spec::Spec,
};
use cofferdam_proto::status::{CallError, CallErrorKind};

impl Planner<'_> {
    /// Locks files that the rollout file names by their digests. Others are locked by who has their sources.
    pub(super) fn lock_config(
        &self,
        config: &ConfigPatch,
    ) -> Result<Files<LockedSource>, CallError> {
        let lock = |file: &ConfigFile| match &file.source {
            Source::Stored(digest) => Ok(LockedSource::named(file, self.stored(*digest)?, None)),
            source @ (Source::Beside(_) | Source::Https(_) | Source::Git(_)) => {
                Err(made_elsewhere(source))
            }
        };
        let locked: Result<Vec<_>, _> = config.files.iter().map(lock).collect();
        Files::of(locked?)
            .ok_or_else(|| CallError::new(CallErrorKind::Invalid, "a config patch without a file"))
    }

    /// Content that a rollout file names by its digest.
    fn stored(&self, sha256: Digest) -> Result<LockedFile, CallError> {
        let size = self.artefacts.size(&sha256).ok_or_else(|| {
            let message = format!(
                "the artefact store does not hold {sha256}: `cofferdam artefact put FILE` uploads it"
            );
            CallError::new(CallErrorKind::NotNow, message)
        })?;
        Ok(LockedFile { sha256, size })
    }

    /// All that a lock file names must be there.
    pub(super) fn check_artefacts(&self, files: &Files<LockedSource>) -> Result<(), CallError> {
        let is_missing = |one: &&LockedSource| {
            let LockedFile { sha256, size } = &one.file;
            self.artefacts.size(sha256) != Some(*size)
        };
        let Some(missing) = files.iter().find(is_missing) else {
            return Ok(());
        };
        let LockedFile { sha256, size } = &missing.file;
        let cure = match missing.of.as_ref().map(|of| &of.source) {
            Some(Source::Https(_) | Source::Git(_)) => {
                "`cofferdam plan --relock` fetches and uploads it"
            }
            Some(Source::Stored(_)) => "`cofferdam artefact put FILE` uploads it",
            Some(Source::Beside(_)) | None => "`cofferdam plan` uploads it",
        };
        let message = format!("the artefact store does not hold {sha256} of {size} bytes: {cure}");
        Err(CallError::new(CallErrorKind::NotNow, message))
    }
}

/// The lock file of files that are not in the store yet is made by who has their sources.
fn made_elsewhere(source: &Source) -> CallError {
    let message =
        format!("the lock file of a config patch is made where {source} is: use `cofferdam plan`");
    CallError::new(CallErrorKind::Invalid, message)
}

/// Content that a rollout file names by its digest must be what is locked.
pub(super) fn check_named(spec: &Spec, files: &Files<LockedSource>) -> Result<(), CallError> {
    let Patch::Config(config) = spec.patch() else {
        return Ok(());
    };
    for (file, locked) in config.files.iter().zip(files.iter()) {
        let named = match &file.source {
            Source::Stored(digest) => digest,
            Source::Beside(_) | Source::Https(_) | Source::Git(_) => continue,
        };
        let sha256 = locked.file.sha256;
        if *named != sha256 {
            let message = format!(
                "the rollout file names {named}, {sha256} is locked: make the lock file anew with `cofferdam plan --relock`"
            );
            return Err(CallError::new(CallErrorKind::Invalid, message));
        }
    }
    Ok(())
}
