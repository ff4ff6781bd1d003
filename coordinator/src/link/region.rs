//! A region's end: it dials its control plane, again and again.

use super::{
    ANSWERS, BATCH, Dial, Ended, Inbound, QUEUE, copy,
    frame::{self, FORMAT, FrameError},
    ring::Ring,
};
use crate::{
    driver::{DriverHandle, Stopping},
    tasks::Stop,
};
use cofferdam_engine::{
    fleet::{Copy, Fleet, FleetEvent, LinkEvent},
    id::{HostId, Incarnation},
    warrant::Summary,
};
use cofferdam_proto::{
    error_chain,
    session::{FromAgent, MISSED_HEARTBEATS},
    v1::{self, from_control, from_region},
};
use std::{ops::RangeInclusive, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, mpsc},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_stream::StreamExt as _;

/// How long it waits before it dials again: at first, and at most (guess: a control plane has some dozens of
/// regions, and one that is mended must not stay unknown for long).
const REDIAL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(10);

/// The shortest and longest heartbeat that a control plane may ask for.
const HEARTBEATS: RangeInclusive<u64> = 100..=60_000;

/// A region's link to its control plane.
#[derive(Debug)]
pub(crate) struct Uplink {
    pub(crate) driver: DriverHandle,
    pub(crate) ring: Ring,
    /// Answers of hosts that the control plane asked.
    pub(crate) answered: Mutex<mpsc::Receiver<(HostId, FromAgent)>>,
    pub(crate) dial: Arc<dyn Dial>,
    /// Until the control plane says how often it wants to hear something.
    pub(crate) heartbeat: Duration,
}

impl Uplink {
    /// Keeps the link until everything stops.
    pub(crate) async fn keep(self, mut stop: Stop) {
        let mut wait = *REDIAL.start();
        loop {
            let ended = tokio::select! {
                biased;
                () = stop.asked() => return,
                ended = self.link(&mut wait) => ended,
            };
            tracing::warn!(why = error_chain(&ended), "no link to the control plane");
            tokio::select! {
                biased;
                () = stop.asked() => return,
                () = sleep(wait) => {}
            }
            wait = (wait * 2).min(*REDIAL.end());
        }
    }

    /// One link, from its begin to its end.
    async fn link(&self, wait: &mut Duration) -> Ended {
        match self.open().await {
            Ok((welcome, inbound, outbound)) => {
                tracing::info!(release = welcome.release, "linked to the control plane");
                *wait = *REDIAL.start();
                self.exchange(welcome, inbound, outbound).await
            }
            Err(ended) => ended,
        }
    }

    async fn open(
        &self,
    ) -> Result<(v1::ControlHello, Inbound, mpsc::Sender<v1::FromRegion>), Ended> {
        let channel = self.dial.dial().await.map_err(Ended::Broken)?;
        let (outbound, queue) = mpsc::channel(QUEUE);
        let hello = self.look(hello).await?;
        outbound
            .try_send(message(from_region::Message::Hello(hello)))
            .ok();
        let opening = async {
            let mut inbound = self.dial.open(channel, queue).await?;
            let first = inbound.next().await.transpose()?;
            Ok::<_, Ended>((checked(first)?, inbound))
        };
        let opened = timeout(self.heartbeat * MISSED_HEARTBEATS, opening).await;
        let (welcome, inbound) = opened.map_err(|_| Ended::Silence)??;
        let control = Incarnation(welcome.store);
        self.driver.link(vec![LinkEvent::Met { control }]).await??;
        Ok((welcome, inbound, outbound))
    }

    async fn exchange(
        &self,
        welcome: v1::ControlHello,
        inbound: Inbound,
        outbound: mpsc::Sender<v1::FromRegion>,
    ) -> Ended {
        let heartbeat = welcome.heartbeat_ms;
        let heartbeat = heartbeat.clamp(*HEARTBEATS.start(), *HEARTBEATS.end());
        let heartbeat = Duration::from_millis(heartbeat);
        let (replies, replied) = mpsc::channel(ANSWERS);
        tokio::select! {
            biased;
            ended = self.receive(inbound, &replies, heartbeat) => ended,
            ended = self.send(&welcome, &outbound, replied, heartbeat) => ended,
        }
    }

