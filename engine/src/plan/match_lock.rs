//! Whether a lock file was made of a rollout file.

use super::{PlanError, upgrade};
use crate::{
    patch::{LockFile, Locked, Patch, VersionWish},
    spec::Spec,
};

/// What stands against it, as far as can be told without asking a host.
pub(super) fn errors(spec: &Spec, lock: &LockFile) -> Vec<PlanError> {
    let mut errors = Vec::new();
    if lock.rollout != spec.name().as_str() {
        errors.push(PlanError::OtherRollout {
            lock: lock.rollout.clone(),
            spec: spec.name().clone(),
        });
    }
    let (packages, platforms) = match (spec.patch(), &lock.content) {
        (patch, Locked::Packages { platforms }) if !upgrade::is_of(patch, platforms) => {
            errors.push(PlanError::OtherPatch);
            return errors;
        }
        (Patch::Packages { packages }, Locked::Packages { platforms }) => (packages, platforms),
        (Patch::Config(config), Locked::Config(files)) if !config.is_locked_by(files) => {
            errors.push(PlanError::OtherFiles);
            return errors;
        }
        (Patch::Security | Patch::Advisory(_), Locked::Packages { .. })
        | (Patch::Config(_), Locked::Config(_))
        | (Patch::Noop, Locked::Noop) => return errors,
        (
            Patch::Packages { .. }
            | Patch::Security
            | Patch::Advisory(_)
            | Patch::Config(_)
            | Patch::Noop,
            _,
        ) => {
            errors.push(PlanError::OtherPatch);
            return errors;
        }
    };
    for entry in platforms {
        for (package, wish) in packages {
            let locked = entry.packages.iter().find(|p| p.name == *package);
            let version = locked.map(|locked| &locked.version);
            let is_met = match wish {
                VersionWish::Latest => version.is_some(),
                VersionWish::Exactly(wished) => version == Some(wished),
            };
            if !is_met {
                errors.push(PlanError::OtherVersion {
                    package: package.clone(),
                    wish: wish.clone(),
                    platform: entry.platform.clone(),
                    locked: version.cloned(),
                });
            }
        }
    }
    errors
}
