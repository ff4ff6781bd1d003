//! The agents' live sessions as the driver sees them: where to send, and who awaits an answer.
//!
//! One session a host: a newer one closes the older. What a session cannot take at once closes it,
//! so that one slow agent never holds up the others; it connects again and is told what it missed.

pub(crate) mod far;
mod queries;

pub(crate) use self::{
    far::{Act, Acted, Far, ToRegion},
    queries::{Answers, Heard},
};

use self::queries::Queries;
use cofferdam_engine::{
    failure::Failure,
    id::{HostId, OwnerEpoch, Region},
    query::Answer,
    reservation::ReservationLeft,
    wish::Wish,
};
use cofferdam_proto::session::{SimulatedPackage, ToAgent};
use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// Messages that wait for one agent at most: two rollouts' worth of stage, order and answers
/// (guess).
const OUTBOUND: usize = 32;

/// The bits of a question's number that count the questions of one process.
const QUESTIONS: u32 = 32;

/// Tells a host's sessions apart. Given out in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionNumber(pub(crate) u64);

/// What an agent would install.
pub(crate) type Simulation = Result<Vec<SimulatedPackage>, Failure>;

/// Every live session.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    live: BTreeMap<HostId, Live>,
    simulations: BTreeMap<u64, Awaited>,
    last_request: u64,
    queries: Queries,
    overrun: Vec<HostId>,
    /// The regions that are linked, where sessions are theirs.
    pub(crate) far: Far,
}

/// What came of handing a message to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handed {
    /// It is on its way.
    Over,
    /// There is nobody to take it.
    Nobody,
    /// There is no room for it just now.
    Full,
}

/// The driver's end of a session. Dropping it ends the session.
#[derive(Debug)]
pub(crate) struct Outbound {
    queue: mpsc::Sender<ToAgent>,
    _open: oneshot::Sender<Infallible>,
}

/// The session's own end.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// Where signs of life go, as long as the driver holds its end.
    pub(crate) queue: mpsc::WeakSender<ToAgent>,
    /// Resolves when the driver has dropped its end.
    pub(crate) closed: oneshot::Receiver<Infallible>,
}

/// Both ends of a session, and the messages for its agent.
pub(crate) fn ends() -> (Outbound, Inbound, mpsc::Receiver<ToAgent>) {
    let (queue, messages) = mpsc::channel(OUTBOUND);
    let (open, closed) = oneshot::channel();
    let inbound = Inbound {
        queue: queue.downgrade(),
        closed,
    };
    (Outbound { queue, _open: open }, inbound, messages)
}

/// Hosts that were asked a query.
#[derive(Debug)]
pub(crate) struct Queried {
    /// Those that are waited for.
    pub(crate) waiting: BTreeSet<HostId>,
    /// Those that had no session.
    pub(crate) offline: Vec<HostId>,
    /// Those whose session could not take the question at once.
    pub(crate) silent: Vec<HostId>,
    /// What they answer.
    pub(crate) answers: Answers,
}

#[derive(Debug)]
struct Live {
    number: SessionNumber,
    outbound: Outbound,
    /// Whether its first message was sent: before it, nothing else is.
    is_welcome: bool,
    /// Whether it is told who has its host.
    takes_reservations: bool,
}

#[derive(Debug)]
struct Awaited {
    host: HostId,
    reply: oneshot::Sender<Simulation>,
}

impl Sessions {
    /// None yet, of a process that owns its part of the fleet under this epoch. Hosts and regions outlive a process:
    /// no question gets a number that one of an earlier process had.
    pub(crate) fn under(epoch: OwnerEpoch) -> Self {
        let before = far::unmarked(epoch.0 << QUESTIONS);
        Self {
            last_request: before,
            queries: Queries::after(before),
            ..Self::default()
        }
    }

    /// Takes in a host's new session; an older one is closed.
    pub(crate) fn open(&mut self, host: &HostId, number: SessionNumber, outbound: Outbound) {
        self.forget_questions(host);
        let live = Live {
            number,
            outbound,
            is_welcome: false,
            takes_reservations: false,
        };
        self.live.insert(host.clone(), live);
    }

