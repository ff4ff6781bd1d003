//! Takes the flag down and waits until traffic has ended.
//!
//! ```text
//! flag draining --at_least--> look, look, ... --nothing left--> post-drain.d, claim --> flag down
//!                                  |                                                       |
//!                                  | at_most, or no time: on_expiry                        | at_least
//!                                  +--force--> as if nothing were left                     v
//!                                  +--abort--> failure `drain`: flag up, all of it       change
//! ```
//!
//! While the flag says `draining`, load balancers send nothing new and leave sticky sessions where they
//! are. It says `down` only right before the host is changed. Sticky clients that are between two requests
//! are sent elsewhere from then on, as soon as their load balancer has heard of it: so that is waited for.

mod left;
mod sessions;

use super::{Steps, hooks::Point};
use crate::{
    actions::Flag,
    clock,
    flag::{FlagState, weight},
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    order::Order,
    traffic::OnExpiry,
};
use left::Left;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The wait between two looks at the connections (guess).
const POLL: Duration = Duration::from_millis(200);

/// How often it is told what drain waits for, after the first time (guess: a person looks at the log within
/// the minute).
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What drain keeps of its deadline for itself, to say why it ends: a last look at sessions takes half of
/// it (guess). Of a deadline that is short, a quarter.
const MARGIN: Duration = Duration::from_secs(2);

impl Steps {
    /// Takes the flag down, gives load balancers the time to see it, and waits for connections and
    /// sessions. Before it is noted what the host is like, and before and after it the hooks run.
    pub(super) async fn drain_traffic(&self, order: &Order) -> Result<(), Failure> {
        let step = (Instant::now(), order.deadlines.drain);
        self.note_baseline(order).await?;
        self.run_hooks(Point::PreDrain, order, step).await?;
        let reason = format!("rollout {} works on this host", order.grant.rollout);
        self.state.set(FlagState::Draining, &reason)?;
        let (began, has) = step;
        let kept = MARGIN.min(has / 4) + self.time_of_hooks(Point::PostDrain).min(has / 4);
        self.wait_for_traffic(order, began + has.saturating_sub(kept))
            .await?;
        self.run_hooks(Point::PostDrain, order, step).await
    }

    /// Waits for connections and sessions to end: for the least time, then for the most, and not past a
    /// moment. What is left then is for the rollout to decide, or else for the host.
    async fn wait_for_traffic(&self, order: &Order, end: Instant) -> Result<(), Failure> {
        let traffic = &self.settings.traffic;
        let at_most = traffic.at_most.map(|most| Instant::now() + most);
        sleep(traffic.at_least).await;
        let end = at_most.map_or(end, |at_most| at_most.min(end));
        let Some(left) = self.left_at(end).await? else {
            return Ok(());
        };
        match order.traffic.on_expiry.unwrap_or(traffic.on_expiry) {
            OnExpiry::Abort => {
                let detail = format!("left at the end of drain: {left}");
                Err(Failure::new(FailureKind::Drain, detail))
            }
            OnExpiry::Force => {
                tracing::warn!("left at the end of drain, and cut by the change: {left}");
                Ok(())
            }
        }
    }

    /// Waits until nothing is left, or a moment has come: then, what is left.
    async fn left_at(&self, end: Instant) -> Result<Option<Left>, Failure> {
        let mut told: Option<Instant> = None;
        loop {
            let has = end.saturating_duration_since(Instant::now());
            let within = has.max(MARGIN / 2);
            let left = Left::see(&*self.outside.runner, &self.settings, within).await?;
            if left.is_nothing() {
                return Ok(None);
            }
            if Instant::now() >= end {
                return Ok(Some(left));
            }
            if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
                tracing::info!("drain waits for {left}");
                told = Some(Instant::now());
            }
            sleep(POLL).await;
        }
    }

    /// Takes the flag down for good, if it is not: from here on what is still sent is lost. So load
    /// balancers that left sticky sessions here get the time to hear it, and what they sent until then the
    /// time to end.
    pub(super) async fn stop_traffic(&self, doing: &str, order: &Order) -> Result<(), Failure> {
        let was = self.state.flag();
        let reason = format!("{doing} {}", order.grant.rollout);
        self.state.set(FlagState::Down, &reason)?;
        if was != FlagState::Down {
            let end = Instant::now() + self.settings.traffic.at_least * 2;
            self.wait_to_be_heard(end).await?;
        }
        Ok(())
    }

    /// Takes back the traffic of a host that was on its way to all of it; what it serves may end until a
    /// moment.
    pub(super) async fn take_traffic_back(&self, why: &str, end: Instant) -> Result<(), Failure> {
        if self.state.flag() != FlagState::Down {
            self.state.set(FlagState::Draining, why)?;
            self.wait_to_be_heard(end).await?;
        }
        Ok(self.state.set(FlagState::Down, why)?)
    }

    async fn wait_to_be_heard(&self, end: Instant) -> Result<(), Failure> {
        sleep(self.settings.traffic.at_least).await;
        while !Left::connections(&self.settings)?.is_nothing() && Instant::now() < end {
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Puts the flag where the journal says it was. One that is there already stays as it is, so that
    /// load balancers see nothing of an agent's restart. One that is up and belongs down is of a run that
    /// was cut short before it said anything: what the host serves may end.
    pub(super) fn restore_flag(&self, flag: Flag) -> Result<(), Failure> {
        let unfinished = "a run is not over on this host";
        match (flag, self.state.told()) {
            (Flag::Up, _) if self.state.is_proved() => self.state.put_up(self.usual_ramp())?,
            (Flag::Up, _) => self.hold_since_boot()?,
            (Flag::Down, Some(FlagState::Draining | FlagState::Down)) => {}
            (Flag::Down, Some(FlagState::Up)) => {
                self.state.set(FlagState::Draining, unfinished)?;
            }
            (Flag::Down, None) => self.state.set(FlagState::Down, unfinished)?,
        }
        Ok(())
    }

    /// The host's own ramp from now on, that nobody watches.
    pub(super) fn usual_ramp(&self) -> Vec<weight::Weight> {
        let ramp = &self.settings.ramp;
        weight::unwatched(&ramp.steps, ramp.step(), clock::uptime())
    }
}
