//! The control plane's end: it serves the regions that dial it.

use super::{
    ANSWERS, BATCH, Ended, QUEUE,
    copy::Assembly,
    current::Current,
    frame::{self, FORMAT, FrameError},
};
use crate::{
    clock::Clock,
    driver::{DriverHandle, FromLink, Stopping},
    sessions::{Acted, ToRegion},
    tasks::{Stop, Tasks},
};
use cofferdam_engine::{
    fleet::{Fleet, Has, LinkEvent, TakenIn, Told},
    id::{Incarnation, Region},
    time::{Timestamp, millis},
};
use cofferdam_proto::{
    error_chain,
    session::MISSED_HEARTBEATS,
    status::{CallError, CallErrorKind},
    tls,
    v1::{self, from_control, from_region},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// Serves regions.
#[derive(Debug)]
pub(crate) struct LinkApi {
    pub(crate) driver: DriverHandle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) heartbeat: Duration,
    pub(crate) tasks: Tasks,
    pub(crate) stop: Stop,
    pub(crate) current: Current,
}

/// More news than any store has: all cells are to be told instead.
const NONE_OF_THEM: u64 = u64::MAX;

/// One link.
struct Link {
    region: Region,
    hello: v1::RegionHello,
    driver: DriverHandle,
    clock: Arc<dyn Clock>,
    heartbeat: Duration,
    current: Current,
    /// The number of the region's newest link.
    newest: watch::Receiver<u64>,
    /// Its own.
    number: u64,
    /// When it was last heard of, in milliseconds.
    heard_at: AtomicU64,
}

#[tonic::async_trait]
impl v1::link_server::Link for LinkApi {
    type OpenStream = ReceiverStream<Result<v1::FromControl, Status>>;

    async fn open(
        &self,
        request: Request<Streaming<v1::FromRegion>>,
    ) -> Result<Response<Self::OpenStream>, Status> {
        let region = tls::region(&request)?;
        let mut inbound = request.into_inner();
        let hello = timeout(self.silence(), inbound.message()).await;
        let hello = hello.map_err(|_| late())??;
        let hello =
            checked(hello).map_err(|error| CallError::of(CallErrorKind::Invalid, &error))?;
        let (newest, number) = self.current.begin(&region);
        let link = Link {
            region,
            hello,
            driver: self.driver.clone(),
            clock: self.clock.clone(),
            heartbeat: self.heartbeat,
            current: self.current.clone(),
            newest,
            number,
            heard_at: AtomicU64::new(self.clock.now().0),
        };
        let (outbound, queue) = mpsc::channel(QUEUE);
        // From here on it is a task of its own, which no region drops that resets its call.
        self.tasks
            .spawn(link.run(inbound, outbound, self.stop.clone()));
        Ok(Response::new(ReceiverStream::new(queue)))
    }
}

impl LinkApi {
    fn silence(&self) -> Duration {
        self.heartbeat * MISSED_HEARTBEATS
    }
}

impl Link {
    /// Runs the link to its end, and tells then that nothing is heard of the region.
    async fn run(
        self,
        inbound: Streaming<v1::FromRegion>,
        outbound: mpsc::Sender<Result<v1::FromControl, Status>>,
        mut stop: Stop,
    ) {
        let mut newest = self.newest.clone();
        let number = self.number;
        let ended = tokio::select! {
            biased;
            () = stop.asked() => Ended::Stopping(Stopping),
            _ = newest.wait_for(|newest| *newest != number) => Ended::Replaced,
            ended = self.exchange(inbound, &outbound) => ended,
        };
        let why = error_chain(&ended);
        tracing::warn!(region = %self.region, why, "a region's link ended");
        if matches!(ended, Ended::Refused(_)) {
            self.current.note_astray(&self.region);
        }
        if *self.newest.borrow() != self.number {
            return;
        }
        let since = Timestamp(self.heard_at.load(Ordering::Relaxed));
        let region = self.region.clone();
        // A driver that stops tells nobody anything; the next one begins with regions that are silent.
        self.driver
            .link(vec![LinkEvent::Silent { region, since }])
            .await
            .ok();
    }