    /// Notes that a host's agent is to be told who has its host.
    pub(crate) fn take_reservations(&mut self, host: &HostId) {
        if let Some(live) = self.live.get_mut(host) {
            live.takes_reservations = true;
        }
    }

    /// Tells a host which operator has it, where its agent takes that.
    pub(crate) fn reserved(&mut self, host: &HostId, reservation: Option<ReservationLeft>) {
        let live = self.live.get(host);
        if live.is_some_and(|live| live.takes_reservations) {
            self.send(host, ToAgent::Reserved { reservation });
        }
    }

    /// Sends the first message of a session, if it is still its host's live one.
    pub(crate) fn welcome(&mut self, host: &HostId, number: SessionNumber, welcome: ToAgent) {
        let live = self.live.get_mut(host);
        if let Some(live) = live.filter(|live| live.number == number) {
            live.is_welcome = true;
            self.send(host, welcome);
        }
    }

    /// Whether a session is its host's live one.
    pub(crate) fn is_live(&self, host: &HostId, number: SessionNumber) -> bool {
        self.live
            .get(host)
            .is_some_and(|live| live.number == number)
    }

    /// Closes a host's session.
    pub(crate) fn close(&mut self, host: &HostId) {
        self.live.remove(host);
        self.forget_questions(host);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.live.len()
    }

    /// Hands a message to a host's session. Without one, or before its welcome, it is dropped: the
    /// host is told again then. A session that cannot take it is closed, see [`Sessions::take_overrun`].
    pub(crate) fn send(&mut self, host: &HostId, message: ToAgent) {
        let Some(live) = self.live.get(host).filter(|live| live.is_welcome) else {
            return;
        };
        if live.outbound.queue.try_send(message).is_err() {
            self.close(host);
            self.overrun.push(host.clone());
        }
    }

    /// Whether [`Sessions::take_overrun`] has something to take.
    pub(crate) fn has_overrun(&self) -> bool {
        !self.overrun.is_empty()
    }

    /// The hosts whose sessions were closed because they could not take a message.
    pub(crate) fn take_overrun(&mut self) -> Vec<HostId> {
        std::mem::take(&mut self.overrun)
    }

    /// Asks a host what it would install. The reply is dropped when its session ends.
    pub(crate) fn simulate(
        &mut self,
        host: HostId,
        of: Option<&Region>,
        wish: Wish,
        reply: oneshot::Sender<Simulation>,
    ) {
        self.last_request += 1;
        let request = self.last_request;
        let message = ToAgent::Simulate {
            request: self.far.marked(request, of),
            wish,
        };
        match self.hand(&host, of, message) {
            Handed::Over => {}
            Handed::Nobody => return,
            Handed::Full => {
                self.close(&host);
                self.overrun.push(host);
                return;
            }
        }
        self.simulations
            .retain(|_, awaited| !awaited.reply.is_closed());
        self.simulations.insert(request, Awaited { host, reply });
    }

    /// Hands a message to a host's own session, or to the region that has it.
    fn hand(&self, host: &HostId, of: Option<&Region>, message: ToAgent) -> Handed {
        if let Some(region) = of {
            return match self.far.tell(region, host, message) {
                true => Handed::Over,
                false => Handed::Nobody,
            };
        }
        let live = self.live.get(host).filter(|live| live.is_welcome);
        match live.map(|live| live.outbound.queue.try_send(message)) {
            None => Handed::Nobody,
            Some(Ok(())) => Handed::Over,
            Some(Err(_)) => Handed::Full,
        }
    }

    /// Takes in a host's answer to [`Sessions::simulate`]. One that nobody awaits is dropped.
    pub(crate) fn simulated(&mut self, host: &HostId, request: u64, result: Simulation) {
        if self
            .simulations
            .get(&request)
            .is_none_or(|awaited| awaited.host != *host)
        {
            return;
        }
        if let Some(awaited) = self.simulations.remove(&request) {
            awaited.reply.send(result).ok();
        }
    }

