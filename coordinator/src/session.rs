//! One agent's session, from its hello to its end.
//!
//! Inbound, each message goes to the driver, and the session waits for room there: a flood of one
//! agent slows that agent. Outbound, the driver and this task share one bounded queue, and the
//! session ends when the driver drops its end. On silence of three heartbeats, on anything
//! malformed, or at the stream's end, it ends by itself and tells the driver.

use crate::{
    driver::{DriverHandle, Said, Stopping},
    sessions::{Inbound, SessionNumber},
};
use cofferdam_engine::id::HostId;
use cofferdam_proto::{
    convert::FieldError,
    session::{FromAgent, MISSED_HEARTBEATS, ToAgent},
    v1,
};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tonic::{Status, Streaming};

/// One live session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) host: HostId,
    pub(crate) number: SessionNumber,
    pub(crate) heartbeat: Duration,
    pub(crate) driver: DriverHandle,
    pub(crate) ends: Inbound,
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the agent closed it")]
    ByAgent,
    #[error("the coordinator closed it")]
    ByDriver,
    #[error("nothing was heard for {MISSED_HEARTBEATS} heartbeats")]
    Silence,
    #[error("the connection broke")]
    Broken(#[source] Status),
    #[error("the agent sent what it must not")]
    Malformed(#[source] FieldError),
    #[error("the agent sent a second hello")]
    SecondHello,
    #[error(transparent)]
    Stopping(#[from] Stopping),
}

impl Session {
    /// Runs the session to its end.
    pub(crate) async fn run(mut self, mut inbound: Streaming<v1::FromAgent>) {
        tracing::info!(host = %self.host, "session opened");
        let ended = self.exchange(&mut inbound).await;
        let why = cofferdam_proto::error_chain(&ended);
        tracing::info!(host = %self.host, why, "session ended");
        self.driver.closed(self.host, self.number).await;
    }

    async fn exchange(&mut self, inbound: &mut Streaming<v1::FromAgent>) -> Ended {
        let mut ticks = interval_at(Instant::now() + self.heartbeat, self.heartbeat);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut silent_at = Instant::now() + self.silence();
        loop {
            tokio::select! {
                biased;
                _ = &mut self.ends.closed => return Ended::ByDriver,
                received = inbound.message() => {
                    silent_at = Instant::now() + self.silence();
                    if let Err(ended) = self.receive(received).await {
                        return ended;
                    }
                }
                _ = ticks.tick() => {
                    // A queue that is full has signs of life enough.
                    let queue = self.ends.queue.upgrade();
                    queue.map(|queue| queue.try_send(ToAgent::Heartbeat).ok());
                }
                () = sleep_until(silent_at) => return Ended::Silence,
            }
        }
    }

    async fn receive(&self, received: Result<Option<v1::FromAgent>, Status>) -> Result<(), Ended> {
        let message = received.map_err(Ended::Broken)?.ok_or(Ended::ByAgent)?;
        let said = match FromAgent::try_from(message).map_err(Ended::Malformed)? {
            FromAgent::Hello(_) => return Err(Ended::SecondHello),
            FromAgent::Heartbeat => return Ok(()),
            FromAgent::Packages(set) => Said::Packages(set),
            FromAgent::Report(report) => Said::Report(report),
            FromAgent::Claim { key, token, point } => Said::Claim { key, token, point },
            FromAgent::Simulated { request, result } => Said::Simulated { request, result },
        };
        Ok(self.driver.said(&self.host, self.number, said).await?)
    }

    fn silence(&self) -> Duration {
        self.heartbeat * MISSED_HEARTBEATS
    }
}
