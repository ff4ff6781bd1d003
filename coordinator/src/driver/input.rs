//! What reaches the driver, and the handle through which it does.

use super::query::Asked;
use crate::{
    sessions::{Acted, Outbound, SessionNumber, Simulation, ToRegion},
    view::Situation,
};
use cofferdam_engine::{
    digest::Digest,
    drift::DriftSummary,
    effect::EffectSummary,
    failure::Failure,
    fleet::{FleetError, FleetEvent, LinkEvent},
    guard::GuardNews,
    id::{HostId, OrderKey, Region, ReservationToken},
    inventory::PackageSet,
    order::ClaimPoint,
    query::{Answer, Query},
    report::Report,
    wish::Wish,
};
use cofferdam_proto::session::{Hello, ToAgent};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, oneshot, watch};

/// Inputs that wait for the driver at most; whoever sends more waits (guess: sixteen batches).
pub(super) const QUEUE: usize = 4096;

/// One thing for the driver to take in.
pub(super) enum Input {
    /// A host opened a session.
    Opened {
        hello: Box<Hello>,
        number: SessionNumber,
        outbound: Outbound,
        reply: oneshot::Sender<Result<(), FleetError>>,
    },
    /// A host said something on its session.
    Said {
        host: HostId,
        number: SessionNumber,
        said: Said,
    },
    /// A host's session ended.
    Closed { host: HostId, number: SessionNumber },
    /// Somebody wants to know what a host would install.
    Simulate {
        host: HostId,
        wish: Wish,
        reply: oneshot::Sender<Simulation>,
    },
    /// Somebody has something to say to a host that no state hangs on.
    Tell { host: HostId, message: ToAgent },
    /// An operator asks hosts.
    Query {
        query: Box<Query>,
        within: Duration,
        reply: oneshot::Sender<Asked>,
    },
    /// An operator does something.
    Act {
        event: Box<FleetEvent>,
        reply: oneshot::Sender<Result<(), FleetError>>,
    },
    /// Things happened on a link, in this order.
    Link {
        heard: Vec<FromLink>,
        reply: oneshot::Sender<Result<(), FleetError>>,
    },
    /// A region is linked: what it is to be told beside its state goes there.
    Linked {
        region: Region,
        queue: mpsc::Sender<ToRegion>,
    },
    /// Somebody wants to know how the fleet stands.
    Ask(Question),
}

/// What a host says on its session, beside its hello and signs of life.
#[derive(Debug)]
pub(crate) enum Said {
    Packages(PackageSet),
    PackagesChanged(Digest),
    Report(Report),
    Claim {
        key: OrderKey,
        token: ReservationToken,
        point: ClaimPoint,
    },
    Simulated {
        request: u64,
        result: Simulation,
    },
    Queried {
        request: u64,
        result: Result<Answer, Failure>,
    },
    GuardNews(Box<GuardNews>),
    Drift(Box<DriftSummary>),
    Effect(Box<EffectSummary>),
}

/// What comes by a link.
#[derive(Debug)]
pub(crate) enum FromLink {
    /// Something that changes the state.
    Event(LinkEvent),
    /// What a host of a region answered.
    Said { host: HostId, said: Said },
    /// What came of an event that a region was asked to take in.
    Acted(Acted),
}

/// A question about the fleet; it sends its own answer.
pub(super) type Question = Box<dyn FnOnce(Situation<'_>) + Send>;

/// The driver is gone: the process is stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the coordinator is stopping")]
pub(crate) struct Stopping;

/// How everybody else reaches the driver.
#[derive(Clone)]
pub(crate) struct DriverHandle {
    pub(super) inputs: mpsc::Sender<Input>,
    pub(super) changes: watch::Receiver<u64>,
    pub(super) last_session: Arc<AtomicU64>,
}

impl fmt::Debug for DriverHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverHandle").finish_non_exhaustive()
    }
}

