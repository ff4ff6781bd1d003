//! What the coordinator is told of the host beside its runs: its guard, what changed without an order, and
//! whether what is installed is in effect.
//!
//! ```text
//!   guard's keeper --Word-----> +-------+                      Welcome(heard), GuardNoted(up to)
//!   drift ---------DriftSummary>| Found | --the last--> Telling <-----------------------------
//!   effect -------EffectSummary>|       |                  |
//!                               +-------+                  |  GuardNews, Drift, Effect
//!                                                          v
//!                                                       session
//! ```
//!
//! Those who watch put down how things stand, each time in place of the last. What is new for the
//! coordinator is found by what it says that it has stored, so a cut loses nothing and doubles nothing, and
//! nothing waits in a queue here. One message of the guard is under way at a time, and the next waits the
//! longer the more come: a program that tries without end costs a message in half a minute.

use crate::guard::word::Word;
use cofferdam_engine::{
    drift::DriftSummary,
    effect::EffectSummary,
    guard::{GuardEvent, GuardNews, GuardPosition, GuardState, WindowLeft},
    time::Timestamp,
};
use cofferdam_proto::{
    convert::bounds::MAX_GUARD_EVENTS,
    session::{FromAgent, Heard},
};
use std::time::Duration;
use tokio::{
    sync::watch,
    time::{self, Instant},
};

/// The wait after a first message of the guard; it doubles with each that follows (guess).
const LEAST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait: what happens is told within the minute.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Where those who watch over a host put what they find. Clones are the same place.
#[derive(Debug, Clone)]
pub struct Found {
    guard: watch::Sender<Option<Word>>,
    drift: watch::Sender<Option<DriftSummary>>,
    effect: watch::Sender<Option<EffectSummary>>,
}

/// Both ends: for those who watch, and for the agent. See [`Agent::telling`](crate::Agent::telling).
pub fn channel() -> (Found, Telling) {
    let (guard, words) = watch::channel(None);
    let (drift, summaries) = watch::channel(None);
    let (effect, effects) = watch::channel(None);
    let telling = Telling {
        guard: Some(words),
        drift: Some(summaries),
        effect: Some(effects),
        session: None,
        not_before: Instant::now(),
        wait: LEAST_WAIT,
    };
    let found = Found {
        guard,
        drift,
        effect,
    };
    (found, telling)
}

impl Found {
    /// How the guard stands now, and what it saw.
    pub fn guard(&self, word: Word) {
        self.guard.send_replace(Some(word));
    }

    /// What changed on the host without an order, as was found last. The same moment in it says that it is
    /// the same as before, which is told once.
    pub fn drift(&self, summary: DriftSummary) {
        self.drift.send_replace(Some(summary));
    }

    /// How far what is installed on the host is in effect, as was found last. The same is told once.
    pub fn effect(&self, summary: EffectSummary) {
        self.effect.send_replace(Some(summary));
    }
}

/// Tells a coordinator, session by session, what it has not stored. By default there is nothing to tell.
#[derive(Debug)]
pub struct Telling {
    guard: Option<watch::Receiver<Option<Word>>>,
    drift: Option<watch::Receiver<Option<DriftSummary>>>,
    effect: Option<watch::Receiver<Option<EffectSummary>>>,
    /// Absent: nobody is there who takes anything.
    session: Option<Session>,
    /// When the next message of the guard may go, and the wait after that.
    not_before: Instant,
    wait: Duration,
}

/// What is told in one session.
#[derive(Debug)]
struct Session {
    heard: GuardPosition,
    drift: Option<Timestamp>,
    /// Whether it takes what is in effect.
    takes_effect: bool,
    /// What it was told of that. Absent: nothing yet.
    effect: Option<EffectSummary>,
    /// The state and the window that were told. Absent: none yet.
    told: Option<(GuardState, Option<u64>)>,
    is_under_way: bool,
}

impl Default for Telling {
    fn default() -> Self {
        Self {
            guard: None,
            drift: None,
            effect: None,
            session: None,
            not_before: Instant::now(),
            wait: LEAST_WAIT,
        }
    }
}

impl Telling {
    /// A session began with a coordinator that has stored this. Absent: it takes nothing of the kind.
    pub(crate) fn open(&mut self, heard: Option<Heard>) {
        self.session = heard.map(|heard| Session {
            heard: heard.guard,
            drift: heard.drift,
            takes_effect: heard.takes_effect,
            effect: None,
            told: None,
            is_under_way: false,
        });
    }

