//! By which clock certificates are judged, where the system's is set.

use crate::{
    pki::{Authority, Leaf, agent, coordinator},
    service::{Coordinator, who_am_i},
};
use cofferdam_engine::time::Timestamp;
use cofferdam_proto::tls::{Client, Credentials, Expect};

/// A year of 365 days in milliseconds.
const YEAR: u64 = 365 * 86_400_000;

/// The first day of a year, within a month.
fn year(year: u64) -> Timestamp {
    Timestamp((year - 1970) * YEAR + (year - 1970) / 4 * 86_400_000)
}

/// Issued in 2000, and over in 2020.
fn until_2020(leaf: Leaf) -> Leaf {
    Leaf {
        last_year: 2020,
        ..leaf
    }
}

/// What comes of a call where both sides judge at these moments.
async fn call(authority: &Authority, clocks: [u64; 2]) -> Result<String, String> {
    let judged = |leaf, at| -> Credentials {
        let credentials = authority.credentials(&until_2020(leaf));
        credentials.judged_by(move || year(at))
    };
    let [of_client, of_server] = clocks;
    let running = Coordinator::start(&judged(coordinator(), of_server)).await;
    let client = Client::new(judged(agent(), of_client), Expect::Coordinator).unwrap();
    who_am_i(running.uri(), client.connector()).await
}

#[tokio::test]
async fn the_clock_of_the_process_counts_and_not_the_one_that_was_set() {
    let authority = Authority::new();

    // By the system's clock, all certificates are over.
    assert_eq!(call(&authority, [2010, 2010]).await.as_deref(), Ok("web-1"));

    let by_client = call(&authority, [2021, 2010]).await.unwrap_err();
    assert!(
        by_client.contains("our own certificate is not valid"),
        "{by_client}"
    );
    let by_server = call(&authority, [2010, 2021]).await.unwrap_err();
    assert!(
        by_server.contains("the other side refused our certificate"),
        "{by_server}"
    );
}

#[tokio::test]
async fn a_clock_that_was_wrong_at_boot_keeps_nobody_out_once_the_systems_is_right() {
    let authority = Authority::new();
    for wrong in [1980, 3100] {
        let credentials = |leaf: &Leaf| authority.credentials(leaf).judged_by(move || year(wrong));
        let running = Coordinator::start(&credentials(&coordinator())).await;
        let client = Client::new(credentials(&agent()), Expect::Coordinator).unwrap();

        let answer = who_am_i(running.uri(), client.connector()).await;

        assert_eq!(answer.as_deref(), Ok("web-1"), "{wrong}");
    }
}
