//! The driver: the one owner of the fleet's state and of the store.
//!
//! ```text
//!            inputs (bounded)
//!  sessions ----+
//!  operators ---+--> take a batch --> apply --> decide, apply, again --> append --> carry out
//!  web ---------+                     refuse      until nothing moves    durable     answer, send
//!      ^                                                                                |
//!      +--------------------------------------------------------------------------------+
//! ```
//!
//! Stored before sent, always: an acknowledgement, an answer, an order leave only after every event
//! behind them is durable. One append a batch: a commit costs a batch, not a host. What the state
//! refuses is answered and counted, and never stops the loop. A store that cannot promise durability
//! any more does: the process ends, and what is on disk is the truth.

mod carry;
mod far;
mod guard;
mod history;
mod input;
mod intake;
mod outgoing;
mod part;
mod query;
mod seal;
#[cfg(test)]
mod tests;
mod turn;

pub use self::history::{HistoryError, StoredHistory, read_history, write_checkpoint};
pub(crate) use self::{
    input::{DriverHandle, FromLink, Said, Stopping},
    part::Part,
    query::Asked,
};

use self::{
    history::Replayed,
    input::{Input, QUEUE},
    turn::Turn,
};
use crate::{
    clock::{Clock, Stopwatch},
    link::Ring,
    metrics::Metrics,
    sessions::Sessions,
    store::{Store, StoreError},
    tasks::Stop,
    view::Holds,
};
use cofferdam_engine::{
    fleet::{Fleet, FleetEvent, Memory},
    id::HostId,
    time::Timestamp,
};
use cofferdam_proto::{session::FromAgent, tls::Credentials};
use std::{
    future::pending,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio::sync::{mpsc, watch};

/// Inputs taken at once at most: sled's best batch is 100 to 200 records (measured), an input
/// makes one to three.
const BATCH: usize = 256;

/// Decisions in one turn at most. What a decision starts may allow more, so it is asked again; a
/// turn that goes on and on keeps inputs waiting, so the rest is for the next one (guess).
const ROUNDS: usize = 8;

/// The shortest wait for what time alone changes: the engine's waits are a hundred times as long,
/// and one that lies in the past must not spin.
const LEAST_WAIT: Duration = Duration::from_millis(1);

/// How long after a decision that the state refused it is asked again: a bug must not spin.
const AFTER_REFUSAL: Duration = Duration::from_secs(1);

/// A checkpoint is due this long after the last one (field notes 2.20) ...
const CHECKPOINT_EVERY: Duration = Duration::from_secs(5 * 60);

/// ... or when the log has this many bytes: some 50,000 events, which replay in a second (guess).
const CHECKPOINT_BYTES: usize = 32 * 1024 * 1024;

/// What cannot be gone on from.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// What the store holds cannot be read.
    #[error(transparent)]
    Load(StoreError),
    /// The store broke its promise.
    #[error("the store failed, and what it could not keep was not acknowledged")]
    Store(#[source] StoreError),
    /// What the store held cannot be replayed.
    #[error("the stored history cannot be replayed")]
    History(#[from] HistoryError),
    /// The state does not take this process as its owner.
    #[error("this process cannot take the fleet over")]
    Takeover(#[source] cofferdam_engine::fleet::FleetError),
}

/// The fleet's state, its store, and everybody's way to both.
pub(crate) struct Driver<S> {
    fleet: Fleet,
    store: S,
    clock: Arc<dyn Clock>,
    sessions: Sessions,
    metrics: Metrics,
    heartbeat: Duration,
    inputs: mpsc::Receiver<Input>,
    changes: watch::Sender<u64>,
    /// Where news of a region's cells go.
    ring: Ring,
    /// Where answers of hosts go that the control plane asked.
    answers: mpsc::Sender<(HostId, FromAgent)>,
    /// What warrants are signed with. Absent: they are not.
    signer: Option<Credentials>,
    /// What is kept of the last decision.
    memory: Memory,
    /// What holds what, once somebody has asked since the last decision.
    holds: Holds,
    wake: Option<Timestamp>,
    log_bytes: usize,
    checkpoint_at: Timestamp,
}

impl<S: Store> Driver<S> {
    /// Replays what the store holds and takes its part of the fleet over under a new epoch.
    ///
    /// # Errors
    /// [`DriverError`] when the store or its history is damaged.
    pub(crate) async fn take_over(
        mut store: S,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
        heartbeat: Duration,
        part: Part,
    ) -> Result<(Self, DriverHandle), DriverError> {
        let Replayed { mut fleet, at } =
            history::replay(&store.load().await.map_err(DriverError::Load)?)?;
        // A link that goes on after a restart goes on with what the store has.
        part.ring.begin(&mut fleet);
        clock.keep_after(at);
        let (sender, inputs) = mpsc::channel(QUEUE);
        let (changes, watched) = watch::channel(0);
        let mut driver = Self {
            fleet,
            store,
            sessions: Sessions::default(),
            metrics,
            heartbeat,
            inputs,
            changes,
            ring: part.ring.clone(),
            answers: part.answers.clone(),
            signer: part.signer.clone(),
            memory: Memory::default(),
            holds: Holds::default(),
            wake: None,
            log_bytes: 0,
            checkpoint_at: clock.now().after(CHECKPOINT_EVERY),
            clock,
        };
        driver.own(&part).await?;
        let handle = DriverHandle {
            inputs: sender,
            changes: watched,
            last_session: Arc::new(AtomicU64::new(0)),
        };
        Ok((driver, handle))
    }

    /// Runs until it is told to stop. Every session ends with it.
    ///
    /// # Errors
    /// [`DriverError::Store`].
    pub(crate) async fn run(mut self, mut stop: Stop) -> Result<(), DriverError> {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let wake = self.wake.map(|at| at.since(self.clock.now()));
            tokio::select! {
                biased;
                () = stop.asked() => return Ok(()),
                taken = self.inputs.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        return Ok(());
                    }
                }
                () = sleep(wake) => {}
            }
            self.turn(&mut batch).await?;
            self.checkpoint_if_due().await?;
        }
    }

    async fn own(&mut self, part: &Part) -> Result<(), DriverError> {
        let mut turn = Turn::begin(self.clock.now());
        for event in part.taken_on(&self.fleet, turn.now) {
            turn.apply(&mut self.fleet, &event)
                .map_err(DriverError::Takeover)?;
        }
        let epoch = self.fleet.epoch().next();
        self.sessions = Sessions::under(epoch);
        let event = FleetEvent::OwnerStarted { epoch };
        turn.apply(&mut self.fleet, &event)
            .map_err(DriverError::Takeover)?;
        self.decide(&mut turn);
        self.end(turn).await?;
        tracing::info!(%epoch, hosts = self.fleet.homes().len(), "took the fleet over");
        Ok(())
    }

    async fn turn(&mut self, batch: &mut Vec<Input>) -> Result<(), DriverError> {
        if !batch.is_empty() {
            self.metrics.batch_inputs.observe(batch.len() as f64);
        }
        let mut turn = Turn::begin(self.clock.now());
        for input in batch.drain(..) {
            self.take(&mut turn, input);
        }
        for host in self.sessions.take_overrun() {
            tracing::warn!(%host, "closed a session that could not take a message");
            self.disconnect(&mut turn, &host);
        }
        self.decide(&mut turn);
        self.end(turn).await
    }

    /// Makes the turn's events durable, then carries out what waited for that.
    async fn end(&mut self, turn: Turn) -> Result<(), DriverError> {
        let has_changed = !turn.records.is_empty();
        if has_changed {
            self.log_bytes += turn.records.iter().map(|r| r.0.len()).sum::<usize>();
            let watch = Stopwatch::start();
            let appended = self.store.append(turn.records).await;
            appended.map_err(DriverError::Store)?;
            self.metrics.append_seconds.observe(watch.seconds());
        }
        self.ring.push(&self.fleet.take_news());
        for effect in turn.effects {
            self.carry_out(effect, turn.now);
        }
        if self.sessions.has_overrun() {
            self.wake = Some(turn.now);
        }
        self.metrics.connected.set(self.sessions.count() as i64);
        if has_changed {
            self.changes.send_modify(|revision| *revision += 1);
        }
        Ok(())
    }

    /// Asks what to do until there is nothing left, and applies it.
    fn decide(&mut self, turn: &mut Turn) {
        self.holds = Holds::default();
        for _ in 0..ROUNDS {
            let watch = Stopwatch::start();
            let decision = self.fleet.decide_again(&mut self.memory, turn.now);
            self.metrics.decide_seconds.observe(watch.seconds());
            if decision.commands.is_empty() {
                let soonest = turn.now.after(LEAST_WAIT);
                self.wake = decision.wake.map(|at| at.max(soonest));
                return;
            }
            let mut refused = false;
            for mut command in decision.commands {
                self.seal(&mut command, turn.now);
                // One that is refused keeps nobody else's from being carried out.
                if let Err(refusal) = turn.command(&mut self.fleet, command) {
                    let refusal = cofferdam_proto::error_chain(&refusal);
                    tracing::error!(refusal, "the state refused its own decision");
                    self.metrics.refused.inc();
                    refused = true;
                }
            }
            if refused {
                self.wake = Some(turn.now.after(AFTER_REFUSAL));
                return;
            }
        }
        self.wake = Some(turn.now);
    }

    async fn checkpoint_if_due(&mut self) -> Result<(), DriverError> {
        let now = self.clock.now();
        if now < self.checkpoint_at && self.log_bytes < CHECKPOINT_BYTES {
            return Ok(());
        }
        self.checkpoint_at = now.after(CHECKPOINT_EVERY);
        if self.log_bytes == 0 {
            return Ok(());
        }
        let state = write_checkpoint(now, &self.fleet);
        tracing::debug!(bytes = state.len(), "makes a checkpoint");
        let written = self.store.checkpoint(state).await;
        written.map_err(DriverError::Store)?;
        self.log_bytes = 0;
        Ok(())
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => pending().await,
    }
}
