//! Queries of hosts: who is asked, who is waited for, and how they end.

use crate::{
    PATIENCE,
    bench::{Bench, Session, host},
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    query::Answer,
};
use cofferdam_proto::{
    operator::{MatchedHost, QueryAnswer, QueryRequest, QuerySummary},
    session::{FromAgent, ToAgent},
    v1::{self, operator_client::OperatorClient},
};
use std::time::Duration;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming, transport::Channel};

type Stream = Streaming<v1::QueryAnswer>;

async fn ask(
    operator: &mut OperatorClient<Channel>,
    text: &str,
    within: Duration,
) -> Result<Stream, Status> {
    let text = text.to_owned();
    let request = v1::QueryRequest::from(QueryRequest { text, within });
    Ok(operator.query(request).await?.into_inner())
}

/// What comes next, or nothing at the end.
async fn next(answers: &mut Stream) -> Option<QueryAnswer> {
    let next = timeout(PATIENCE, answers.message()).await;
    let answer = next.expect("an answer or the end").unwrap()?;
    Some(QueryAnswer::try_from(answer).unwrap())
}

async fn summary(answers: &mut Stream) -> QuerySummary {
    let next = next(answers).await;
    let Some(QueryAnswer::Summary(summary)) = next else {
        panic!("the summary is expected: {next:?}");
    };
    summary
}

/// The number and the text of the query that a host is asked.
async fn asked(session: &mut Session) -> (u64, String) {
    loop {
        let message = session.next().await.expect("a message");
        if let ToAgent::Query { request, text, .. } = message {
            return (request, text);
        }
    }
}

async fn answer(session: &Session, request: u64, result: Result<Answer, Failure>) {
    session.send(FromAgent::Queried { request, result }).await;
}

fn yes(evidence: &str) -> Result<Answer, Failure> {
    let (holds, evidence) = (true, evidence.to_owned());
    Ok(Answer { holds, evidence })
}

fn matched(name: &str, evidence: &str) -> Option<QueryAnswer> {
    let (host, evidence) = (host(name), evidence.to_owned());
    Some(QueryAnswer::Matched(MatchedHost { host, evidence }))
}

#[tokio::test]
async fn answers_come_as_hosts_give_them_and_the_silent_are_named_at_the_end() {
    for bench in Bench::both().await {
        let mut quick = bench.session("web-1").await;
        let mut slow = bench.session("web-2").await;
        // One of an earlier release passes over what it does not know.
        let _old = bench.session("web-3").await;
        let mut operator = bench.operator().await;
        let text = r#"host != "web-4" and package openssl < 3.0.15"#;

        let mut answers = ask(&mut operator, text, Duration::from_secs(3))
            .await
            .unwrap();

        let (request, text) = asked(&mut quick).await;
        assert_eq!(text, "package openssl < 3.0.15");
        answer(&quick, request, yes("openssl 3.0.13-1")).await;
        let first = next(&mut answers).await;
        assert_eq!(first, matched("web-1", "openssl 3.0.13-1"));

        let (request, _) = asked(&mut slow).await;
        // Nobody answers for another, or twice.
        answer(&quick, request, yes("")).await;
        let failure = Failure::new(FailureKind::PackageManager, "no database");
        answer(&slow, request, Err(failure.clone())).await;
        let Some(QueryAnswer::Failed(failed)) = next(&mut answers).await else {
            panic!("a host that failed is expected");
        };
        assert_eq!((failed.host, failed.failure), (host("web-2"), failure));

        let end = summary(&mut answers).await;
        let expected = QuerySummary {
            matched: 1,
            failed: 1,
            silent: vec![host("web-3")],
            ..QuerySummary::default()
        };
        assert_eq!(end, expected);
        assert_eq!(next(&mut answers).await, None);
        bench.stop().await;
    }
}

#[tokio::test]
async fn hosts_whose_labels_decide_are_not_asked_and_lost_sessions_end_the_wait() {
    for bench in Bench::both().await {
        let mut leaving = bench.session("web-1").await;
        let _known = bench.session("web-2").await;
        let mut gone = bench.session("web-3").await;
        gone.fall_silent();
        while gone.next().await.is_some() {}
        let mut operator = bench.operator().await;
        let text = r#"host == "web-2" or unit nginx failed"#;

        // Far longer than the test waits.
        let mut answers = ask(&mut operator, text, PATIENCE * 3).await.unwrap();

        assert_eq!(next(&mut answers).await, matched("web-2", ""));
        let (_, text) = asked(&mut leaving).await;
        assert_eq!(text, "unit nginx.service failed");
        leaving.fall_silent();
        let expected = QuerySummary {
            matched: 1,
            matched_by_labels: 1,
            offline: vec![host("web-3")],
            silent: vec![host("web-1")],
            ..QuerySummary::default()
        };
        assert_eq!(summary(&mut answers).await, expected);
        bench.stop().await;
    }
}

#[tokio::test]
async fn there_is_room_for_a_few_queries_at_once_and_one_that_nobody_reads_gives_its_up() {
    let bench = Bench::start().await;
    let _silent = bench.session("web-1").await;
    let mut operator = bench.operator().await;
    let mut under_way = Vec::new();
    let refused = loop {
        match ask(&mut operator, "package a", PATIENCE * 3).await {
            Ok(answers) => under_way.push(answers),
            Err(refused) => break refused,
        }
        assert!(under_way.len() < 100, "nobody is refused");
    };
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let said = format!(
        "{} queries are under way: ask again when one is over",
        under_way.len()
    );
    assert_eq!(refused.message(), said);

    under_way.pop();

    cofferdam_tests::patience::eventually("room for another query", PATIENCE, async || {
        let asked = ask(&mut operator, "package a", PATIENCE).await;
        asked.map(|_| ()).map_err(|refused| refused.to_string())
    })
    .await;
    bench.stop().await;
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused_with_its_place() {
    let bench = Bench::start().await;
    let mut operator = bench.operator().await;
    let refused = ask(&mut operator, "package a and", PATIENCE).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused.message().starts_with("at character 14: "),
        "{refused}"
    );

    let spec = crate::PACKAGES.replace("'service == \"web\"'", "'package a < 2'");
    let refused = operator.plan(crate::plan_request(&spec)).await.unwrap_err();
    assert!(
        refused.message().contains("`cofferdam query` asks hosts"),
        "{refused}"
    );
    bench.stop().await;
}
