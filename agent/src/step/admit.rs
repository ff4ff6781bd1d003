//! Lets a host that booted back into traffic, once it is found well.
//!
//! A reboot takes the state file with it, so the host is not available from its first moment. It comes
//! back by a run that verified it, or outside runs by this: all checks, probes and gates pass once at the
//! same time. What does not pass holds the host for as long as it does not, and says so on its page.

use super::Steps;
use crate::{
    checks::verdict::{self, Reading, Verdict},
    flag::FlagState,
    host::durable::FileError,
};
use std::time::Duration;
use tokio::time::sleep;

/// The wait between two looks (guess: a zone that lost power should not wait for us, and the checks of a
/// host that starts have other things to do).
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Something beside checks and probes that may hold a booted host back, such as drift from its image.
/// It is asked each time the host is looked at, so it answers from what it knows.
pub trait Gate {
    /// What it says. Only a pass lets the host through; what it passes with a warning it says as output.
    fn judge(&self) -> Reading;
}

impl Steps {
    /// Says that the host is held since its boot, if nothing is said yet.
    pub(super) fn hold_since_boot(&self) -> Result<(), FileError> {
        self.hold("its checks have not passed since the boot")
    }

    /// Puts the flag up when the host is found well; at once when it was found well since its boot.
    pub(super) async fn admit_booted(&self) {
        while !self.state.is_proved() {
            let troubles = self.boot_troubles().await;
            if troubles.is_empty() {
                break;
            }
            if let Err(error) = self.hold(&format!("held since the boot: {troubles}")) {
                warn(&error);
            }
            sleep(LOOK_EVERY).await;
        }
        while let Err(error) = self.state.put_up(self.settings.ramp) {
            warn(&error);
            sleep(LOOK_EVERY).await;
        }
    }

    async fn boot_troubles(&self) -> String {
        let mut readings = self.read_checks().await;
        readings.extend(self.outside.gates.iter().map(|gate| gate.judge()));
        match verdict::of_all(&readings) {
            Verdict::Pass => String::new(),
            Verdict::Fail | Verdict::NoData => verdict::troubles(&readings),
        }
    }

    fn hold(&self, reason: &str) -> Result<(), FileError> {
        self.state.set(FlagState::Down, reason)
    }
}

fn warn(error: &FileError) {
    let error: &dyn std::error::Error = error;
    tracing::warn!(error, "the flag could not be put where it belongs");
}
