//! Lets a host that booted back into traffic, once it is found well.
//!
//! A reboot takes the state file with it, so the host is not available from its first moment. It comes
//! back by a run that verified it, or outside runs by this: all checks, probes and gates, and the units and
//! ports that were named, pass at the same time, twice in a row where there are any but gates. What does not
//! pass holds the host for as long as it does not, and says so on its page.

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

/// How often in a row all must pass: what starts may be there and fall again at once.
const PASSES: u32 = 2;

/// Something beside checks and probes that may hold a booted host back, such as drift from its image.
/// It is asked each time the host is looked at, so it answers from what it knows.
pub trait Gate {
    /// What it says. Only a pass lets the host through; what it passes with a warning it says as output.
    fn judge(&self) -> Reading;

    /// The host was let in.
    fn let_in(&self);
}

impl Steps {
    /// Says that the host is held since its boot, if nothing is said yet.
    pub(super) fn hold_since_boot(&self) -> Result<(), FileError> {
        self.hold("its checks have not passed since the boot")
    }

    /// Puts the flag up when the host is found well; at once when it was found well since its boot.
    pub(super) async fn admit_booted(&self) {
        let mut passes = 0;
        while !self.state.is_proved() {
            let (troubles, enough) = self.boot_troubles().await;
            passes = if troubles.is_empty() { passes + 1 } else { 0 };
            if passes >= enough {
                break;
            }
            let why = match troubles.as_str() {
                "" => "it was found well once",
                troubles => troubles,
            };
            if let Err(error) = self.hold(&format!("held since the boot: {why}")) {
                warn(&error);
            }
            sleep(LOOK_EVERY).await;
        }
        while let Err(error) = self.let_in() {
            warn(&error);
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until every gate passes: a run that verified the host does not know what they know.
    pub(super) async fn pass_gates(&self) {
        while let troubles = verdict::troubles(&self.ask_gates())
            && !troubles.is_empty()
        {
            if let Err(error) = self.hold(&format!("verified, and held: {troubles}")) {
                warn(&error);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Puts the flag up, and tells the gates.
    fn let_in(&self) -> Result<(), FileError> {
        self.state.put_up(self.usual_ramp())?;
        self.tell_gates();
        Ok(())
    }

    /// Tells the gates that the host was let in.
    pub(super) fn tell_gates(&self) {
        for gate in &self.outside.gates {
            gate.let_in();
        }
    }

    /// What every gate says now.
    pub(super) fn ask_gates(&self) -> Vec<Reading> {
        let gates = self.outside.gates.iter();
        gates.map(|gate| gate.judge()).collect()
    }

    /// What does not pass, and how many looks in a row that find nothing are enough.
    async fn boot_troubles(&self) -> (String, u32) {
        let mut readings = self.read_checks().await;
        readings.extend(self.senses.read_named().await);
        let enough = if readings.is_empty() { 1 } else { PASSES };
        readings.extend(self.ask_gates());
        let troubles = match verdict::of_all(&readings) {
            Verdict::Pass => String::new(),
            Verdict::Fail | Verdict::NoData => verdict::troubles(&readings),
        };
        (troubles, enough)
    }

    fn hold(&self, reason: &str) -> Result<(), FileError> {
        self.state.set(FlagState::Down, reason)
    }
}

fn warn(error: &FileError) {
    let error: &dyn std::error::Error = error;
    tracing::warn!(error, "the flag could not be put where it belongs");
}