    /// Asks hosts a query, each its own text. A session that has no room for it just now is spared: one
    /// question more is no reason to close it.
    pub(crate) fn query(
        &mut self,
        texts: impl IntoIterator<Item = (HostId, Option<Region>, String)>,
        within: Duration,
    ) -> Queried {
        let request = self.queries.next_request();
        let (mut offline, mut silent) = (Vec::new(), Vec::new());
        let mut waiting = BTreeSet::new();
        for (host, region, text) in texts {
            let query = ToAgent::Query {
                request: self.far.marked(request, region.as_ref()),
                text,
                within,
            };
            match self.hand(&host, region.as_ref(), query) {
                Handed::Over => {
                    waiting.insert(host);
                }
                Handed::Nobody => offline.push(host),
                Handed::Full => silent.push(host),
            }
        }
        Queried {
            answers: self.queries.wait(request, waiting.clone()),
            waiting,
            offline,
            silent,
        }
    }

    /// Takes in a host's answer to [`Sessions::query`]. One that nobody awaits is dropped.
    pub(crate) fn queried(&mut self, host: &HostId, request: u64, result: Result<Answer, Failure>) {
        self.queries.answered(host, request, result);
    }

    /// Nobody waits any more for what a host was asked.
    pub(crate) fn forget_questions(&mut self, host: &HostId) {
        self.simulations.retain(|_, awaited| awaited.host != *host);
        self.queries.lost(host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> HostId {
        HostId::new(name).unwrap()
    }

    fn session(sessions: &mut Sessions, name: &str, number: u64) -> mpsc::Receiver<ToAgent> {
        let (outbound, _inbound, messages) = ends();
        sessions.open(&host(name), SessionNumber(number), outbound);
        sessions.welcome(&host(name), SessionNumber(number), ToAgent::Heartbeat);
        messages
    }

    #[test]
    fn a_newer_session_closes_the_older() {
        let mut sessions = Sessions::default();
        let mut older = session(&mut sessions, "a", 1);
        let mut newer = session(&mut sessions, "a", 2);

        assert_eq!(older.try_recv(), Ok(ToAgent::Heartbeat));
        assert_eq!(
            older.try_recv(),
            Err(mpsc::error::TryRecvError::Disconnected)
        );
        assert_eq!(newer.try_recv(), Ok(ToAgent::Heartbeat));
        assert!(!sessions.is_live(&host("a"), SessionNumber(1)));
    }

    #[test]
    fn a_session_that_takes_nothing_more_is_closed() {
        let mut sessions = Sessions::default();
        let _stuck = session(&mut sessions, "a", 1);

        for _ in 0..OUTBOUND {
            sessions.send(&host("a"), ToAgent::Heartbeat);
        }

        assert_eq!(sessions.take_overrun(), [host("a")]);
        assert_eq!(sessions.count(), 0);
    }

    #[test]
    fn nothing_is_sent_before_the_welcome() {
        let mut sessions = Sessions::default();
        let (outbound, _inbound, mut messages) = ends();
        let number = SessionNumber(1);
        sessions.open(&host("a"), number, outbound);

        sessions.send(&host("a"), ToAgent::Heartbeat);
        assert!(messages.try_recv().is_err());

        let up_to = cofferdam_engine::id::ReportSequence(7);
        sessions.welcome(&host("a"), number, ToAgent::Acknowledge { up_to });
        assert_eq!(messages.try_recv(), Ok(ToAgent::Acknowledge { up_to }));
    }

    #[test]
    fn only_the_host_that_was_asked_may_answer() {
        let mut sessions = Sessions::default();
        let _a = session(&mut sessions, "a", 1);
        let _b = session(&mut sessions, "b", 2);
        let (reply, mut answer) = oneshot::channel();
        sessions.simulate(host("a"), None, Wish::Security, reply);

        sessions.simulated(&host("b"), 1, Ok(Vec::new()));
        assert!(answer.try_recv().is_err());
        sessions.simulated(&host("a"), 1, Ok(Vec::new()));
        assert_eq!(answer.try_recv(), Ok(Ok(Vec::new())));
    }

    #[test]
    fn what_an_earlier_process_asked_answers_no_question_of_this_one() {
        let mut sessions = Sessions::under(OwnerEpoch(7));
        let _a = session(&mut sessions, "a", 1);
        let (reply, mut answer) = oneshot::channel();
        sessions.simulate(host("a"), None, Wish::Security, reply);

        let before = Sessions::under(OwnerEpoch(6)).last_request;
        sessions.simulated(&host("a"), before + 1, Ok(Vec::new()));
        assert!(answer.try_recv().is_err());
        sessions.simulated(&host("a"), sessions.last_request, Ok(Vec::new()));
        assert_eq!(answer.try_recv(), Ok(Ok(Vec::new())));
    }

    #[test]
    fn a_question_ends_with_the_session_it_was_asked_on() {
        let mut sessions = Sessions::default();
        let _a = session(&mut sessions, "a", 1);
        let (reply, mut answer) = oneshot::channel();
        sessions.simulate(host("a"), None, Wish::Security, reply);

        sessions.close(&host("a"));

        assert_eq!(answer.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }

    fn asked(sessions: &mut Sessions, names: &[&str]) -> Queried {
        let texts = names
            .iter()
            .map(|name| (host(name), "package a".to_owned()));
        let texts = texts.into_iter().map(|(host, text)| (host, None, text));
        sessions.query(texts, Duration::from_secs(1))
    }

    fn yes() -> Result<Answer, Failure> {
        let (holds, evidence) = (true, "a 1".to_owned());
        Ok(Answer { holds, evidence })
    }

    #[test]
    fn each_host_that_was_asked_is_heard_once_whoever_else_speaks() {
        let mut sessions = Sessions::default();
        let _a = session(&mut sessions, "a", 1);
        let mut b = session(&mut sessions, "b", 2);
        let _c = session(&mut sessions, "c", 3);
        let mut query = asked(&mut sessions, &["a", "b", "away"]);
        assert_eq!(query.offline, [host("away")]);
        assert_eq!(query.waiting, [host("a"), host("b")].into());
        assert_eq!(b.try_recv(), Ok(ToAgent::Heartbeat));
        let Ok(ToAgent::Query { request, .. }) = b.try_recv() else {
            panic!("the query is expected");
        };

        for name in ["c", "away", "a", "a"] {
            sessions.queried(&host(name), request, yes());
        }
        sessions.queried(&host("b"), request + 1, yes());
        sessions.close(&host("b"));
        sessions.queried(&host("b"), request, yes());

        let answered = Heard::Answered(yes());
        assert_eq!(query.answers.try_recv(), Ok((host("a"), answered)));
        assert_eq!(query.answers.try_recv(), Ok((host("b"), Heard::Lost)));
        let over = Err(mpsc::error::TryRecvError::Disconnected);
        assert_eq!(query.answers.try_recv(), over);
    }

    #[test]
    fn a_session_without_room_for_a_query_is_spared() {
        let mut sessions = Sessions::default();
        let _stuck = session(&mut sessions, "a", 1);
        let queries: Vec<_> = (0..=OUTBOUND)
            .map(|_| asked(&mut sessions, &["a"]))
            .collect();

        let last = queries.last().unwrap();
        assert_eq!(last.silent, [host("a")]);
        assert!(sessions.is_live(&host("a"), SessionNumber(1)));
        assert!(!sessions.has_overrun());
    }

    #[test]
    fn a_query_that_nobody_waits_for_any_more_is_forgotten() {
        let mut sessions = Sessions::default();
        let _a = session(&mut sessions, "a", 1);
        drop(asked(&mut sessions, &["a"]));
        sessions.queried(&host("a"), 7, yes());
        assert!(sessions.queries.is_empty());
    }
}
