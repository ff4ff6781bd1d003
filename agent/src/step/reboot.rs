//! Reboots the machine. Its own boot id tells later whether it did: the run goes by that.

use super::Steps;
use crate::host::unit;
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    order::Order,
};

impl Steps {
    pub(super) async fn ask_for_reboot(&self, order: &Order) -> Result<(), Failure> {
        let root = &self.settings.root;
        if !root.is_machine() {
            let detail = format!(
                "{} is not the root of a machine to reboot",
                root.path().display()
            );
            return Err(Failure::new(FailureKind::Unsupported, detail));
        }
        self.arm_kernel(order).await?;
        unit::reboot(&*self.outside.runner).await
    }
}
