//! What hosts tell of their guards is stored once, and noted each time.

use super::*;
use cofferdam_engine::{
    drift::DriftSummary,
    effect::EffectSummary,
    guard::{
        GuardEvent, GuardMode, GuardNews, GuardPosition, GuardRecord, GuardState, Seen, WindowLeft,
    },
};

fn news(numbers: std::ops::RangeInclusive<u64>) -> GuardNews {
    let event = |number| GuardEvent {
        number,
        times: 1,
        at: Timestamp(number),
        seen: Seen::ControlRegained,
    };
    GuardNews {
        state: GuardState {
            mode: GuardMode::Enforce,
            lost: Vec::new(),
        },
        window: None,
        log: 7,
        events: numbers.map(event).collect(),
    }
}

fn position(number: u64) -> GuardPosition {
    GuardPosition {
        log: 7,
        number,
        times: 1,
    }
}

impl Bench {
    async fn tell(&self, number: SessionNumber, said: Said) {
        self.handle
            .said(&host("web-1"), number, said)
            .await
            .unwrap();
    }

    /// What is kept of the host's guard, after all that was said.
    async fn guard(&self) -> Option<GuardRecord> {
        let look = |situation: Situation<'_>| {
            let (_, member) = situation.fleet.host(&host("web-1")).unwrap();
            member.guard.as_deref().cloned()
        };
        self.handle.ask(look).await.unwrap()
    }

    /// Who holds the host, in the ledger's words.
    async fn holder(&self) -> Option<String> {
        let look = |situation: Situation<'_>| {
            let (cell, _) = situation.fleet.host(&host("web-1")).unwrap();
            let entry = cell.ledger().entry(&host("web-1"));
            entry.map(|entry| entry.holder.to_string())
        };
        self.handle.ask(look).await.unwrap()
    }
}

async fn noted(messages: &mut mpsc::Receiver<ToAgent>) -> GuardPosition {
    loop {
        if let ToAgent::GuardNoted { up_to } = messages.recv().await.unwrap() {
            return up_to;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn news_are_stored_once_and_the_next_session_says_what_is() {
    let disk = MemoryDisk::default();
    let bench = start_on(&disk).await;
    let (number, mut messages) = bench.connect("web-1").await;
    for told in [news(1..=2), news(1..=2)] {
        bench.tell(number, Said::GuardNews(Box::new(told))).await;
        assert_eq!(noted(&mut messages).await, position(2));
    }
    assert_eq!(disk.content().records.len(), 3, "owner, hello, news");
    let drift = DriftSummary {
        at: Timestamp(9),
        packages: 1,
        ..DriftSummary::default()
    };
    for _ in 0..2 {
        bench
            .tell(number, Said::Drift(Box::new(drift.clone())))
            .await;
    }
    let effect = EffectSummary {
        restart: vec!["web.service".to_owned()],
        reboot: None,
    };
    for _ in 0..2 {
        bench
            .tell(number, Said::Effect(Box::new(effect.clone())))
            .await;
    }
    assert_eq!(bench.guard().await.unwrap().events.len(), 2);
    assert_eq!(disk.content().records.len(), 5, "and drift, and the effect");
    bench.stop().await.unwrap();

    let bench = start_on(&disk).await;
    let (number, mut messages) = bench.connect("web-1").await;
    let heard = Heard {
        guard: position(2),
        drift: Some(Timestamp(9)),
        takes_effect: true,
    };
    let first = messages.recv().await.unwrap();
    let ToAgent::Welcome { heard: told, .. } = first else {
        panic!("{first:?}");
    };
    assert_eq!(told, Some(heard));
    bench
        .tell(number, Said::GuardNews(Box::new(news(2..=5))))
        .await;
    assert_eq!(noted(&mut messages).await, position(5));
    let kept = bench.guard().await.unwrap();
    let numbers: Vec<u64> = kept.events.iter().map(|event| event.number).collect();
    assert_eq!((numbers, kept.missed), (vec![2, 3, 4, 5], 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_noted_that_is_not_stored() {
    let bench = start(FailingStore { appends_left: 2 }).await;
    let (number, mut messages) = bench.connect("web-1").await;
    bench
        .tell(number, Said::GuardNews(Box::new(news(1..=1))))
        .await;

    assert!(bench.driver.await.unwrap().is_err());
    while let Some(message) = messages.recv().await {
        assert!(
            !matches!(message, ToAgent::GuardNoted { .. }),
            "{message:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_is_an_entry_in_the_ledger_until_its_end_or_until_it_is_closed() {
    let bench = start_on(&MemoryDisk::default()).await;
    let (number, _messages) = bench.connect("web-1").await;
    let open = |opened, secs| {
        let window = WindowLeft {
            opened,
            by: "uid 1000".to_owned(),
            reason: "disk".to_owned(),
            left: Duration::from_secs(secs),
        };
        let window = Some(window);
        Said::GuardNews(Box::new(GuardNews {
            window,
            ..news(1..=1)
        }))
    };
    let person = Some("uid 1000 at the host (disk)".to_owned());
    bench.tell(number, open(1, 600)).await;
    assert_eq!(bench.holder().await, person);
    bench
        .tell(number, Said::GuardNews(Box::new(news(1..=1))))
        .await;
    assert_eq!(bench.holder().await, None);

    bench.tell(number, open(2, 600)).await;
    assert_eq!(bench.holder().await, person);
    bench.handle.closed(host("web-1"), number).await;
    tokio::time::sleep(Duration::from_secs(599)).await;
    assert_eq!(bench.holder().await, person, "silence frees nothing");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(bench.holder().await, None);
}
