use super::*;
use crate::guard::{span::Span, window::Window};
use cofferdam_engine::guard::{GuardMode, Seen};

/// What a coordinator has that stores what it is told.
#[derive(Default)]
struct Stored {
    heard: Heard,
    numbers: Vec<u64>,
    states: Vec<GuardState>,
    drifts: Vec<Timestamp>,
    effects: Vec<EffectSummary>,
}

impl Stored {
    /// Takes in what is told, and notes it.
    fn take(&mut self, telling: &mut Telling) {
        for message in telling.take() {
            if let FromAgent::GuardNews(news) = message {
                self.numbers.extend(news.events.iter().map(|e| e.number));
                self.heard.guard.log = news.log;
                if let Some(last) = news.events.last() {
                    self.heard.guard.number = last.number;
                    self.heard.guard.times = last.times;
                }
                self.states.push(news.state);
                telling.noted(self.heard.guard);
            } else if let FromAgent::Drift(drift) = message {
                self.heard.drift = Some(drift.at);
                self.drifts.push(drift.at);
            } else if let FromAgent::Effect(effect) = message {
                self.effects.push(*effect);
            } else {
                panic!("{message:?}");
            }
        }
    }

    /// Takes in whatever is told within an hour.
    async fn take_all(&mut self, telling: &mut Telling) {
        let hour = Duration::from_secs(3_600);
        while time::timeout(hour, telling.due()).await.is_ok() {
            self.take(telling);
        }
    }
}

