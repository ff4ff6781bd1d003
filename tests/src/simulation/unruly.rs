//! A network that says things twice, late and out of order: a shim above the stream of a session.
//!
//! One stream of HTTP/2 loses, doubles and reorders nothing, so the simulator cannot. What reconnecting, resending and
//! a coordinator that starts anew do to the order of messages is played here, harder than they can: whatever a side
//! says may come again within seconds, also in the next session, and late by some messages. Two things are left as
//! they are, since the protocol rests on them: the first message of each side comes first, and reports come for the
//! first time in the order of their numbers. Copies of those come later in the same session, whenever they like.

use cofferdam_agent::link::{Connector, Coordinator, LINK_CAPACITY, Link, LinkError};
use cofferdam_engine::seed;
use cofferdam_proto::session::{FromAgent, ToAgent};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::spawn_local,
    time::{Instant, sleep_until},
};
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};

/// How late a message comes at most that is late: several of its followers overtake it.
const LATE: Duration = Duration::from_millis(300);

/// How much later a copy comes at most: long enough that orders end, and sessions.
const AGAIN: Duration = Duration::from_secs(8);

/// Copies that are kept for a host and direction at most.
const MOST: usize = 64;

/// What a host's network has still to deliver. It outlives sessions and the agent.
#[derive(Debug, Clone, Default)]
pub(super) struct UnderWay {
    up: Late<FromAgent>,
    down: Late<ToAgent>,
}

/// A host's network is as unruly as its seed says.
pub(super) struct Unruly<K> {
    pub(super) inner: K,
    pub(super) under_way: UnderWay,
    pub(super) draws: Draws,
}

/// Numbers that a seed repeats. Clones go on where the others are.
#[derive(Debug, Clone)]
pub(super) struct Draws {
    seed: String,
    drawn: Rc<Cell<u64>>,
}

impl Draws {
    pub(super) fn new(seed: String) -> Self {
        let drawn = Rc::default();
        Self { seed, drawn }
    }

    /// One of so many, from 0.
    fn one_of(&self, many: u64) -> u64 {
        let drawn = self.drawn.get();
        self.drawn.set(drawn + 1);
        seed::of(&[&self.seed, &drawn.to_string()]) % many
    }

    fn up_to(&self, most: Duration) -> Duration {
        Duration::from_millis(self.one_of(most.as_millis() as u64))
    }
}

impl<K: Connector> Connector for Unruly<K> {
    async fn connect(&self, coordinator: &Coordinator) -> Result<Link, LinkError> {
        let mut link = self.inner.connect(coordinator).await?;
        let (outbound, mut said) = mpsc::channel(LINK_CAPACITY);
        let (tell, told) = mpsc::channel(LINK_CAPACITY);
        let (draws, late) = (self.draws.clone(), self.under_way.up.clone());
        let there = link.outbound;
        spawn_local(async move {
            let hear = async || said.recv().await;
            late.pass(hear, there, &draws, is_in_order).await;
        });
        let (draws, late) = (self.draws.clone(), self.under_way.down.clone());
        spawn_local(async move {
            // An error is the session's end, as the end is.
            let hear = async || link.inbound.next().await?.ok();
            late.pass(hear, tell, &draws, |_| false).await;
        });
        let inbound = Box::pin(ReceiverStream::new(told).map(Ok));
        Ok(Link { outbound, inbound })
    }
}

/// Whether a message must not be late the first time.
fn is_in_order(said: &FromAgent) -> bool {
    matches!(said, FromAgent::Report(_))
}

/// Messages of one direction that are late, and when each is due.
#[derive(Debug, Clone)]
struct Late<M>(Rc<RefCell<Vec<(Instant, M)>>>);

impl<M> Default for Late<M> {
    fn default() -> Self {
        Self(Rc::default())
    }
}

impl<M: Clone> Late<M> {
    /// Passes messages on, in one session, until either side ends it.
    async fn pass(
        &self,
        mut hear: impl AsyncFnMut() -> Option<M>,
        tell: mpsc::Sender<M>,
        draws: &Draws,
        is_in_order: impl Fn(&M) -> bool,
    ) {
        self.forget(&is_in_order);
        let Some(first) = hear().await else { return };
        if tell.send(first).await.is_err() {
            return;
        }
        loop {
            let passed = tokio::select! {
                biased;
                () = tell.closed() => return,
                heard = hear() => match heard {
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
        self.0
            .borrow_mut()
            .retain(|(_, message)| !is_in_order(message));
    }

    /// Takes a message, which comes at once or late, and sometimes again.
    fn take(&self, message: M, draws: &Draws, is_in_order: impl Fn(&M) -> bool) -> Option<M> {
        let mut late = self.0.borrow_mut();
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
        let next = self.0.borrow().iter().map(|(due, _)| *due).min();
        match next {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
        let mut late = self.0.borrow_mut();
        let at = late.iter().position(|(due, _)| Some(*due) == next);
        at.map(|at| late.remove(at).1)
    }
}
