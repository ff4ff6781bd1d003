//! Which keys orders get, whatever their hosts say that they have seen.

use super::*;
use crate::sessions::Inbound;
use cofferdam_engine::id::{HostSequence, OrderKey};
use cofferdam_proto::session::StageRequest;

/// A host's end of its session.
struct Host {
    name: &'static str,
    number: SessionNumber,
    messages: mpsc::Receiver<ToAgent>,
    _inbound: Inbound,
}

impl Bench {
    async fn connect_after(&self, name: &'static str, newest: OrderKey) -> Host {
        let mut hello = hello(name);
        hello.newest = Some(newest);
        let (outbound, inbound, messages) = ends();
        let number = self.handle.next_session();
        let opened = self.handle.opened(hello, number, outbound).await;
        opened.unwrap().unwrap();
        Host {
            name,
            number,
            messages,
            _inbound: inbound,
        }
    }

    /// Stages what a host is asked to, until it is ordered.
    async fn order(&self, mut to: Host) -> OrderKey {
        loop {
            let message = to.messages.recv().await.expect("a session that lives");
            if let ToAgent::Order(order, _) = message {
                return order.key;
            }
            if let ToAgent::Stage(request, _) = message {
                let said = Said::Report(staged(*request));
                let taken = self.handle.said(&host(to.name), to.number, said).await;
                taken.unwrap();
            }
        }
    }
}

fn staged(request: StageRequest) -> Report {
    Report {
        incarnation: Incarnation(7),
        sequence: ReportSequence(1),
        body: ReportBody::Staged {
            rollout: request.rollout,
            lock_digest: request.lock_digest,
            failure: None,
        },
    }
}

fn key(epoch: u64, sequence: u64) -> OrderKey {
    OrderKey {
        epoch: OwnerEpoch(epoch),
        sequence: HostSequence(sequence),
    }
}

/// A store that was lost, or restored from a backup, begins with an epoch that its hosts have seen
/// the end of: they refuse every order that is older than what they ran.
#[tokio::test(start_paused = true)]
async fn an_order_is_above_all_that_its_host_has_seen_even_of_a_later_owner() {
    let bench = start_on(&MemoryDisk::default()).await;
    let host = bench.connect_after("web-1", key(9, 4)).await;
    bench.start_rollout("first").await.unwrap();

    assert_eq!(bench.order(host).await, key(9, 5));
}

/// Numbers come from hosts: one that says the highest there is must not stop the others.
#[tokio::test(start_paused = true)]
async fn a_host_that_no_order_can_follow_stops_nobody() {
    let bench = start_on(&MemoryDisk::default()).await;
    let worn = bench.connect_after("web-1", key(1, u64::MAX)).await;
    let well = bench.connect_after("web-2", key(1, 4)).await;
    bench.start_rollout("first").await.unwrap();

    tokio::select! {
        biased;
        key = bench.order(worn) => panic!("it was ordered under {key}"),
        ordered = bench.order(well) => assert_eq!(ordered, key(1, 5)),
    }
}