    /// Opens the link from this side, and exchanges what there is to tell.
    async fn exchange(
        &self,
        inbound: Streaming<v1::FromRegion>,
        outbound: &mpsc::Sender<Result<v1::FromControl, Status>>,
    ) -> Ended {
        let (welcome, mut told) = match self.open().await {
            Ok(opened) => opened,
            Err(ended) => {
                let why = CallError::of(CallErrorKind::NotNow, &ended);
                outbound.try_send(Err(why.into())).ok();
                return ended;
            }
        };
        outbound.try_send(Ok(welcome)).ok();
        tracing::info!(region = %self.region, release = self.hello.release, "a region's link opened");
        let (feed, events) = mpsc::channel(BATCH);
        tokio::select! {
            biased;
            ended = self.receive(inbound, feed) => ended,
            ended = self.take_in(events) => ended,
            ended = self.send(outbound, &mut told) => ended,
        }
    }

    /// Has the driver know of the link. What the region is told first, and what it is told beside its state.
    async fn open(&self) -> Result<(v1::FromControl, mpsc::Receiver<ToRegion>), Ended> {
        let joined = LinkEvent::Joined {
            region: self.region.clone(),
            store: Incarnation(self.hello.store),
            has: Some(Has {
                news: self.hello.news,
                summaries: self.hello.summaries,
                control: self.hello.control.map(Incarnation),
                told: self.hello.told,
                summaries_taken: self.hello.summaries_taken,
            }),
        };
        self.driver.link(vec![joined]).await??;
        let look = |fleet: &Fleet, region: &Region| (fleet.taken_in(region), fleet.store());
        let (taken, store) = self.look(look).await?;
        let (tell, told) = mpsc::channel(ANSWERS);
        self.driver.linked(self.region.clone(), tell).await?;
        let hello = v1::ControlHello {
            format: FORMAT,
            store: store.map_or(0, |store| store.0),
            // What the mirror has of a region of whose store it has nothing is of another store.
            news: match self.current.take_astray(&self.region) || taken.news == 0 {
                true => NONE_OF_THEM,
                false => taken.news,
            },
            summaries: taken.summaries,
            heartbeat_ms: millis(self.heartbeat),
            release: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Ok((message(from_control::Message::Hello(hello)), told))
    }

    /// Reads what the region says.
    async fn receive(
        &self,
        mut inbound: Streaming<v1::FromRegion>,
        feed: mpsc::Sender<FromLink>,
    ) -> Ended {
        let mut copies = Assembly::default();
        loop {
            let silence = self.heartbeat * MISSED_HEARTBEATS;
            let Ok(received) = timeout(silence, inbound.message()).await else {
                return Ended::Silence;
            };
            self.heard_at.store(self.clock.now().0, Ordering::Relaxed);
            let said = match received {
                Ok(Some(said)) => self.event(said, &mut copies),
                Ok(None) => return Ended::ByPeer,
                Err(status) => return status.into(),
            };
            let event = match said {
                Ok(None) => continue,
                Ok(Some(event)) => event,
                Err(error) => return error.into(),
            };
            if feed.send(event).await.is_err() {
                return Ended::Stopping(Stopping);
            }
        }
    }

    fn event(
        &self,
        said: v1::FromRegion,
        copies: &mut Assembly,
    ) -> Result<Option<FromLink>, FrameError> {
        let region = self.region.clone();
        let Some(message) = said.message else {
            tracing::warn!(%region, "passed over a message of a kind that is not known");
            return Ok(None);
        };
        let event = match message {
            from_region::Message::Hello(_) => return Err(FrameError::Unexpected("a second hello")),
            from_region::Message::News(v1::Numbered { number, body }) => LinkEvent::News {
                region,
                number,
                news: frame::read("news", &body)?,
            },
            from_region::Message::Summary(v1::Numbered { number, body }) => LinkEvent::Summary {
                region,
                number,
                summary: frame::read("a summary", &body)?,
            },
            from_region::Message::Copy(part) => match copies.take(&part)? {
                None => return Ok(None),
                Some(copy) => LinkEvent::Copied {
                    region,
                    copy: Box::new(copy),
                },
            },
            from_region::Message::ToldTaken(up_to) => LinkEvent::ToldTaken { region, up_to },
            from_region::Message::Said(said) => {
                let (host, said) = frame::said_by_host(said)?;
                return Ok(Some(FromLink::Said { host, said }));
            }
            from_region::Message::Acted(v1::Acted { request, refusal }) => {
                let acted = Acted {
                    region,
                    request,
                    refusal,
                };
                return Ok(Some(FromLink::Acted(acted)));
            }
            from_region::Message::SignOfLife(_) => return Ok(None),
        };
        Ok(Some(FromLink::Event(event)))
    }

    /// Takes in what was read. The region is heard again once all is taken in that it had to say when it
    /// dialled.
    async fn take_in(&self, mut events: mpsc::Receiver<FromLink>) -> Ended {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            if let Err(ended) = self.heard().await {
                return ended;
            }
            match timeout(self.heartbeat, events.recv_many(&mut batch, BATCH)).await {
                Err(_) => continue,
                Ok(0) => return Ended::ByPeer,
                Ok(_) => {}
            }
            match self.driver.heard(std::mem::take(&mut batch)).await {
                Ok(Ok(())) => {}
                Ok(Err(refusal)) => return refusal.into(),
                Err(stopping) => return stopping.into(),
            }
        }
    }

