//! Puts the flag up, and tells outside runs whether the host is in service.

use super::{
    Checked, Steps,
    record::{Before, Phase},
};
use crate::{
    actions::Service,
    checks::{
        self,
        verdict::{Reading, Verdict},
    },
    flag::Source,
    host::durable::{self, FileError},
};
use cofferdam_engine::{failure::Failure, id::RolloutId, order::Order};
use std::{path::Path, time::Duration};
use tokio::time::{Instant, timeout};

/// How old readings may be that answer for the host outside a run (guess: load balancers have their
/// own, quicker eyes).
const FRESH: Duration = Duration::from_secs(30);

/// Checks that take longer than this say nothing outside a run: who asks waits 5 s (guess).
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// The file that names the rollout which last patched the host.
const RELEASE: &str = "release";

impl Steps {
    /// Puts the flag up, and brings all of the traffic back. When the rollout has patched the host, it is
    /// the release from then on. A boot after verify, as of a power cut in this moment, makes it prove
    /// itself again. Ends when the load balancers see it.
    pub(super) async fn put_flag_up(&self, order: &Order) -> Result<(), Failure> {
        let began = Instant::now();
        if !self.state.is_proved() {
            self.admit_booted().await;
        }
        self.pass_gates().await;
        self.bring_traffic_back(order, began).await?;
        self.tell_gates();
        // What is shown was held against the time before this run.
        self.signals_shown.set(None);
        let rollout = &order.grant.rollout;
        let is_patched = |before: Before| before.phase == Phase::Begun;
        if self.records.before(rollout)?.is_some_and(is_patched)
            && let Err(error) = self.note_release(rollout)
        {
            // A healthy host does not stay out of service for want of a name on its health page.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the release is not shown"
            );
        }
        Ok(())
    }

    fn note_release(&self, rollout: &RolloutId) -> Result<(), FileError> {
        let path = self.settings.state_dir.join(RELEASE);
        durable::write(&path, rollout.as_str().as_bytes())?;
        self.state.set_release(rollout.as_str())
    }

    /// Whether the flag is up and no check fails, by readings that are at most [`FRESH`].
    pub(super) async fn service(&self) -> Service {
        if !self.state.is_up() {
            return Service {
                in_service: false,
                detail: self.state.reason(),
            };
        }
        let is_fresh = |checked: &Checked| checked.at.elapsed() < FRESH;
        let known = self.checked.borrow().as_ref().is_some_and(is_fresh);
        if !known {
            let (checks, _signals) = tokio::join!(
                timeout(ANSWER_WITHIN, self.read_checks()),
                timeout(ANSWER_WITHIN, self.show_signals_once_in_a_while()),
            );
            if checks.is_err() {
                self.remember(Vec::new());
            }
        }
        let checked = self.checked.borrow();
        let readings = checked
            .as_ref()
            .map_or(&[][..], |checked| &checked.readings);
        let failing: Vec<String> = readings
            .iter()
            .filter(|reading| reading.verdict == Verdict::Fail)
            .map(Reading::to_string)
            .collect();
        Service {
            in_service: failing.is_empty(),
            detail: failing.join("; "),
        }
    }

    /// Makes every check once, shows the verdicts in the state file beside what gates have to say, and
    /// remembers them.
    pub(super) async fn read_checks(&self) -> Vec<Reading> {
        let readings = checks::read_all(&*self.outside.runner, &self.settings).await;
        let has_something = |reading: &Reading| !reading.output.is_empty();
        let gates = self.ask_gates().into_iter().filter(has_something);
        let shown: Vec<Reading> = readings.iter().cloned().chain(gates).collect();
        self.show(Source::Check, &shown);
        self.remember(readings.clone());
        readings
    }

    /// Shows verdicts in the state file.
    pub(super) fn show(&self, source: Source, readings: &[Reading]) {
        if let Err(error) = self.state.show(source, readings) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the verdicts are not shown"
            );
        }
    }

    fn remember(&self, readings: Vec<Reading>) {
        let at = Instant::now();
        *self.checked.borrow_mut() = Some(Checked { at, readings });
    }
}

/// The rollout that last patched the host. Absent: none has.
pub(super) fn last_release(state_dir: &Path) -> Result<Option<String>, FileError> {
    let name = durable::read(&state_dir.join(RELEASE))?;
    Ok(name.and_then(|name| String::from_utf8(name).ok()))
}
