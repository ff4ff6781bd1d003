//! Agents and regions of a later release, which say what this one does not know.

use crate::{
    bench::{Bench, Session, hello},
    links,
};
use cofferdam_engine::{
    digest::Digest,
    id::{Incarnation, ReportSequence},
    report::{Report, ReportBody},
};
use cofferdam_proto::{
    session::{FromAgent, ToAgent},
    v1::{self, from_agent, from_region},
};

fn report(incarnation: Incarnation, sequence: u64) -> Report {
    let detail = String::new();
    let body = ReportBody::Service {
        in_service: true,
        detail,
    };
    let sequence = ReportSequence(sequence);
    Report {
        incarnation,
        sequence,
        body,
    }
}

async fn say(session: &Session, incarnation: Incarnation, sequences: &[u64]) {
    for sequence in sequences {
        session
            .send(FromAgent::Report(report(incarnation, *sequence)))
            .await;
    }
}

fn acknowledged(message: Option<ToAgent>) -> u64 {
    match message {
        Some(ToAgent::Acknowledge { up_to }) => up_to.0,
        other => panic!("an acknowledgement is expected, not {other:?}"),
    }
}

#[tokio::test]
async fn what_a_later_agent_says_costs_that_message_and_no_report_is_lost() {
    let bench = Bench::start().await;
    let incarnation = hello("web-1").incarnation;
    let mut session = bench.session("web-1").await;
    assert_eq!(acknowledged(session.next().await), 0);

    // A kind of message that is not known, and in a report a body that is not.
    session.send_raw(v1::FromAgent { message: None }).await;
    say(&session, incarnation, &[1]).await;
    assert_eq!(acknowledged(session.next().await), 1);
    let unknown = v1::Report {
        body: None,
        ..v1::Report::from(report(incarnation, 2))
    };
    let message = Some(from_agent::Message::Report(unknown));
    session.send_raw(v1::FromAgent { message }).await;
    say(&session, incarnation, &[3]).await;

    // The session goes on, and neither report is acknowledged: the later one would take the other with it.
    let packages = Digest::of("others");
    session.send(FromAgent::PackagesChanged { packages }).await;
    let noted = session.next().await;
    assert!(
        matches!(noted, Some(ToAgent::PackagesNoted { .. })),
        "{noted:?}"
    );
    drop(session);

    // A coordinator that can read them has both.
    let mut again = bench.session("web-1").await;
    assert_eq!(acknowledged(again.next().await), 1);
    say(&again, incarnation, &[2, 3]).await;
    // One word may be for both.
    while acknowledged(again.next().await) < 3 {}
    drop(again);
    bench.stop().await;
}

#[tokio::test]
async fn what_a_later_region_says_costs_that_message_and_not_its_link() {
    let bench = Bench::apart().await;
    let (outbound, mut inbound) = links::link(&bench).await;
    let later = v1::FromRegion { message: None };
    outbound.send(later).await.expect("the link is open");
    // What follows is taken in all the same.
    let copy = v1::CopyPart {
        part: 5,
        of: 2,
        body: Vec::new(),
    };
    let message = Some(from_region::Message::Copy(copy));
    let wrong = v1::FromRegion { message };
    for _ in 0..2 {
        let said = inbound.message().await.expect("a link that holds");
        assert!(said.is_some(), "it ended");
        outbound
            .send(links::sign_of_life())
            .await
            .expect("the link is open");
    }
    outbound.send(wrong).await.expect("the link is open");
    while let Ok(Some(_)) = inbound.message().await {}
    bench.stop().await;
}