    async fn heard(&self) -> Result<(), Ended> {
        let (taken, silent) = self
            .look(|fleet, region| (fleet.taken_in(region), fleet.silent_since(region)))
            .await?;
        let has_all = taken.news >= self.hello.news && taken.summaries >= self.hello.summaries;
        if silent.is_some() && has_all {
            let region = self.region.clone();
            self.driver
                .link(vec![LinkEvent::Heard { region }])
                .await??;
        }
        Ok(())
    }

    /// Sends what the driver has stored for the region, and signs of life.
    async fn send(
        &self,
        outbound: &mpsc::Sender<Result<v1::FromControl, Status>>,
        told_beside: &mut mpsc::Receiver<ToRegion>,
    ) -> Ended {
        let mut changes = self.driver.changes();
        let (mut told_up_to, mut taken_up_to) = (0, TakenIn::default());
        let mut quiet_until = Instant::now() + self.heartbeat;
        loop {
            changes.mark_unchanged();
            let (told, taken) = match self.look(move |f, r| unsent(f, r, told_up_to)).await {
                Ok(found) => found,
                Err(stopping) => return stopping.into(),
            };
            let mut messages: Vec<from_control::Message> = Vec::new();
            for (number, told) in &told {
                told_up_to = *number;
                let told = frame::numbered(*number, told);
                messages.push(from_control::Message::Told(told));
            }
            if taken != taken_up_to {
                taken_up_to = taken;
                let TakenIn { news, summaries } = taken;
                messages.push(from_control::Message::Taken(v1::Taken { news, summaries }));
            }
            while let Ok(told) = told_beside.try_recv() {
                messages.push(beside(told));
            }
            if messages.is_empty() {
                tokio::select! {
                    biased;
                    // First, and by its own moment: other regions change the fleet without end.
                    () = sleep_until(quiet_until) => {
                        messages.push(from_control::Message::SignOfLife(v1::SignOfLife {}));
                    }
                    changed = changes.changed() => match changed {
                        Ok(()) => continue,
                        Err(_) => return Ended::Stopping(Stopping),
                    },
                    Some(told) = told_beside.recv() => messages.push(beside(told)),
                }
            }
            quiet_until = Instant::now() + self.heartbeat;
            for one in messages {
                if outbound.send(Ok(message(one))).await.is_err() {
                    return Ended::ByPeer;
                }
            }
        }
    }

    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Fleet, &Region) -> T + Send + 'static,
    ) -> Result<T, Stopping> {
        let region = self.region.clone();
        self.driver.ask(move |seen| look(seen.fleet, &region)).await
    }
}

/// What a region has yet to be told after a number, and how far what it told is taken in.
fn unsent(fleet: &Fleet, region: &Region, after: u64) -> (Vec<(u64, Told)>, TakenIn) {
    let untaken = fleet.untaken(region).into_iter();
    let later = untaken.flat_map(|untaken| untaken.range(after + 1..));
    let told = later
        .take(QUEUE)
        .map(|(number, told)| (*number, told.clone()));
    (told.collect(), fleet.taken_in(region))
}

/// What a region is told beside its state.
fn beside(told: ToRegion) -> from_control::Message {
    match told {
        ToRegion::Tell { host, message } => frame::for_host(&host, message),
        ToRegion::Act { request, event } => {
            let body = frame::write(&event);
            from_control::Message::Act(v1::Act { request, body })
        }
    }
}

fn message(message: from_control::Message) -> v1::FromControl {
    let message = Some(message);
    v1::FromControl { message }
}

fn checked(first: Option<v1::FromRegion>) -> Result<v1::RegionHello, FrameError> {
    let message = first.and_then(|first| first.message);
    let Some(from_region::Message::Hello(hello)) = message else {
        return Err(FrameError::Missing("hello"));
    };
    frame::check(hello.format, &hello.release)?;
    Ok(hello)
}

fn late() -> CallError {
    CallError::new(CallErrorKind::Invalid, "no hello came in time")
}
