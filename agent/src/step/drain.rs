//! Takes the flag down and waits until traffic has ended.

use super::{Steps, hooks::Point};
use crate::{
    actions::Flag,
    flag::FlagState,
    host::{connections, durable::FileError},
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    order::Order,
};
use std::{path::Path, time::Duration};
use tokio::time::{Instant, sleep};

/// The wait between two looks at the connections (guess).
const POLL: Duration = Duration::from_millis(200);

impl Steps {
    /// Takes the flag down, gives load balancers the time to see it, and waits for the connections.
    /// Before it is noted what the host is like, and before and after it the hooks run.
    pub(super) async fn drain_traffic(&self, order: &Order) -> Result<(), Failure> {
        let step = (Instant::now(), order.deadlines.drain);
        self.note_baseline(order).await?;
        self.run_hooks(Point::PreDrain, order, step).await?;
        let reason = format!("rollout {} works on this host", order.grant.rollout);
        self.state.set(FlagState::Draining, &reason)?;
        self.wait_for_connections(step).await?;
        self.run_hooks(Point::PostDrain, order, step).await
    }

    async fn wait_for_connections(&self, (began, has): (Instant, Duration)) -> Result<(), Failure> {
        let begin = Instant::now();
        let traffic = &self.settings.traffic;
        sleep(traffic.at_least).await;
        loop {
            let open = connections::open_to(&traffic.ports)
                .map_err(FileError::of("reading", Path::new("/proc/net/tcp")))?;
            if open == 0 {
                return Ok(());
            }
            if traffic
                .at_most
                .is_some_and(|at_most| begin.elapsed() >= at_most)
            {
                tracing::warn!(open, "the connections that are still open will be cut");
                return Ok(());
            }
            // Just before the caller gives up, since only here the reason is known.
            if began.elapsed() + 2 * POLL >= has {
                let detail = format!("{open} connections are still open at the end of drain");
                return Err(Failure::new(FailureKind::TimedOut, detail));
            }
            sleep(POLL).await;
        }
    }

    /// Takes the flag down for good: from here on what is still sent is lost.
    pub(super) fn stop_traffic(&self, order: &Order) -> Result<(), Failure> {
        let reason = format!("patching {}", order.grant.rollout);
        Ok(self.state.set(FlagState::Down, &reason)?)
    }

    /// Puts the flag where the journal says it was. One that is there already stays as it is, so that
    /// load balancers see nothing of an agent's restart.
    pub(super) fn restore_flag(&self, flag: Flag) -> Result<(), Failure> {
        match flag {
            Flag::Up if self.state.is_proved() => self.state.put_up(self.settings.ramp)?,
            Flag::Up => self.hold_since_boot()?,
            Flag::Down if self.state.is_told_down() => {}
            Flag::Down => {
                let reason = "a run is not over on this host";
                self.state.set(FlagState::Down, reason)?;
            }
        }
        Ok(())
    }
}
