//! Brings traffic back to a host: step by step, each watched by its checks, its signals, and what the load
//! balancers see. [`super::climb`] says which step follows, [`crate::flag::weight`] what becomes of a host
//! whose agent dies on the way.
//!
//! A host that was only drained takes all of its traffic back at once: nothing of it is new, or cold. One
//! that is not well in the end has its traffic taken back before the step fails, so that the way back of
//! its patch cuts nothing that could have ended.

use super::{
    Steps,
    climb::{Climb, Judgement, Place},
};
use crate::{
    checks::verdict::{self, Reading, Verdict},
    clock,
    flag::{FlagState, weight},
    host::{durable::FileError, settings::Ramp},
    signals::baseline::Baseline,
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    order::Order,
    traffic::longest_ramp,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What the step keeps of its deadline, beside the time in which load balancers hear of it, to take
/// traffic back (guess): at least a quarter, at most half.
const MARGIN: Duration = Duration::from_secs(2);

/// One look at the host.
struct Look {
    verdict: Verdict,
    troubles: String,
}

impl Steps {
    /// Brings traffic back in a step that began at a moment. Ends when the load balancers see all of it.
    pub(super) async fn bring_traffic_back(
        &self,
        order: &Order,
        began: Instant,
    ) -> Result<(), Failure> {
        let has = order.deadlines.drain;
        let to_take_back = self.settings.traffic.at_least * 2 + MARGIN;
        let end = began + has.saturating_sub(to_take_back.clamp(has / 4, has / 2));
        let brought = match self.climb(order, end).await {
            Ok(()) => self.wait_for_balancers(order, end).await,
            failed @ Err(_) => failed,
        };
        let Err(failure) = brought else {
            return Ok(());
        };
        tracing::warn!(%failure, "takes traffic back");
        let why = format!("its traffic was taken back: {}", failure.detail);
        self.take_traffic_back(&why, began + has.saturating_sub(MARGIN.min(has / 8)))
            .await?;
        Err(failure)
    }

    async fn climb(&self, order: &Order, end: Instant) -> Result<(), Failure> {
        let ramp = self.ramp_of(order);
        let mut climb = match self.state.flag() {
            FlagState::Draining => return Ok(self.state.weigh(Vec::new())?),
            FlagState::Down | FlagState::Up if ramp.takes.is_zero() => {
                return Ok(self.state.weigh(Vec::new())?);
            }
            FlagState::Down => Climb::from_down(ramp.steps.percents(), ramp.step()),
            FlagState::Up => {
                let has = self.state.percent(clock::uptime());
                Climb::from_part(ramp.steps.percents(), ramp.step(), has)
            }
        };
        let baseline = self.baseline(order)?;
        let start = Instant::now();
        let mut is_seen = false;
        let mut said = None;
        while climb.place() != Place::All {
            is_seen &= climb.place() != Place::Down;
            let now = start.elapsed();
            let look = self
                .look(climb.place(), baseline.as_ref(), &mut is_seen)
                .await;
            let (from, _) = climb.parts();
            let judgement = climb.observe(now, look.verdict);
            let is_late = Instant::now() + climb.interval() >= end;
            if judgement == Judgement::GivenUp || (is_late && climb.place() != Place::All) {
                return Err(given_up(&climb, from, &look));
            }
            let says = (climb.place(), look.verdict == Verdict::Pass);
            if said.replace(says) != Some(says) {
                self.say_place(&climb, &look, ramp.step())?;
            }
            if climb.place() != Place::All {
                sleep(climb.interval()).await;
            }
        }
        Ok(self.state.weigh(Vec::new())?)
    }

    /// The ramp of a run: as the rollout says, or else the host; not longer than a run has time for.
    fn ramp_of(&self, order: &Order) -> Ramp {
        let usual = &self.settings.ramp;
        let wish = &order.traffic;
        let takes = wish.ramp.unwrap_or(usual.takes);
        Ramp {
            takes: takes.min(longest_ramp(order.deadlines.drain)),
            steps: wish.ramp_steps.as_ref().unwrap_or(&usual.steps).clone(),
        }
    }

    /// Reads everything once. What load balancers see counts while the host has traffic: for it from the
    /// moment on in which all have seen it, and until then not at all.
    async fn look(&self, place: Place, baseline: Option<&Baseline>, is_seen: &mut bool) -> Look {
        let asks_balancers = place != Place::Down;
        let (mut readings, signals, balancers) =
            tokio::join!(self.read_checks(), self.read_signals(baseline), async {
                match asks_balancers {
                    true => self.read_balancers(baseline).await,
                    false => Vec::new(),
                }
            });
        readings.extend(signals);
        let of_host = verdict::of_all(&readings);
        let of_balancers = verdict::of_all(&balancers);
        *is_seen |= asks_balancers && of_balancers == Verdict::Pass;
        readings.extend(balancers);
        let of_balancers = match of_balancers {
            Verdict::Fail if !*is_seen => Verdict::NoData,
            seen @ (Verdict::Pass | Verdict::Fail | Verdict::NoData) => seen,
        };
        Look {
            verdict: verdict::of_verdicts([of_host, of_balancers]),
            troubles: verdict::troubles(&readings),
        }
    }

    fn say_place(&self, climb: &Climb, look: &Look, step: Duration) -> Result<(), FileError> {
        let now = clock::uptime();
        let (percent, next) = climb.parts();
        let troubles = &look.troubles;
        match (climb.place(), look.verdict) {
            (Place::All, _) | (Place::Down, Verdict::Pass) => Ok(()),
            (Place::Down, Verdict::Fail | Verdict::NoData) => {
                let reason = format!("on its way back to traffic, and not well: {troubles}");
                self.state.set(FlagState::Down, &reason)
            }
            (Place::Step(_), Verdict::Pass) => {
                tracing::info!("has {percent}% of its traffic");
                self.state.weigh(weight::watched(percent, next, step, now))
            }
            (Place::Step(_), Verdict::Fail | Verdict::NoData) => {
                tracing::warn!("stays at {percent}% of its traffic: {troubles}");
                self.state.weigh(weight::held(percent, now))
            }
        }
    }

    /// What each load balancer sees that saw the host before the run.
    pub(super) async fn read_balancers(&self, baseline: Option<&Baseline>) -> Vec<Reading> {
        let mut readings = self.senses.read_balancers().await;
        let aside = super::signals::set_aside(&mut readings, baseline);
        readings.retain(|reading| !aside.contains(&reading.name));
        readings
    }
}

/// Why a host does not get its traffic back, as verify would say it.
fn given_up(climb: &Climb, percent: u8, look: &Look) -> Failure {
    let (kind, what) = match look.verdict {
        Verdict::Pass => (FailureKind::TimedOut, "not well for long enough"),
        Verdict::Fail => (FailureKind::Unhealthy, "not well"),
        Verdict::NoData => (FailureKind::NoData, "without an answer"),
    };
    let (back, troubles) = (climb.steps_back(), &look.troubles);
    let times = match back {
        0 => String::new(),
        1 => ", and stepped back once".to_owned(),
        back => format!(", and stepped back {back} times"),
    };
    let detail = format!("with {percent}% of its traffic the host is {what}{times}: {troubles}");
    Failure::new(kind, detail.trim_end_matches(": "))
}
