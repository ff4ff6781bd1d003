//! Lets what was installed take effect: restarts what runs the old bits, where the order and the host allow
//! it.
//!
//! The host is drained, so its own services lose nobody. What logs people in and what holds the system's
//! parts together is left as it is, and said.

use super::Steps;
use crate::{
    effect::{Effect, look},
    host::unit,
    pattern,
};
use cofferdam_engine::{
    failure::Failure,
    order::Order,
    patch::{RebootPolicy, RestartPolicy},
};

/// Units that a restart would cut people, or the rest of the system, off from.
pub(crate) const NEVER: [&str; 10] = [
    "cofferdam-agent.service",
    "dbus.service",
    "dbus-broker.service",
    "systemd-logind.service",
    "user@*",
    "getty@*",
    "serial-getty@*",
    "console-getty.service",
    "emergency.service",
    "rescue.service",
];

/// The first process, which begins anew without an end.
const FIRST: &str = "init.scope";

impl Steps {
    /// Restarts what the order allows, where no reboot follows; tells what is left.
    pub(super) async fn take_effect(&self, order: &Order) -> Result<Effect, Failure> {
        let effect = look::effect(&self.settings.root)?;
        let reboots = match order.reboot {
            RebootPolicy::Always => true,
            RebootPolicy::IfRequired => effect.reboot.is_some(),
            RebootPolicy::Never => false,
        };
        if reboots || order.restart == RestartPolicy::Never {
            self.outside.found.effect(effect.summary());
            return Ok(effect);
        }
        for unit in effect.stale.keys().filter(|unit| self.may_restart(unit)) {
            tracing::info!(unit, "restarting what runs replaced files");
            match unit.as_str() {
                FIRST => unit::begin_first_anew(&*self.outside.runner).await?,
                unit => unit::restart(&*self.outside.runner, unit).await?,
            }
        }
        let left = look::effect(&self.settings.root)?;
        self.outside.found.effect(left.summary());
        tracing::info!(%left, "what was installed is in effect");
        Ok(left)
    }

    fn may_restart(&self, unit: &str) -> bool {
        let own = NEVER.into_iter();
        let of_host = self.settings.never_restart.iter().map(String::as_str);
        let mut never = own.chain(of_host);
        (unit == FIRST || unit.ends_with(".service"))
            && !never.any(|listed| pattern::matches(listed, unit))
    }
}
