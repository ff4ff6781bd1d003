//! A host is told which operator has it, when that changes and in each session.

use super::*;
use cofferdam_engine::reservation::ReservationLeft;

const HALF_AN_HOUR: Duration = Duration::from_secs(1800);

impl Bench {
    /// A session of an agent that takes who has its host.
    async fn connect_heeding(&self, name: &str) -> mpsc::Receiver<ToAgent> {
        let (outbound, _, messages) = ends();
        let number = self.handle.next_session();
        let hello = Hello {
            takes_reservations: true,
            ..hello(name)
        };
        let opened = self.handle.opened(hello, number, outbound).await;
        opened.unwrap().unwrap();
        messages
    }

    async fn act(&self, event: FleetEvent) {
        self.handle.act(event).await.unwrap().unwrap();
    }
}

/// What a host is told next of who has it.
async fn told(messages: &mut mpsc::Receiver<ToAgent>) -> Option<ReservationLeft> {
    loop {
        if let ToAgent::Reserved { reservation } = messages.recv().await.unwrap() {
            return reservation;
        }
    }
}

fn reserve() -> FleetEvent {
    FleetEvent::Reserved {
        hosts: [host("web-1")].into(),
        by: OperatorId::new("ana").unwrap(),
        reason: "new disk".to_owned(),
        lasts: HALF_AN_HOUR,
    }
}

fn release() -> FleetEvent {
    FleetEvent::Unreserved {
        hosts: [host("web-1")].into(),
        by: OperatorId::new("ana").unwrap(),
        force: false,
    }
}

/// Connects hosts that stay in service while another is out.
async fn connect_others(bench: &Bench) -> Vec<mpsc::Receiver<ToAgent>> {
    let mut sessions = Vec::new();
    for number in 2..=10 {
        sessions.push(bench.connect(&format!("web-{number}")).await.1);
    }
    sessions
}

#[tokio::test(start_paused = true)]
async fn a_host_is_told_who_has_it_and_when_that_ends() {
    let disk = MemoryDisk::default();
    let bench = start_on(&disk).await;
    let _others = connect_others(&bench).await;
    let mut messages = bench.connect_heeding("web-1").await;
    assert_eq!(told(&mut messages).await, None, "nobody has it yet");
    bench.act(reserve()).await;
    let reservation = told(&mut messages).await.unwrap();
    assert_eq!(reservation.by.as_str(), "ana");
    assert_eq!(reservation.reason, "new disk");
    assert_eq!(reservation.left, HALF_AN_HOUR);
    bench.act(release()).await;
    assert_eq!(told(&mut messages).await, None);
    bench.act(reserve()).await;
    let reservation = told(&mut messages).await.unwrap();
    bench.stop().await.unwrap();

    // Another process knows it by the store, and says when its time is over.
    let bench = start_on(&disk).await;
    let mut messages = bench.connect_heeding("web-1").await;
    let again = told(&mut messages).await.unwrap();
    assert_eq!(again.token, reservation.token);
    assert!(again.left <= HALF_AN_HOUR);
    assert_eq!(told(&mut messages).await, None);
}

#[tokio::test(start_paused = true)]
async fn an_agent_of_an_earlier_release_is_not_told() {
    let bench = start_on(&MemoryDisk::default()).await;
    let _others = connect_others(&bench).await;
    let (number, mut messages) = bench.connect("web-1").await;
    bench.act(reserve()).await;
    bench.report("web-1", number, 1).await;
    while let Some(message) = messages.recv().await {
        assert!(!matches!(message, ToAgent::Reserved { .. }), "{message:?}");
        if message == acknowledge(1) {
            return;
        }
    }
}