impl DriverHandle {
    /// A number for a new session.
    pub(crate) fn next_session(&self) -> SessionNumber {
        SessionNumber(self.last_session.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Tells that a host opened a session; the driver drops `outbound` when it is to end, which is
    /// at once when the state refuses the host.
    pub(crate) async fn opened(
        &self,
        hello: Hello,
        number: SessionNumber,
        outbound: Outbound,
    ) -> Result<Result<(), FleetError>, Stopping> {
        let (reply, answer) = oneshot::channel();
        let hello = Box::new(hello);
        self.put(Input::Opened {
            hello,
            number,
            outbound,
            reply,
        })
        .await?;
        answer.await.map_err(|_| Stopping)
    }

    /// Tells what a host said.
    pub(crate) async fn said(
        &self,
        host: &HostId,
        number: SessionNumber,
        said: Said,
    ) -> Result<(), Stopping> {
        let host = host.clone();
        self.put(Input::Said { host, number, said }).await
    }

    /// Tells that a host's session ended.
    pub(crate) async fn closed(&self, host: HostId, number: SessionNumber) {
        // When the driver is gone, so are all sessions.
        self.put(Input::Closed { host, number }).await.ok();
    }

    /// Asks a host what it would install. The receiver ends without an answer when the host has no
    /// session, or loses it.
    pub(crate) async fn simulate(
        &self,
        host: HostId,
        wish: Wish,
    ) -> Result<oneshot::Receiver<Simulation>, Stopping> {
        let (reply, answer) = oneshot::channel();
        self.put(Input::Simulate { host, wish, reply }).await?;
        Ok(answer)
    }

    /// Says something to a host, if it has a session.
    pub(crate) async fn tell(&self, host: HostId, message: ToAgent) -> Result<(), Stopping> {
        self.put(Input::Tell { host, message }).await
    }

    /// Asks hosts a query. Their answers come as they come.
    pub(crate) async fn query(&self, query: Query, within: Duration) -> Result<Asked, Stopping> {
        let (reply, asked) = oneshot::channel();
        let query = Box::new(query);
        self.put(Input::Query {
            query,
            within,
            reply,
        })
        .await?;
        asked.await.map_err(|_| Stopping)
    }

    /// Has an event of an operator applied and stored; it is durable when this returns.
    pub(crate) async fn act(&self, event: FleetEvent) -> Result<Result<(), FleetError>, Stopping> {
        let (reply, answer) = oneshot::channel();
        let event = Box::new(event);
        self.put(Input::Act { event, reply }).await?;
        answer.await.map_err(|_| Stopping)
    }

    /// Has what happened on a link applied and stored, in this order, up to what the state refuses.
    pub(crate) async fn link(
        &self,
        events: Vec<LinkEvent>,
    ) -> Result<Result<(), FleetError>, Stopping> {
        let heard = events.into_iter().map(FromLink::Event);
        self.heard(heard.collect()).await
    }

    /// Takes in what came by a link, in this order, up to what the state refuses.
    pub(crate) async fn heard(
        &self,
        heard: Vec<FromLink>,
    ) -> Result<Result<(), FleetError>, Stopping> {
        let (reply, answer) = oneshot::channel();
        self.put(Input::Link { heard, reply }).await?;
        answer.await.map_err(|_| Stopping)
    }

    /// Tells that a region is linked, and where what it is to be told goes beside its state.
    pub(crate) async fn linked(
        &self,
        region: Region,
        queue: mpsc::Sender<ToRegion>,
    ) -> Result<(), Stopping> {
        self.put(Input::Linked { region, queue }).await
    }

    /// Looks at the fleet, between two turns of the driver: everything it sees is durable.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        look: impl FnOnce(Situation<'_>) -> T + Send + 'static,
    ) -> Result<T, Stopping> {
        let (reply, answer) = oneshot::channel();
        let question: Question = Box::new(move |situation| {
            reply.send(look(situation)).ok();
        });
        self.put(Input::Ask(question)).await?;
        answer.await.map_err(|_| Stopping)
    }

    /// Changes whenever the fleet's state may have changed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    async fn put(&self, input: Input) -> Result<(), Stopping> {
        self.inputs.send(input).await.map_err(|_| Stopping)
    }
}
