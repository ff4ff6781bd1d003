//! What goes up on the session: in which order, and never more than it takes.
//!
//! Answers to what the coordinator asked in this session, and word of other packages, go first, then
//! reports in order, then the claim that the run waits for; so the coordinator knows the run's state before it is asked.
//! Last comes what is told of the host beside its runs, which keeps none of them waiting.

use crate::journal::History;
use cofferdam_engine::{
    id::{OrderKey, ReportSequence},
    inventory::PackageSet,
    order::ClaimPoint,
};
use cofferdam_proto::session::{FromAgent, Hello};
use std::collections::VecDeque;
use tokio::sync::mpsc::{self, error::TrySendError};

/// The most answers that wait; a coordinator that asks more without reading gets no more (guess).
const MAX_ANSWERS: usize = 32;

/// The sending half of the session, if there is one, and what was sent in it.
#[derive(Debug, Default)]
pub(crate) struct Uplink {
    link: Option<mpsc::Sender<FromAgent>>,
    stage: Stage,
    answers: VecDeque<FromAgent>,
    packages: Option<PackageSet>,
    told: VecDeque<FromAgent>,
    sent: ReportSequence,
    claimed: Option<(OrderKey, ClaimPoint)>,
}

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// The host's state for the first message is still being found out.
    #[default]
    Dialled,
    /// The first message was handed over.
    Greeted,
    /// The coordinator answered it.
    Welcomed,
}

impl Uplink {
    /// Begins a session.
    pub(crate) fn open(&mut self, link: mpsc::Sender<FromAgent>) {
        *self = Self {
            link: Some(link),
            ..Self::default()
        };
    }

    /// Ends it. What was not sent is sent in the next one, or is no longer asked for.
    pub(crate) fn close(&mut self) {
        *self = Self::default();
    }

    /// Sends the first message. The packages are kept for the case that they are asked for.
    pub(crate) fn greet(&mut self, hello: Hello, packages: PackageSet) {
        if self.stage == Stage::Dialled {
            self.stage = Stage::Greeted;
            self.packages = Some(packages);
            self.answers.push_front(FromAgent::Hello(hello));
        }
    }

    /// Takes the coordinator's answer to the first message.
    pub(crate) fn welcomed(&mut self, want_packages: bool) {
        if self.stage != Stage::Greeted {
            return;
        }
        self.stage = Stage::Welcomed;
        self.hand_over_packages(want_packages);
    }

    /// Says that other packages are installed now than was said in this session, and keeps them for
    /// the case that they are asked for. A run makes one such message or two, and no run goes on
    /// without a coordinator that reads, so they need no bound of their own.
    pub(crate) fn tell_packages(&mut self, set: PackageSet) {
        let packages = set.digest();
        self.packages = Some(set);
        self.answers
            .push_back(FromAgent::PackagesChanged { packages });
    }

    /// Lets go of the packages that were kept, and sends them where they are wanted.
    pub(crate) fn hand_over_packages(&mut self, want_packages: bool) {
        let packages = self.packages.take();
        if let Some(packages) = packages.filter(|_| want_packages) {
            self.answers.push_back(FromAgent::Packages(packages));
        }
    }

    /// Whether a session is open and the coordinator has answered.
    pub(crate) fn is_open(&self) -> bool {
        self.link.is_some() && self.stage == Stage::Welcomed
    }

    /// Sends an answer in this session, or not at all.
    pub(crate) fn answer(&mut self, message: FromAgent) {
        if self.is_open() && self.answers.len() < MAX_ANSWERS {
            self.answers.push_back(message);
        }
    }

    /// Tells something of the host beside its runs, in this session or not at all. Whoever tells has at
    /// most one such message under way, so they need no bound of their own.
    pub(crate) fn tell(&mut self, message: FromAgent) {
        if self.is_open() {
            self.told.push_back(message);
        }
    }

    /// Whether there is something to send and somebody to send it to.
    pub(crate) fn has_something(&self, history: &History) -> bool {
        self.link.is_some() && self.next(history).is_some()
    }

    /// Waits until the session takes another message.
    pub(crate) async fn ready(&self) {
        let Some(link) = &self.link else {
            return std::future::pending().await;
        };
        // An error means that the session has ended; sending notices it too.
        drop(link.reserve().await);
    }

    /// Hands over what the session takes now.
    pub(crate) fn send(&mut self, history: &History) {
        while let (Some(link), Some(message)) = (&self.link, self.next(history)) {
            match link.try_send(message.clone()) {
                Ok(()) => self.note_sent(&message),
                Err(TrySendError::Full(_)) => return,
                Err(TrySendError::Closed(_)) => self.close(),
            }
        }
    }

    fn next(&self, history: &History) -> Option<FromAgent> {
        if let Some(answer) = self.answers.front() {
            return Some(answer.clone());
        }
        if self.stage != Stage::Welcomed {
            return None;
        }
        if let Some(report) = history.outbox().after(self.sent) {
            return Some(FromAgent::Report(report.clone()));
        }
        self.claim(history).or_else(|| self.told.front().cloned())
    }

    fn claim(&self, history: &History) -> Option<FromAgent> {
        let run = history.open()?;
        let (key, token, point) = (run.order().key, run.order().token, run.awaits()?);
        let asked = self.claimed == Some((key, point));
        (!asked).then_some(FromAgent::Claim { key, token, point })
    }

    fn note_sent(&mut self, message: &FromAgent) {
        match message {
            FromAgent::Report(report) => self.sent = report.sequence,
            FromAgent::Claim { key, point, .. } => self.claimed = Some((*key, *point)),
            FromAgent::GuardNews(_) | FromAgent::Drift(_) | FromAgent::Effect(_) => {
                self.told.pop_front();
            }
            FromAgent::Hello(_)
            | FromAgent::Packages(_)
            | FromAgent::PackagesChanged { .. }
            | FromAgent::Heartbeat
            | FromAgent::Simulated { .. }
            | FromAgent::Queried { .. } => {
                self.answers.pop_front();
            }
        }
    }
}