    /// Takes in what the control plane says.
    async fn receive(
        &self,
        mut inbound: Inbound,
        replies: &mpsc::Sender<from_region::Message>,
        heartbeat: Duration,
    ) -> Ended {
        let mut last_act = 0;
        loop {
            let received = timeout(heartbeat * MISSED_HEARTBEATS, inbound.next()).await;
            let said = match received {
                Err(_) => return Ended::Silence,
                Ok(None) => return Ended::ByPeer,
                Ok(Some(Err(status))) => return status.into(),
                Ok(Some(Ok(said))) => said,
            };
            if let Err(ended) = self.take_in(said, replies, &mut last_act).await {
                return ended;
            }
        }
    }

    async fn take_in(
        &self,
        said: v1::FromControl,
        replies: &mpsc::Sender<from_region::Message>,
        last_act: &mut u64,
    ) -> Result<(), Ended> {
        let Some(message) = said.message else {
            tracing::warn!("passed over a message of a kind that is not known");
            return Ok(());
        };
        match message {
            from_control::Message::Hello(_) => {
                return Err(FrameError::Unexpected("a second hello").into());
            }
            from_control::Message::Told(v1::Numbered { number, body }) => {
                let told = frame::read("what the control plane told", &body)?;
                let event = LinkEvent::Told { number, told };
                self.driver.link(vec![event]).await??;
                reply(replies, from_region::Message::ToldTaken(number));
            }
            from_control::Message::ToHost(to_host) => {
                let (host, message) = frame::to_host(to_host)?;
                self.driver.tell(host, message).await?;
            }
            // An operator asked for it once: what comes again could undo what came since.
            from_control::Message::Act(v1::Act { request, .. }) if request <= *last_act => {}
            from_control::Message::Act(v1::Act { request, body }) => {
                *last_act = request;
                let event: FleetEvent = frame::read("an act", &body)?;
                if event.hosts_of_region().is_empty() {
                    return Err(FrameError::Unexpected("an act").into());
                }
                let acted = self.driver.act(event).await?;
                let refusal = acted.err().map(|refusal| error_chain(&refusal));
                let acted = v1::Acted { request, refusal };
                reply(replies, from_region::Message::Acted(acted));
            }
            from_control::Message::Taken(v1::Taken { summaries, .. }) => {
                let up_to = summaries;
                let kept = |fleet: &Fleet| fleet.untaken_summaries().keys().next().copied();
                // It is told with each of its news, and most of those take no summary.
                if self.look(kept).await?.is_some_and(|first| first <= up_to) {
                    let event = LinkEvent::SummariesTaken { up_to };
                    self.driver.link(vec![event]).await??;
                }
            }
            from_control::Message::SignOfLife(_) => {}
        }
        Ok(())
    }