    /// The session is over.
    pub(crate) fn close(&mut self) {
        self.session = None;
    }

    /// The coordinator has stored what was told of the guard, up to here.
    pub(crate) fn noted(&mut self, up_to: GuardPosition) {
        if let Some(session) = &mut self.session {
            session.heard = up_to;
            session.is_under_way = false;
        }
    }

    /// Waits until there is something to tell and somebody to tell it to. May be cancelled and called
    /// again.
    pub(crate) async fn due(&mut self) {
        loop {
            if self.drift_news().is_some() || self.effect_news().is_some() {
                return;
            }
            let guard = self.guard_news().map(|_| self.not_before);
            tokio::select! {
                biased;
                () = changed(&mut self.drift) => {}
                () = changed(&mut self.effect) => {}
                () = changed(&mut self.guard) => {}
                () = until(guard) => return,
            }
        }
    }

    /// What is to be told now. It counts as told in this session.
    pub(crate) fn take(&mut self) -> Vec<FromAgent> {
        let (drift, effect) = (self.drift_news(), self.effect_news());
        let now = Instant::now();
        let guard = self.guard_news().filter(|_| now >= self.not_before);
        if let Some(news) = &guard {
            self.slow_down(news, now);
        }
        if let Some(session) = &mut self.session {
            if let Some(news) = &guard {
                session.told = Some((news.state.clone(), opened(news.window.as_ref())));
                session.is_under_way = true;
            }
            if let Some(drift) = &drift {
                session.drift = Some(drift.at);
            }
            if effect.is_some() {
                session.effect.clone_from(&effect);
            }
        }
        let guard = guard.map(|news| FromAgent::GuardNews(Box::new(news)));
        let drift = drift.map(|drift| FromAgent::Drift(Box::new(drift)));
        let effect = effect.map(|effect| FromAgent::Effect(Box::new(effect)));
        guard.into_iter().chain(drift).chain(effect).collect()
    }

    /// A full message has more behind it, which is no new trouble.
    fn slow_down(&mut self, news: &GuardNews, now: Instant) {
        let was_quiet = now >= self.not_before + LONGEST_WAIT;
        let is_full = news.events.len() >= MAX_GUARD_EVENTS;
        if was_quiet || is_full {
            self.wait = LEAST_WAIT;
        }
        self.not_before = now + self.wait;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
    }

    /// What the coordinator does not know of the guard. Nothing while it is being told something.
    fn guard_news(&self) -> Option<GuardNews> {
        let session = self.session.as_ref().filter(|s| !s.is_under_way)?;
        let word = self.guard.as_ref()?.borrow();
        let word = word.as_ref()?;
        let is_new = |event: &&GuardEvent| session.heard.is_before(word.log, event);
        let events = word.events.iter().filter(is_new).take(MAX_GUARD_EVENTS);
        let events: Vec<GuardEvent> = events.cloned().collect();
        let window = word.window_left();
        let told = session.told.as_ref();
        let is_told = told.is_some_and(|(state, which)| {
            *state == word.state && *which == opened(window.as_ref())
        });
        (!is_told || !events.is_empty()).then(|| GuardNews {
            state: word.state.clone(),
            window,
            log: word.log,
            events,
        })
    }

    fn drift_news(&self) -> Option<DriftSummary> {
        let session = self.session.as_ref()?;
        let summary = self.drift.as_ref()?.borrow().clone()?;
        (session.drift != Some(summary.at)).then_some(summary)
    }

    fn effect_news(&self) -> Option<EffectSummary> {
        let session = self.session.as_ref().filter(|s| s.takes_effect)?;
        let summary = self.effect.as_ref()?.borrow().clone()?;
        (session.effect.as_ref() != Some(&summary)).then_some(summary)
    }
}

fn opened(window: Option<&WindowLeft>) -> Option<u64> {
    window.map(|window| window.opened)
}

/// Waits for something else to be found; for ever where nobody looks.
async fn changed<T>(found: &mut Option<watch::Receiver<T>>) {
    let Some(receiver) = found else {
        return std::future::pending().await;
    };
    if receiver.changed().await.is_err() {
        std::future::pending().await
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
