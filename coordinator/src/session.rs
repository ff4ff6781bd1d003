//! One agent's session, from its hello to its end.
//!
//! Inbound, each message goes to the driver, and the session waits for room there: a flood of one
//! agent slows that agent. Outbound, the driver and this task share one bounded queue, and the
//! session ends when the driver drops its end. On silence of three heartbeats, on anything
//! malformed, or at the stream's end, it ends by itself and tells the driver.

use crate::{
    api::call,
    driver::{DriverHandle, Said, Stopping},
    sessions::{Inbound, Outbound, SessionNumber},
};
use cofferdam_engine::id::HostId;
use cofferdam_proto::{
    convert::FieldError,
    session::{FromAgent, Hello, MISSED_HEARTBEATS, ToAgent},
    status::CallError,
    v1,
};
use std::time::Duration;
use tokio::{
    sync::oneshot,
    time::{Instant, MissedTickBehavior, interval_at, sleep_until},
};
use tonic::{Status, Streaming};

/// One agent's session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) host: HostId,
    pub(crate) heartbeat: Duration,
    pub(crate) driver: DriverHandle,
    pub(crate) number: SessionNumber,
    pub(crate) ends: Inbound,
}

/// Tells whoever answers the agent's call whether the session was accepted.
pub(crate) type Accepted = oneshot::Sender<Result<(), CallError>>;

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
    Broken(#[source] CallError),
    #[error("the agent sent what it must not")]
    Malformed(#[source] FieldError),
    #[error("the agent sent a second hello")]
    SecondHello,
    #[error(transparent)]
    Stopping(#[from] Stopping),
}

/// What becomes of an agent's reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reports {
    Read,
    /// One could not be read. To acknowledge one after it would acknowledge it too, so all wait in the agent's outbox
    /// for a coordinator that can.
    Wait,
}

impl Session {
    /// Opens the session and runs it to its end. It is a task apart from the agent's call: when that
    /// is given up in the middle, the driver still learns that the session ended.
    pub(crate) async fn run(
        mut self,
        hello: Hello,
        outbound: Outbound,
        accepted: Accepted,
        mut inbound: Streaming<v1::FromAgent>,
    ) {
        let opened = self.driver.opened(hello, self.number, outbound).await;
        let opened = opened.map_err(call::stopping).and_then(call::applied);
        let is_refused = opened.is_err();
        if accepted.send(opened).is_err() || is_refused {
            self.driver.closed(self.host, self.number).await;
            return;
        }
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
        let mut reports = Reports::Read;
        loop {
            tokio::select! {
                biased;
                _ = &mut self.ends.closed => return Ended::ByDriver,
                received = inbound.message() => {
                    silent_at = Instant::now() + self.silence();
                    if let Err(ended) = self.receive(received, &mut reports).await {
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

    async fn receive(
        &self,
        received: Result<Option<v1::FromAgent>, Status>,
        reports: &mut Reports,
    ) -> Result<(), Ended> {
        let message = received.map_err(broken)?.ok_or(Ended::ByAgent)?;
        let Some(said) = self.read(message, reports)? else {
            return Ok(());
        };
        let said = match said {
            FromAgent::Hello(_) => return Err(Ended::SecondHello),
            FromAgent::Heartbeat => return Ok(()),
            FromAgent::Packages(set) => Said::Packages(set),
            FromAgent::PackagesChanged { packages } => Said::PackagesChanged(packages),
            FromAgent::Report(report) => Said::Report(report),
            FromAgent::Claim { key, token, point } => Said::Claim { key, token, point },
            FromAgent::Simulated { request, result } => Said::Simulated { request, result },
            FromAgent::Queried { request, result } => Said::Queried { request, result },
            FromAgent::GuardNews(news) => Said::GuardNews(news),
            FromAgent::Drift(drift) => Said::Drift(drift),
            FromAgent::Effect(effect) => Said::Effect(effect),
        };
        Ok(self.driver.said(&self.host, self.number, said).await?)
    }

    /// What a message says. Nothing where it is passed over: an agent of a later release may say what this one
    /// does not know, which costs that message and not the session.
    fn read(
        &self,
        message: v1::FromAgent,
        reports: &mut Reports,
    ) -> Result<Option<FromAgent>, Ended> {
        let is_report = match &message.message {
            None => {
                tracing::warn!(host = %self.host, "passed over a message of a kind that is not known");
                return Ok(None);
            }
            Some(message) => matches!(message, v1::from_agent::Message::Report(_)),
        };
        if is_report && *reports == Reports::Wait {
            return Ok(None);
        }
        match FromAgent::try_from(message) {
            Ok(said) => Ok(Some(said)),
            Err(error) if is_report => {
                let why = cofferdam_proto::error_chain(&error);
                tracing::warn!(host = %self.host, why, "a report cannot be read: it and those after it wait");
                *reports = Reports::Wait;
                Ok(None)
            }
            Err(error) => Err(Ended::Malformed(error)),
        }
    }

    fn silence(&self) -> Duration {
        self.heartbeat * MISSED_HEARTBEATS
    }
}

/// A [`Status`] shows all that it is made of; a [`CallError`] says what went wrong.
fn broken(status: Status) -> Ended {
    Ended::Broken(status.into())
}
