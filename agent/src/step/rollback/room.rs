//! Room for the way back on a full disk.

use super::Steps;
use crate::host::space::{self, Load, SpaceError};
use cofferdam_engine::{failure::Failure, order::Order, patch::Content};

impl Steps {
    /// Lets go of the new packages' files and of what was being fetched, where the disk is full: they led here,
    /// and nobody needs them to leave. The old ones, and those of other rollouts, stay.
    pub(super) async fn make_room(&self, order: &Order) -> Result<(), Failure> {
        let Content::Packages { packages, .. } = &order.content else {
            return Ok(());
        };
        let folder = self.keep.folder();
        let short = match space::require(&*self.outside.space, folder, Load::default()) {
            Ok(()) | Err(SpaceError::Unknown { .. }) => return Ok(()),
            Err(short) => short,
        };
        tracing::warn!(%short, "lets go of what the rollout brought, to go back");
        let mut needed = self.installed_bits().await?;
        for package in packages {
            needed.remove(&package.sha256);
        }
        needed.extend(self.records.bits_needed_without(&order.grant.rollout)?);
        Ok(self.keep.sweep(&needed)?)
    }
}
