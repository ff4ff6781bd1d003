//! How an operator asks hosts, and hears from them as they answer.

use super::call;
use crate::{
    driver::{Asked, DriverHandle},
    sessions::{self, Heard},
    tasks::{Stop, Tasks},
};
use cofferdam_engine::{
    id::{HostId, OperatorId},
    query::Query,
};
use cofferdam_proto::{
    operator::{FailedHost, MatchedHost, QueryAnswer, QueryRequest, QuerySummary},
    status::{CallError, CallErrorKind},
    v1,
};
use std::{collections::BTreeSet, mem, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, sleep_until, timeout_at},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Queries that are under way at once at most: each asks the whole fleet, and an agent has eight that wait
/// (guess).
const AT_ONCE: usize = 4;

/// Answers that wait for a slow operator at most; then the query waits too.
const QUEUE: usize = 64;

/// How long an operator may take to read what came, after hosts had their time (guess: a pager).
const READING: Duration = Duration::from_secs(30);

/// The part of its time that a query keeps for the way: a host that cannot tell in the rest says so, and
/// is not taken for a silent one (guess).
const MARGIN: u32 = 10;

/// What an operator reads.
pub(crate) type Answers = ReceiverStream<Result<v1::QueryAnswer, Status>>;

/// Where queries are asked.
#[derive(Debug)]
pub(crate) struct Desk {
    driver: DriverHandle,
    tasks: Tasks,
    stop: Stop,
    room: Arc<Semaphore>,
}

impl Desk {
    /// A desk with room for as many as may be under way.
    pub(crate) fn new(driver: DriverHandle, tasks: Tasks, stop: Stop) -> Self {
        Self {
            driver,
            tasks,
            stop,
            room: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Asks hosts, and returns what they answer, while they do.
    pub(crate) async fn ask(
        &self,
        by: OperatorId,
        asked: QueryRequest,
    ) -> Result<Answers, CallError> {
        let query = Query::parse(&asked.text)
            .map_err(|error| CallError::of(CallErrorKind::Invalid, &error))?;
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            let message = format!("{AT_ONCE} queries are under way: ask again when one is over");
            CallError::new(CallErrorKind::Busy, message)
        })?;
        tracing::info!(%by, %query, "operator asks hosts");
        let until = Instant::now() + asked.within;
        let for_hosts = asked.within - asked.within / MARGIN;
        let asked = self.driver.query(query, for_hosts).await;
        let asked = asked.map_err(call::stopping)?;
        let (to, answers) = mpsc::channel(QUEUE);
        let following = Following::of(asked, to);
        let stop = self.stop.clone();
        self.tasks.spawn(follow(following, until, stop, room));
        Ok(ReceiverStream::new(answers))
    }
}

/// A query that is under way.
struct Following {
    matching: Vec<HostId>,
    waiting: BTreeSet<HostId>,
    answers: sessions::Answers,
    summary: QuerySummary,
    to: mpsc::Sender<Result<v1::QueryAnswer, Status>>,
}

/// The operator went away.
struct Gone;

/// Hands answers on until the end of the query, however that comes; then there is room for another.
async fn follow(mut query: Following, until: Instant, mut stop: Stop, room: OwnedSemaphorePermit) {
    tokio::select! {
        biased;
        () = stop.asked() => {}
        _ = timeout_at(until + READING, query.run(until)) => {}
    }
    drop(room);
}

impl Following {
    fn of(asked: Asked, to: mpsc::Sender<Result<v1::QueryAnswer, Status>>) -> Self {
        let by_labels = asked.matching.len() as u64;
        Self {
            summary: QuerySummary {
                matched: by_labels,
                matched_by_labels: by_labels,
                not_matched: asked.others,
                not_matched_by_labels: asked.others,
                failed: 0,
                offline: asked.offline,
                silent: asked.silent,
            },
            matching: asked.matching,
            waiting: asked.waiting,
            answers: asked.answers,
            to,
        }
    }

    async fn run(&mut self, until: Instant) -> Result<(), Gone> {
        for host in mem::take(&mut self.matching) {
            let evidence = String::new();
            self.say(QueryAnswer::Matched(MatchedHost { host, evidence }))
                .await?;
        }
        while !self.waiting.is_empty() {
            tokio::select! {
                biased;
                () = self.to.closed() => return Err(Gone),
                heard = self.answers.recv() => match heard {
                    Some((host, heard)) => self.hear(host, heard).await?,
                    None => break,
                },
                () = sleep_until(until) => break,
            }
        }
        let mut summary = mem::take(&mut self.summary);
        summary.silent.extend(mem::take(&mut self.waiting));
        summary.silent.sort();
        self.say(QueryAnswer::Summary(summary)).await
    }

    async fn hear(&mut self, host: HostId, heard: Heard) -> Result<(), Gone> {
        self.waiting.remove(&host);
        match heard {
            Heard::Lost => {
                self.summary.silent.push(host);
                Ok(())
            }
            Heard::Answered(Ok(answer)) if answer.holds => {
                self.summary.matched += 1;
                let evidence = answer.evidence;
                self.say(QueryAnswer::Matched(MatchedHost { host, evidence }))
                    .await
            }
            Heard::Answered(Ok(_)) => {
                self.summary.not_matched += 1;
                Ok(())
            }
            Heard::Answered(Err(failure)) => {
                self.summary.failed += 1;
                self.say(QueryAnswer::Failed(FailedHost { host, failure }))
                    .await
            }
        }
    }

    async fn say(&self, answer: QueryAnswer) -> Result<(), Gone> {
        self.to.send(Ok(answer.into())).await.map_err(|_| Gone)
    }
}
