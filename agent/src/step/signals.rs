//! Holds the signals of the machine against what they said before the run.

use super::Steps;
use crate::{
    checks::verdict::{self, Reading, Verdict},
    flag::Source,
    signals::baseline::Baseline,
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    order::Order,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The wait between two looks at the load balancers (guess: they look at a host every 2 s).
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How old the signals may be that are shown outside a run (guess: nobody acts on them there, and a host
/// at rest has better things to do).
const SHOW_EVERY: Duration = Duration::from_secs(300);

/// What the output of a signal ends with that was as bad before the run.
const WAS_SO: &str = "so before the run, which says nothing of the patch";

impl Steps {
    /// Notes what the host is like before a run, once: a drain that goes on after a restart finds a
    /// host that was worked on already.
    pub(super) async fn note_baseline(&self, order: &Order) -> Result<(), Failure> {
        if self.baseline(order)?.is_some() {
            return Ok(());
        }
        let mark = self.senses.mark_kernel_log();
        let (mut readings, balancers) = tokio::join!(
            self.senses.read(mark.as_ref()),
            self.senses.read_balancers()
        );
        readings.extend(balancers);
        let troubles = verdict::troubles(&readings);
        if !troubles.is_empty() {
            tracing::warn!(rollout = %order.grant.rollout, "bad before the run began: {troubles}");
        }
        let baseline = Baseline::take(order.key, mark, &readings);
        Ok(self
            .records
            .save_baseline(&order.grant.rollout, &baseline)?)
    }

    /// What the host was like before the run of an order. Absent: nobody noted it, as before an upgrade
    /// of the agent in the middle of the run.
    pub(super) fn baseline(&self, order: &Order) -> Result<Option<Baseline>, Failure> {
        let noted = self.records.baseline(&order.grant.rollout)?;
        Ok(noted.filter(|baseline| baseline.order == order.key))
    }

    /// Reads every signal once, shows all, and gives those that count: those that are not as bad as
    /// before the run.
    pub(super) async fn read_signals(&self, baseline: Option<&Baseline>) -> Vec<Reading> {
        let since = baseline.and_then(|baseline| baseline.kernel_log.as_ref());
        let mut readings = self.senses.read(since).await;
        let aside = set_aside(&mut readings, baseline);
        self.show(Source::Signal, &readings);
        readings.retain(|reading| !aside.contains(&reading.name));
        readings
    }

    /// Reads and shows, outside a run, every signal and what the load balancers see, unless that was done
    /// a moment ago.
    pub(super) async fn show_signals_once_in_a_while(&self) {
        let shown = self.signals_shown.get();
        if shown.is_some_and(|at| at.elapsed() < SHOW_EVERY) {
            return;
        }
        // Also when it is cut short: what takes too long is not tried the more often.
        self.signals_shown.set(Some(Instant::now()));
        let (mut readings, balancers) =
            tokio::join!(self.senses.read(None), self.senses.read_balancers());
        readings.extend(balancers);
        self.show(Source::Signal, &readings);
    }

    /// Waits until every load balancer sees the host that did so before the run, and not past a moment.
    /// Until then the host is out, whatever its flag says.
    pub(super) async fn wait_for_balancers(
        &self,
        order: &Order,
        end: Instant,
    ) -> Result<(), Failure> {
        if self.settings.signals.balancers.is_empty() {
            return Ok(());
        }
        let baseline = self.baseline(order)?;
        loop {
            let readings = self.read_balancers(baseline.as_ref()).await;
            let together = verdict::of_all(&readings);
            let kind = match together {
                Verdict::Pass => return Ok(()),
                Verdict::Fail => FailureKind::Unhealthy,
                Verdict::NoData => FailureKind::NoData,
            };
            if Instant::now() + LOOK_EVERY >= end {
                let troubles = verdict::troubles(&readings);
                let detail = format!("the flag is up, and not all send traffic: {troubles}");
                return Err(Failure::new(kind, detail));
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

/// Says of each reading that was as bad before the run that it was, and names them.
pub(super) fn set_aside(readings: &mut [Reading], baseline: Option<&Baseline>) -> Vec<String> {
    let Some(baseline) = baseline else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for reading in readings {
        if !baseline.sets_aside(reading) {
            continue;
        }
        reading.output = match &*reading.output {
            "" => WAS_SO.to_owned(),
            said => format!("{said} ({WAS_SO})"),
        };
        names.push(reading.name.clone());
    }
    names
}