/// A guard that saw so many things.
fn word(mode: GuardMode, seen: u64) -> Word {
    let event = |number| GuardEvent {
        number,
        times: 1,
        at: Timestamp(number),
        seen: Seen::ControlRegained,
    };
    Word {
        state: GuardState {
            mode,
            lost: Vec::new(),
        },
        window: None,
        log: 7,
        events: (1..=seen).map(event).collect(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_coordinator_that_takes_nothing_of_the_kind_is_told_nothing() {
    let (found, mut telling) = channel();
    found.guard(word(GuardMode::Enforce, 3));
    found.drift(DriftSummary::default());
    let mut stored = Stored::default();
    stored.take_all(&mut telling).await;
    telling.open(None);
    stored.take_all(&mut telling).await;
    assert_eq!((stored.states.len(), stored.drifts.len()), (0, 0));
    let mut nobody_looks = Telling::default();
    nobody_looks.open(Some(Heard::default()));
    stored.take_all(&mut nobody_looks).await;
    assert_eq!(stored.states.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn how_the_guard_stands_is_told_once_a_session_and_when_it_changes() {
    let (found, mut telling) = channel();
    let mut stored = Stored::default();
    for session in 1..=2 {
        telling.open(Some(stored.heard));
        found.guard(word(GuardMode::Observe, 1));
        stored.take_all(&mut telling).await;
        found.guard(word(GuardMode::Observe, 1));
        stored.take_all(&mut telling).await;
        assert_eq!(stored.states.len(), session);
        telling.close();
    }
    telling.open(Some(stored.heard));
    stored.take_all(&mut telling).await;
    found.guard(word(GuardMode::Enforce, 1));
    stored.take_all(&mut telling).await;
    let modes: Vec<GuardMode> = stored.states.iter().map(|state| state.mode).collect();
    assert_eq!(modes[2..], [GuardMode::Observe, GuardMode::Enforce]);
    assert_eq!(stored.numbers, [1], "the event is told once");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_effect_is_told_once_a_session_and_when_it_changes_and_only_to_who_takes_it() {
    let (found, mut telling) = channel();
    let mut stored = Stored::default();
    let stale = EffectSummary {
        restart: vec!["web.service".to_owned()],
        reboot: None,
    };
    found.effect(stale.clone());
    telling.open(Some(stored.heard));
    stored.take_all(&mut telling).await;
    assert_eq!(
        stored.effects,
        [],
        "an older coordinator ends the session over it"
    );
    stored.heard.takes_effect = true;
    for effect in [stale.clone(), stale.clone(), EffectSummary::default()] {
        telling.open(Some(stored.heard));
        found.effect(effect.clone());
        stored.take_all(&mut telling).await;
        found.effect(effect);
        stored.take_all(&mut telling).await;
    }
    let all = [stale.clone(), stale, EffectSummary::default()];
    assert_eq!(stored.effects, all);
}

#[tokio::test(start_paused = true)]
async fn a_cut_loses_nothing_and_what_was_stored_is_not_told_again() {
    let (found, mut telling) = channel();
    let mut stored = Stored::default();
    telling.open(Some(stored.heard));
    found.guard(word(GuardMode::Enforce, 40));
    telling.due().await;
    stored.take(&mut telling);
    telling.due().await;
    let lost = telling.take();
    assert_eq!(lost.len(), 1, "the second page, which nobody stores");
    assert!(telling.take().is_empty(), "one is under way at a time");
    telling.close();

    telling.open(Some(stored.heard));
    stored.take_all(&mut telling).await;
    assert_eq!(stored.numbers, (1..=40).collect::<Vec<u64>>());
}

#[tokio::test(start_paused = true)]
async fn a_first_event_is_told_at_once_and_a_flood_ever_more_slowly() {
    let (found, mut telling) = channel();
    let mut stored = Stored::default();
    telling.open(Some(stored.heard));
    found.guard(word(GuardMode::Enforce, 0));
    stored.take_all(&mut telling).await;
    let mut waits = Vec::new();
    for number in 1..=8 {
        found.guard(word(GuardMode::Enforce, number));
        let begun = Instant::now();
        telling.due().await;
        waits.push(begun.elapsed().as_secs());
        stored.take(&mut telling);
    }
    assert_eq!(waits, [0, 1, 2, 4, 8, 16, 30, 30]);
    time::sleep(LONGEST_WAIT * 2).await;
    found.guard(word(GuardMode::Enforce, 9));
    let begun = Instant::now();
    telling.due().await;
    stored.take(&mut telling);
    assert!(begun.elapsed() < LEAST_WAIT, "after a quiet minute at once");
    found.guard(word(GuardMode::Enforce, 10));
    telling.due().await;
    assert!(begun.elapsed() <= LEAST_WAIT * 2);
}

#[tokio::test(start_paused = true)]
async fn a_window_is_told_with_what_is_left_of_it_and_its_end_with_the_next_look() {
    let (found, mut telling) = channel();
    let uptime = crate::clock::uptime();
    let window = |until| Window {
        span: Span {
            boot_id: "b".to_owned(),
            opened: uptime,
            until,
        },
        reason: "disk".to_owned(),
        by: String::new(),
    };
    telling.open(Some(Heard::default()));
    let mut open = word(GuardMode::Enforce, 0);
    open.window = Some(window(uptime + 3_600_000));
    found.guard(open.clone());
    telling.due().await;
    let told = telling.take();
    let [FromAgent::GuardNews(news)] = told.as_slice() else {
        panic!("{told:?}");
    };
    let left = news.window.as_ref().unwrap();
    assert_eq!((left.by.as_str(), left.opened), ("somebody", uptime));
    assert!(left.left > Duration::from_secs(3_500));
    telling.noted(GuardPosition::default());
    assert!(telling.guard_news().is_none());

    open.window = Some(window(uptime));
    found.guard(open);
    let over = telling.guard_news().unwrap();
    assert_eq!(over.window, None);
}

#[tokio::test(start_paused = true)]
async fn drift_is_told_once_for_each_moment_that_it_was_found_at() {
    let (found, mut telling) = channel();
    let mut stored = Stored::default();
    let summary = |at| DriftSummary {
        at: Timestamp(at),
        ..DriftSummary::default()
    };
    for (at, told) in [(5, 1), (5, 1), (6, 2)] {
        telling.open(Some(stored.heard));
        found.drift(summary(at));
        stored.take_all(&mut telling).await;
        assert_eq!(stored.drifts.len(), told, "{at}");
    }
    assert_eq!(stored.drifts, [Timestamp(5), Timestamp(6)]);
}
