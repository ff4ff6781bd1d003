//! Asks the application, when somebody asks the responder, and never more often than once a second.
//!
//! Probes are the config's. Each is asked by one of a few threads, so that an application that hangs
//! keeps nobody waiting: who asks has the last answer, until it is too old to mean anything.

use super::{application::Folded, seen::Answer};
use crate::checks::{
    probe::Probe,
    verdict::{Reading, Verdict},
};
use std::{
    io::{self, Write as _},
    os::unix::net::UnixStream,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

mod asking;

/// The most threads that ask. With the one that serves they make the four that a responder may have.
pub const MOST_THREADS: usize = 3;

/// How old an answer may be for the next question to be spared (guess: load balancers ask every 2 s,
/// and several of them may).
const FRESH: Duration = Duration::from_secs(1);

/// How much older an answer may be than what it takes to ask all probes again, before it means nothing: the
/// time until somebody asks here, and then some (guess).
const MARGIN: Duration = Duration::from_secs(3);

/// The stack of a thread that asks: what resolves names is others' code, and memory that is not touched costs
/// nothing.
const STACK: usize = 512 * 1024;

/// Asks the application. Dropping it does not end its threads: a responder has one, for ever.
#[derive(Debug)]
pub struct Prober {
    shared: Arc<Shared>,
    heard: UnixStream,
}

#[derive(Debug)]
struct Shared {
    probes: Vec<Probe>,
    slots: Mutex<Vec<Slot>>,
    asked: Condvar,
    bell: UnixStream,
}

/// One probe between two questions.
#[derive(Debug, Default)]
struct Slot {
    stage: Stage,
    /// What it found last, and when it began to ask.
    last: Option<(Answer, Instant)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Idle,
    Wanted,
    Asking,
}

impl Prober {
    /// Starts the threads: none without probes.
    ///
    /// # Errors
    /// When the system gives no thread or socket.
    pub fn start(probes: Vec<Probe>) -> io::Result<Self> {
        let (heard, bell) = UnixStream::pair()?;
        heard.set_nonblocking(true)?;
        bell.set_nonblocking(true)?;
        let threads = probes.len().min(MOST_THREADS);
        let slots = probes.iter().map(|_| Slot::default()).collect();
        let shared = Arc::new(Shared {
            probes,
            slots: Mutex::new(slots),
            asked: Condvar::new(),
            bell,
        });
        for _ in 0..threads {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name("probe".to_owned())
                .stack_size(STACK)
                .spawn(move || shared.work())?;
        }
        Ok(Self { shared, heard })
    }

    /// What becomes readable when an answer came.
    pub fn bell(&self) -> &UnixStream {
        &self.heard
    }

    /// Wants every answer that is not fresh to be asked for. Whether all are fresh already.
    pub fn want(&self) -> bool {
        let now = Instant::now();
        let mut slots = self.shared.slots();
        let mut all = true;
        for slot in &mut *slots {
            if slot.is_fresh(now) {
                continue;
            }
            all = false;
            if slot.stage == Stage::Idle {
                slot.stage = Stage::Wanted;
            }
        }
        if !all {
            self.shared.asked.notify_all();
        }
        all
    }

    /// What every probe found last, in their order.
    pub fn answers(&self) -> Vec<Answer> {
        let now = Instant::now();
        let again = again_within(&self.shared.probes);
        let slots = self.shared.slots();
        let probes = self.shared.probes.iter().zip(&*slots);
        probes
            .map(|(probe, slot)| slot.answer(probe, again, now))
            .collect()
    }
}

impl Slot {
    fn is_fresh(&self, now: Instant) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|(_, at)| now.duration_since(*at) < FRESH)
    }

    /// The answer, if all probes could not have been asked again since it was asked for.
    fn answer(&self, probe: &Probe, again: Duration, now: Instant) -> Answer {
        let nothing = |said: &str| Answer {
            reading: Reading::new(&probe.name, Verdict::NoData, said),
            page: None,
        };
        match &self.last {
            None => nothing("it has not answered yet"),
            Some((_, at)) if now.duration_since(*at) > probe.deadline + again + MARGIN => {
                nothing("its last answer is too old")
            }
            Some((answer, _)) => answer.clone(),
        }
    }
}

