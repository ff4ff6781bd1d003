//! Keeps a session with a coordinator: dials, watches over its life, dials again.
//!
//! ```text
//!            connected, welcomed                    silence, end, error
//!  dial ------------------------> pass messages on ---------------------> wait, jittered --> dial
//!    ^                                                                                        |
//!    +----------------------------------------------------------------------------------------+
//! ```
//!
//! The session passes on what the coordinator says, and lends the driver its sending half. It knows
//! nothing of orders. A lost session is normal: whatever it was, it is dialled again.

use crate::link::{Connector, Coordinator, Link, LinkError};
use cofferdam_engine::{digest::Digest, id::HostId};
use cofferdam_proto::{
    dial::{LookupError, Turns},
    error_chain,
    session::{FromAgent, MISSED_HEARTBEATS, ToAgent},
};
use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{self, Instant, MissedTickBehavior},
};
use tokio_stream::StreamExt;

/// How long dialling may take, with its handshake (guess).
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// How long the coordinator may take to answer the first message, which itself waits for the host's
/// facts (guess).
const WELCOME_WITHIN: Duration = Duration::from_secs(30);

/// The first wait before dialling again; doubles with each failed try (guess).
const BACKOFF_FIRST: Duration = Duration::from_millis(500);

/// The longest wait before dialling again (guess: a coordinator that comes back has its hosts within
/// half of a claim's 60 s).
const BACKOFF_MOST: Duration = Duration::from_secs(30);

/// The heartbeats that are taken seriously; what a coordinator says beyond is cut.
const HEARTBEAT_LEAST: Duration = Duration::from_millis(100);
const HEARTBEAT_MOST: Duration = Duration::from_secs(300);

/// What the session tells the driver.
pub(crate) enum Input {
    /// A session was opened; messages go there. The first of them is the hello.
    Up(mpsc::Sender<FromAgent>),
    /// The coordinator said something.
    Message(ToAgent),
    /// The session is over.
    Down,
}

/// Keeps a session with one of some coordinators.
pub(crate) struct Session<K> {
    /// Who opens it.
    pub(crate) connector: K,
    /// Whose host it is: seeds the jitter.
    pub(crate) host: HostId,
    /// Whom it dials next.
    pub(crate) turns: Turns,
    /// Where messages go.
    pub(crate) driver: mpsc::Sender<Input>,
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
enum SessionError {
    #[error("it is not known whom to dial")]
    Unknown(#[from] LookupError),
    #[error("cannot reach {0} within {secs} s", secs = CONNECT_WITHIN.as_secs())]
    Unreachable(Coordinator),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("{0} did not answer within {secs} s", secs = WELCOME_WITHIN.as_secs())]
    NoWelcome(Coordinator),
    #[error("{0} spoke before it said welcome")]
    NotWelcomed(Coordinator),
    #[error("{coordinator} was silent for {secs} s", secs = silence.as_secs())]
    Silent {
        coordinator: Coordinator,
        silence: Duration,
    },
    #[error("{0} closed the session")]
    Closed(Coordinator),
}

/// How far a session came.
enum Reached {
    Nothing,
    Welcome,
}

impl<K: Connector> Session<K> {
    /// Keeps a session until it is dropped.
    pub(crate) async fn keep(mut self) {
        let mut attempt = 0;
        loop {
            let mut reached = Reached::Nothing;
            if let Err(error) = self.hold_next(&mut reached).await {
                tracing::warn!(attempt, "no session: {}", error_chain(&error));
            }
            attempt = match reached {
                Reached::Nothing => attempt + 1,
                Reached::Welcome => 1,
            };
            time::sleep(backoff(&self.host, attempt)).await;
        }
    }

    async fn hold_next(&mut self, reached: &mut Reached) -> Result<(), SessionError> {
        let coordinator = Coordinator(self.turns.next().await?);
        self.hold(&coordinator, reached).await
    }

    async fn hold(&self, to: &Coordinator, reached: &mut Reached) -> Result<(), SessionError> {
        let dialled = time::timeout(CONNECT_WITHIN, self.connector.connect(to)).await;
        let link = dialled.map_err(|_| SessionError::Unreachable(to.clone()))??;
        self.tell(Input::Up(link.outbound.clone())).await;
        let result = self.converse(to, link, reached).await;
        self.tell(Input::Down).await;
        result
    }

    async fn converse(
        &self,
        to: &Coordinator,
        mut link: Link,
        reached: &mut Reached,
    ) -> Result<(), SessionError> {
        let first = time::timeout(WELCOME_WITHIN, link.inbound.next())
            .await
            .map_err(|_| SessionError::NoWelcome(to.clone()))?
            .ok_or_else(|| SessionError::Closed(to.clone()))??;
        let ToAgent::Welcome { heartbeat, .. } = &first else {
            return Err(SessionError::NotWelcomed(to.clone()));
        };
        let heartbeat = (*heartbeat).clamp(HEARTBEAT_LEAST, HEARTBEAT_MOST);
        *reached = Reached::Welcome;
        tracing::info!(coordinator = %to, "session open");
        self.tell(Input::Message(first)).await;
        self.listen(to, link, heartbeat).await
    }

    async fn listen(
        &self,
        to: &Coordinator,
        mut link: Link,
        heartbeat: Duration,
    ) -> Result<(), SessionError> {
        let silence = heartbeat * MISSED_HEARTBEATS;
        let mut heard = Instant::now();
        let mut beat = time::interval(heartbeat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                message = link.inbound.next() => {
                    let message = message.ok_or_else(|| SessionError::Closed(to.clone()))??;
                    heard = Instant::now();
                    if message != ToAgent::Heartbeat {
                        self.tell(Input::Message(message)).await;
                    }
                }
                () = time::sleep_until(heard + silence) => {
                    let coordinator = to.clone();
                    return Err(SessionError::Silent { coordinator, silence });
                }
                _ = beat.tick() => {
                    // A full queue holds signs of life enough.
                    drop(link.outbound.try_send(FromAgent::Heartbeat));
                }
            }
        }
    }

    /// Tells the driver. It is gone only when the agent stops, and the session with it.
    async fn tell(&self, input: Input) {
        if self.driver.send(input).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The wait before a try: doubles from try to try, and is jittered by half, always the same for the
/// same host and try, so that a run of a simulation can be repeated.
fn backoff(host: &HostId, attempt: u32) -> Duration {
    let doubled = BACKOFF_FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let wait = doubled.min(BACKOFF_MOST);
    let draw = Digest::of(format!("{host} {attempt}")).as_bytes()[0];
    wait / 2 + wait / 2 * u32::from(draw) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_most_and_is_never_less_than_half() {
        let host = HostId::new("web-1").unwrap();
        for (attempt, most) in [
            (1, 500),
            (2, 1_000),
            (4, 4_000),
            (9, 30_000),
            (4_000, 30_000),
        ] {
            let (most, wait) = (Duration::from_millis(most), backoff(&host, attempt));
            assert!(most / 2 <= wait && wait <= most, "{attempt}: {wait:?}");
        }
    }

    #[test]
    fn hosts_wait_differently_and_each_always_the_same() {
        let waits = |name: &str| -> Vec<Duration> {
            let host = HostId::new(name).unwrap();
            (1..6).map(|attempt| backoff(&host, attempt)).collect()
        };
        assert_ne!(waits("web-1"), waits("web-2"));
        assert_eq!(waits("web-1"), waits("web-1"));
    }
}
