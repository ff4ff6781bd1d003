//! A region's link, as a region sees it that has little to say.

use crate::bench::{Bench, HEARTBEAT, name};
use cofferdam_engine::identity::Identity;
use cofferdam_proto::v1::{self, from_control, from_region, link_client::LinkClient};
use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

/// How long it is listened at most: many heartbeats, for a busy machine.
const LISTENED: Duration = HEARTBEAT.saturating_mul(60);

/// How many signs of life are enough: more than a pause of whoever keeps the control plane busy would let through.
const ENOUGH: u32 = 5;

/// Between two changes of the fleet: so often that no heartbeat goes by without one.
const BUSY: Duration = HEARTBEAT.checked_div(10).expect("not by zero");

/// Opens the link of a region that is new, and drops what a new one is told first.
pub(crate) async fn link(
    bench: &Bench,
) -> (mpsc::Sender<v1::FromRegion>, Streaming<v1::FromControl>) {
    let region = Identity::Coordinator(name("r2"));
    let channel = bench.dial(&region, bench.operators).await;
    let (outbound, queue) = mpsc::channel(16);
    let hello = v1::RegionHello {
        format: 1,
        store: 7,
        news: 0,
        summaries: 0,
        release: "later".to_owned(),
        ..v1::RegionHello::default()
    };
    let message = Some(from_region::Message::Hello(hello));
    outbound
        .try_send(v1::FromRegion { message })
        .expect("a queue that is empty");
    let opened = LinkClient::new(channel)
        .open(ReceiverStream::new(queue))
        .await;
    (outbound, opened.expect("a link").into_inner())
}

pub(crate) fn sign_of_life() -> v1::FromRegion {
    let message = Some(from_region::Message::SignOfLife(v1::SignOfLife {}));
    v1::FromRegion { message }
}

#[tokio::test]
async fn an_idle_region_of_a_busy_control_plane_gets_signs_of_life() {
    let bench = Bench::apart().await;
    let (outbound, mut inbound) = link(&bench).await;
    let mut operator = bench.operator().await;
    // Each time something else, so that each is a change that the control plane stores.
    let busy = tokio::spawn(async move {
        for turn in 0_u64.. {
            let services_text = format!("[service.s{turn}]\nowners = [\"ana\"]\ntier = 1\n");
            let file_name = "services.toml".to_owned();
            let request = v1::SetServicesRequest {
                file_name,
                services_text,
            };
            operator.set_services(request).await.expect("it is stored");
            sleep(BUSY).await;
        }
    });

    let until = Instant::now() + LISTENED;
    let mut signs = 0_u32;
    while signs < ENOUGH && Instant::now() < until {
        // It gives some itself, so that it is not the control plane that ends the link.
        outbound
            .send(sign_of_life())
            .await
            .expect("the link is open");
        let Ok(said) = timeout(HEARTBEAT, inbound.message()).await else {
            continue;
        };
        let said = said.expect("a link that holds").expect("not its end");
        if let Some(from_control::Message::SignOfLife(_)) = said.message {
            signs += 1;
        }
    }
    assert!(
        !busy.is_finished(),
        "the control plane was busy all the time"
    );
    busy.abort();
    assert_eq!(signs, ENOUGH, "signs of life in {LISTENED:?}");
    bench.stop().await;
}
