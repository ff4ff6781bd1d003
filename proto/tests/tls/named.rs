//! Whom a process dials that is told a name: what DNS says, in its order, for its time, and then on.

use crate::{
    dns::{Dns, Zone},
    pki::{Authority, Leaf, agent, coordinator},
    service::{Coordinator, who_am_i},
};
use cofferdam_proto::{
    dial::{LookupError, Place, Turns, Ways},
    error_chain,
    tls::{self, Client, Expect},
};
use std::time::Duration;
use tokio::time;

const NAME: &str = "_cofferdam._tcp.example.org";

fn zone(records: &[(u16, u16, u16, &str)]) -> Zone {
    let record = |(priority, weight, port, target): &(u16, u16, u16, &str)| {
        (*priority, *weight, *port, (*target).to_owned())
    };
    Zone {
        records: [(NAME, records.iter().map(record).collect())].into(),
        ttl: 300,
        ..Zone::default()
    }
}

fn turns(dns: &Dns, places: &[&str]) -> Turns {
    let places = places.iter().map(|place| Place::parse(place).unwrap());
    let dns = vec![dns.address];
    let ways = Ways { proxy: None, dns };
    Turns::new(places.collect(), ways, "web-1")
}

async fn next(turns: &mut Turns, count: usize) -> Vec<String> {
    let mut dialled = Vec::new();
    for _ in 0..count {
        dialled.push(turns.next().await.unwrap());
    }
    dialled
}

/// Lets time pass for those who ask for it, while sockets work.
async fn pass(time: Duration) {
    time::pause();
    time::advance(time).await;
    time::resume();
}

#[tokio::test]
async fn a_name_leads_to_its_targets_by_priority_and_a_list_goes_on_beside_it() {
    let dns = Dns::start(zone(&[
        (20, 0, 7301, "b.example.org"),
        (10, 5, 7300, "a.example.org"),
        (30, 0, 7302, "c.example.org"),
    ]))
    .await;
    let mut turns = turns(&dns, &[NAME, "last:1"]);

    let round = [
        "a.example.org:7300",
        "b.example.org:7301",
        "c.example.org:7302",
        "last:1",
    ];
    assert_eq!(next(&mut turns, 8).await, [round, round].concat());
    assert_eq!(dns.asked(), 1, "an answer holds for its time");
}

#[tokio::test]
async fn whoever_had_a_session_for_long_begins_with_the_first_again() {
    let records = [(10, 0, 1, "a.example.org"), (20, 0, 1, "b.example.org")];
    let dns = Dns::start(zone(&records)).await;
    let mut turns = turns(&dns, &[NAME]);

    assert_eq!(next(&mut turns, 1).await, ["a.example.org:1"]);
    pass(Duration::from_secs(200)).await;
    assert_eq!(
        next(&mut turns, 2).await,
        ["a.example.org:1", "b.example.org:1"]
    );
}

#[tokio::test]
async fn an_answer_holds_an_hour_at_most_and_while_dns_is_away() {
    let dns = Dns::start(zone(&[(1, 0, 1, "a.example.org")])).await;
    dns.change(|zone| zone.ttl = 1_000_000);
    let mut turns = turns(&dns, &[NAME]);
    assert_eq!(next(&mut turns, 1).await, ["a.example.org:1"]);

    dns.change(|zone| {
        *zone.records.get_mut(NAME).unwrap() = vec![(1, 0, 2, "b.example.org".into())]
    });
    pass(Duration::from_secs(3_599)).await;
    assert_eq!(next(&mut turns, 1).await, ["a.example.org:1"]);
    pass(Duration::from_secs(2)).await;
    assert_eq!(next(&mut turns, 1).await, ["b.example.org:2"]);

    // Away, whether it says so or says nothing: it is asked again soon, and what it said holds.
    dns.change(|zone| zone.records.clear());
    let asked = dns.asked();
    pass(Duration::from_secs(3_601)).await;
    assert_eq!(next(&mut turns, 2).await, ["b.example.org:2"; 2]);
    assert_eq!(dns.asked(), asked + 1);
    dns.change(|zone| zone.records = [(NAME, vec![(1, 0, 3, "c.example.org".into())])].into());
    pass(Duration::from_secs(31)).await;
    assert_eq!(next(&mut turns, 1).await, ["c.example.org:3"]);
}

#[tokio::test]
async fn an_answer_too_long_for_udp_is_fetched_over_tcp_and_a_forged_one_is_passed_over() {
    let targets: Vec<String> = (0..20)
        .map(|target| format!("target-{target:02}.example.org"))
        .collect();
    let records: Vec<_> = targets
        .iter()
        .zip(1..)
        .map(|(name, n)| (n, 0, n, name.as_str()))
        .collect();
    let dns = Dns::start(zone(&records)).await;
    dns.change(|zone| zone.is_spoofed = true);

    let dialled = next(&mut turns(&dns, &[NAME]), 20).await;

    assert_eq!(dialled.first().unwrap(), "target-00.example.org:1");
    assert_eq!(dialled.last().unwrap(), "target-19.example.org:20");
}

#[tokio::test]
async fn what_leads_nowhere_is_said_and_costs_the_rest_of_the_list_nothing() {
    let dns = Dns::start(zone(&[(0, 0, 0, ".")])).await;
    let nowhere = turns(&dns, &[NAME]).next().await.unwrap_err();
    assert!(matches!(nowhere, LookupError::Nowhere(_)), "{nowhere}");

    let missing = turns(&dns, &["_other._tcp.example.org"])
        .next()
        .await
        .unwrap_err();
    assert_eq!(
        missing.to_string(),
        "there is no SRV record _other._tcp.example.org"
    );
    assert_eq!(
        next(&mut turns(&dns, &[NAME, "last:1"]), 1).await,
        ["last:1"]
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_asked_twice_and_named() {
    let dns = Dns::start(Zone {
        is_away: true,
        ..Zone::default()
    })
    .await;
    let mut turns = turns(&dns, &[NAME]);

    let error = turns.next().await.unwrap_err();

    let expected = format!(
        "no DNS server says where {NAME} is: {} did not answer within 2 s",
        dns.address
    );
    assert_eq!(error_chain(&error), expected);
    assert_eq!(dns.asked(), 2);
}

#[tokio::test]
async fn the_certificate_must_have_the_name_of_the_target_that_is_dialled() {
    let authority = Authority::new();
    let good = Coordinator::start(&authority.credentials(&coordinator())).await;
    let elsewhere = Leaf {
        dns: vec!["elsewhere.example.org"],
        ..coordinator()
    };
    let bad = Coordinator::start(&authority.credentials(&elsewhere)).await;
    let records = [
        (1, 0, bad.address.port(), "localhost"),
        (2, 0, good.address.port(), "localhost"),
    ];
    let dns = Dns::start(zone(&records)).await;
    let client = Client::new(authority.credentials(&agent()), Expect::Coordinator).unwrap();
    let mut turns = turns(&dns, &[NAME]);

    let mut answers = Vec::new();
    for address in next(&mut turns, 2).await {
        answers.push(who_am_i(tls::uri(&address).unwrap(), client.connector()).await);
    }

    let refused = answers[0].as_ref().unwrap_err();
    assert!(
        refused.contains("cannot be trusted") && refused.contains("localhost"),
        "{refused}"
    );
    assert_eq!(answers[1].as_deref(), Ok("web-1"));
}