/// How long it may take until every probe was asked again, a few at a time.
fn again_within(probes: &[Probe]) -> Duration {
    let rounds = u32::try_from(probes.len().div_ceil(MOST_THREADS)).unwrap_or(u32::MAX);
    let longest = probes.iter().map(|probe| probe.deadline).max();
    longest.unwrap_or_default().saturating_mul(rounds)
}

/// Which of those that are wanted comes next: the one that was not asked for longest.
fn next_of(slots: &[Slot]) -> Option<usize> {
    let numbered = slots.iter().enumerate();
    let wanted = numbered.filter(|(_, slot)| slot.stage == Stage::Wanted);
    let next = wanted.min_by_key(|(_, slot)| slot.last.as_ref().map(|(_, at)| *at));
    next.map(|(index, _)| index)
}

impl Shared {
    /// A thread that panicked held no half-made slot: each is changed in one assignment.
    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks what is wanted, for ever.
    fn work(&self) {
        loop {
            let index = self.next();
            let Some(probe) = self.probes.get(index) else {
                continue;
            };
            let began = Instant::now();
            let (reading, body) = asking::ask(probe);
            let page = body.and_then(|body| Folded::read(&probe.name, &body));
            let answer = Answer { reading, page };
            if let Some(slot) = self.slots().get_mut(index) {
                *slot = Slot {
                    stage: Stage::Idle,
                    last: Some((answer, began)),
                };
            }
            // A full bell is ringing already.
            (&self.bell).write_all(&[1]).ok();
        }
    }

    fn next(&self) -> usize {
        let mut slots = self.slots();
        loop {
            if let Some(index) = next_of(&slots) {
                slots[index].stage = Stage::Asking;
                return index;
            }
            slots = self
                .asked
                .wait(slots)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::probe::Question;

    fn probe(deadline_ms: u64) -> Probe {
        Probe {
            name: "app".to_owned(),
            address: "127.0.0.1:1".to_owned(),
            deadline: Duration::from_millis(deadline_ms),
            question: Question::Tcp,
        }
    }

    fn asked(stage: Stage, at: Instant) -> Slot {
        let reading = Reading::new("app", Verdict::Pass, "");
        let answer = Answer {
            reading,
            page: None,
        };
        Slot {
            stage,
            last: Some((answer, at)),
        }
    }

    #[test]
    fn who_was_not_asked_for_longest_comes_next_however_soon_others_are_wanted_again() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut slots = vec![
            asked(Stage::Wanted, at(5)),
            asked(Stage::Idle, at(0)),
            asked(Stage::Wanted, at(3)),
            asked(Stage::Asking, at(1)),
        ];
        assert_eq!(next_of(&slots), Some(2));
        slots.push(Slot {
            stage: Stage::Wanted,
            last: None,
        });
        assert_eq!(next_of(&slots), Some(4));
        assert_eq!(next_of(&slots[..2]), Some(0));
        assert_eq!(next_of(&slots[1..2]), None);
    }

    #[test]
    fn an_answer_counts_while_the_others_have_their_turn() {
        for (probes, good_for_ms) in [(1, 2_000 + 2_000 + 3_000), (8, 2_000 + 6_000 + 3_000)] {
            let probes = vec![probe(2_000); probes];
            let began = Instant::now();
            let slot = asked(Stage::Wanted, began);
            let after = |ms| {
                let now = began + Duration::from_millis(ms);
                let answer = slot.answer(&probes[0], again_within(&probes), now);
                answer.reading.verdict
            };
            assert_eq!(after(good_for_ms), Verdict::Pass);
            assert_eq!(after(good_for_ms + 1), Verdict::NoData);
        }
    }
}
