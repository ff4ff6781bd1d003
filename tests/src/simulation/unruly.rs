//! A network that says things twice, late and out of order: a shim above the stream of a session, or of a link.
//!
//! One stream of HTTP/2 loses, doubles and reorders nothing, so the simulator cannot. What reconnecting, resending and
//! a coordinator that starts anew do to the order of messages is played here, harder than they can: whatever a side
//! says may come again within seconds, also in the next session, and late by some messages. Two things are left as
//! they are, since the protocols rest on them: the first message of each side comes first, and what is numbered comes
//! for the first time in the order of its numbers. Copies of that come later in the same session, whenever they like.

mod link;
mod session;

pub(super) use self::{link::UnrulyDial, session::Unruly};

use cofferdam_engine::seed;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_stream::{Stream, StreamExt as _};

/// How late a message comes at most that is late: several of its followers overtake it.
const LATE: Duration = Duration::from_millis(300);

/// How much later a copy comes at most: long enough that orders end, and sessions.
const AGAIN: Duration = Duration::from_secs(8);

/// Copies that are kept of one direction at most.
const MOST: usize = 64;

/// What a network has still to deliver. It outlives sessions, and who holds them.
#[derive(Debug)]
pub(super) struct UnderWay<Up, Down> {
    up: Late<Up>,
    down: Late<Down>,
}

/// Numbers that a seed repeats. Clones go on where the others are.
#[derive(Debug, Clone)]
pub(super) struct Draws {
    seed: String,
    drawn: Arc<AtomicU64>,
}

impl Draws {
    pub(super) fn new(seed: String) -> Self {
        let drawn = Arc::default();
        Self { seed, drawn }
    }

    /// One of so many, from 0.
    fn one_of(&self, many: u64) -> u64 {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        seed::of(&[&self.seed, &drawn.to_string()]) % many
    }

    fn up_to(&self, most: Duration) -> Duration {
        Duration::from_millis(self.one_of(most.as_millis() as u64))
    }
}

impl<Up, Down> Clone for UnderWay<Up, Down> {
    fn clone(&self) -> Self {
        let (up, down) = (self.up.clone(), self.down.clone());
        Self { up, down }
    }
}

impl<Up, Down> Default for UnderWay<Up, Down> {
    fn default() -> Self {
        let (up, down) = (Late::default(), Late::default());
        Self { up, down }
    }
}

/// Messages of one direction that are late, and when each is due.
#[derive(Debug)]
struct Late<M>(Arc<Mutex<Vec<(Instant, M)>>>);

impl<M> Clone for Late<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> Default for Late<M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<M: Clone> Late<M> {
    /// Passes messages on, in one session, until either side ends it.
    async fn pass(
        &self,
        mut said: impl Stream<Item = M> + Unpin,
        tell: mpsc::Sender<M>,
        draws: &Draws,
        is_in_order: impl Fn(&M) -> bool,
    ) {
        self.forget(&is_in_order);
        let Some(first) = said.next().await else {
            return;
        };
        if tell.send(first).await.is_err() {
            return;
        }
        loop {
            let passed = tokio::select! {
                biased;
                () = tell.closed() => return,
                heard = said.next() => match heard {
                    None => return,
                    Some(message) => self.take(message, draws, &is_in_order),
                },
                due = self.next_due() => due,
            };
            if let Some(message) = passed
                && tell.send(message).await.is_err()
            {
                return;
            }
        }
    }

    /// Forgets what must not come in another session than its own, where what was before it may be lost.
    fn forget(&self, is_in_order: impl Fn(&M) -> bool) {
        self.all().retain(|(_, message)| !is_in_order(message));
    }

    /// Takes a message, which comes at once or late, and sometimes again.
    fn take(&self, message: M, draws: &Draws, is_in_order: impl Fn(&M) -> bool) -> Option<M> {
        let mut late = self.all();
        if draws.one_of(4) == 0 && late.len() < MOST {
            late.push((Instant::now() + draws.up_to(AGAIN), message.clone()));
        }
        if draws.one_of(4) == 0 && !is_in_order(&message) {
            late.push((Instant::now() + draws.up_to(LATE), message));
            return None;
        }
        Some(message)
    }

    /// Waits for the next message that is due. Nothing where a session that ends takes it just now.
    async fn next_due(&self) -> Option<M> {
        let next = self.all().iter().map(|(due, _)| *due).min();
        match next {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
        let mut late = self.all();
        let at = late.iter().position(|(due, _)| Some(*due) == next);
        at.map(|at| late.remove(at).1)
    }

    fn all(&self) -> MutexGuard<'_, Vec<(Instant, M)>> {
        // Nothing in it can be left half done by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