    /// Sends what the driver has stored for the control plane, and signs of life.
    async fn send(
        &self,
        welcome: &v1::ControlHello,
        outbound: &mpsc::Sender<v1::FromRegion>,
        mut replied: mpsc::Receiver<from_region::Message>,
        heartbeat: Duration,
    ) -> Ended {
        let mut changes = self.driver.changes();
        let mut answered = self.answered.lock().await;
        let mut sent = Sent {
            news: welcome.news,
            summaries: welcome.summaries,
        };
        let mut quiet_until = Instant::now() + heartbeat;
        loop {
            changes.mark_unchanged();
            // What is replied was stored before: its news go first.
            let mut replies = taken(&mut replied);
            while let Ok((host, said)) = answered.try_recv() {
                replies.push(frame::said(&host, said));
            }
            let mut messages = match self.unsent(&mut sent).await {
                Ok(messages) => messages,
                Err(stopping) => return stopping.into(),
            };
            messages.append(&mut replies);
            if messages.is_empty() {
                tokio::select! {
                    biased;
                    // First, and by its own moment: changes that are nothing to tell may come without end.
                    () = sleep_until(quiet_until) => {
                        messages.push(from_region::Message::SignOfLife(v1::SignOfLife {}));
                    }
                    changed = changes.changed() => match changed {
                        Ok(()) => continue,
                        Err(_) => return Ended::Stopping(Stopping),
                    },
                    Some(reply) = replied.recv() => {
                        // Its news may have come since.
                        messages = match self.unsent(&mut sent).await {
                            Ok(messages) => messages,
                            Err(stopping) => return stopping.into(),
                        };
                        messages.push(reply);
                    }
                    Some((host, said)) = answered.recv() => messages.push(frame::said(&host, said)),
                }
            }
            quiet_until = Instant::now() + heartbeat;
            for one in messages {
                if outbound.send(message(one)).await.is_err() {
                    return Ended::ByPeer;
                }
            }
        }
    }

    /// The next messages that are due: news, or all cells where news are missing, and summaries.
    async fn unsent(&self, sent: &mut Sent) -> Result<Vec<from_region::Message>, Stopping> {
        let mut messages = Vec::new();
        match self.ring.after(sent.news, BATCH) {
            Ok(news) => {
                for (number, body) in news {
                    sent.news = number;
                    messages.push(from_region::Message::News(v1::Numbered { number, body }));
                }
            }
            Err(_) => {
                let copy: Copy = self.look(Fleet::copy).await?;
                sent.news = copy.news;
                let parts = copy::parts(&copy).into_iter();
                messages.extend(parts.map(from_region::Message::Copy));
            }
        }
        let after = sent.summaries;
        for (number, summary) in self.look(move |fleet| untold(fleet, after)).await? {
            sent.summaries = number;
            let summary = frame::numbered(number, &summary);
            messages.push(from_region::Message::Summary(summary));
        }
        Ok(messages)
    }

    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Fleet) -> T + Send + 'static,
    ) -> Result<T, Stopping> {
        self.driver.ask(move |seen| look(seen.fleet)).await
    }
}

/// What waits to be replied.
fn taken(replied: &mut mpsc::Receiver<from_region::Message>) -> Vec<from_region::Message> {
    std::iter::from_fn(|| replied.try_recv().ok()).collect()
}

/// Replies, where the other side still listens. There is room for far more than it asks at once.
fn reply(replies: &mpsc::Sender<from_region::Message>, message: from_region::Message) {
    if replies.try_send(message).is_err() {
        tracing::warn!("the control plane asks more than it takes answers of");
    }
}

/// How far what happened was sent on this link.
struct Sent {
    news: u64,
    summaries: u64,
}

fn untold(fleet: &Fleet, after: u64) -> Vec<(u64, Summary)> {
    let later = fleet.untaken_summaries().range(after + 1..).take(BATCH);
    later
        .map(|(number, summary)| (*number, summary.clone()))
        .collect()
}

fn hello(fleet: &Fleet) -> v1::RegionHello {
    let has = fleet.has();
    v1::RegionHello {
        format: FORMAT,
        store: fleet.store().map_or(0, |store| store.0),
        news: has.news,
        summaries: has.summaries,
        control: has.control.map(|control| control.0),
        told: has.told,
        summaries_taken: has.summaries_taken,
        release: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn message(message: from_region::Message) -> v1::FromRegion {
    let message = Some(message);
    v1::FromRegion { message }
}

fn checked(first: Option<v1::FromControl>) -> Result<v1::ControlHello, FrameError> {
    let message = first.and_then(|first| first.message);
    let Some(from_control::Message::Hello(hello)) = message else {
        return Err(FrameError::Missing("hello"));
    };
    frame::check(hello.format, &hello.release)?;
    Ok(hello)
}
