//! A query of a large fleet: what it holds in memory, and who is counted.

use super::*;
use crate::{api::query::Desk, tasks::tasks};
use cofferdam_engine::query::Answer;
use cofferdam_proto::operator::{QueryAnswer, QueryRequest, QuerySummary};
use std::{env, fs, time::Duration};
use tokio_stream::StreamExt as _;

/// As many hosts as the design has; `make test` takes a tenth.
const FLEET: usize = 25_000;

/// One host in so many answers not at all.
const SILENT: usize = 500;

/// The most bytes that a query holds for each host that it asks: its name and the question where they wait,
/// in the books of who is waited for, and an answer that was not handed on yet. Measured at 25,000 hosts: 0.3 KB.
const BYTES_A_HOST: usize = 2048;

fn fleet() -> usize {
    match env::var_os("COFFERDAM_SOAK") {
        Some(_) => FLEET,
        None => FLEET / 10,
    }
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[tokio::test]
async fn a_query_of_a_whole_fleet_streams_within_bounds_and_counts_every_host_once() {
    let bench = start(MemoryStore::on(&MemoryDisk::default())).await;
    let mut sessions = bench.connect_fleet().await;
    let (tasks, _joiner) = tasks();
    let desk = Desk::new(bench.handle.clone(), tasks, bench.sign.watch());
    let request = QueryRequest {
        text: "package openssl < 3.0.15".to_owned(),
        within: Duration::from_secs(30),
    };
    let before = resident();

    let by = OperatorId::new("ana").unwrap();
    let mut answers = desk.ask(by, request).await.unwrap();

    // The operator reads nothing yet, and all answer.
    bench.answer_all(&mut sessions).await;
    let held = resident().saturating_sub(before);
    // What tests beside this one take is little only beside a whole fleet.
    let is_judged = fleet() == FLEET;
    assert!(
        !is_judged || held < BYTES_A_HOST * FLEET,
        "{held} bytes are held"
    );
    // Those who say nothing are lost then, and nobody waits for the end of its time.
    for (host, number, _) in sessions.iter().step_by(SILENT) {
        bench.handle.closed(host.clone(), *number).await;
    }
    let mut matched = 0;
    let summary = loop {
        let answer = answers.next().await.unwrap().unwrap();
        match QueryAnswer::try_from(answer).unwrap() {
            QueryAnswer::Matched(_) => matched += 1,
            QueryAnswer::Failed(failed) => panic!("{failed:?}"),
            QueryAnswer::Summary(summary) => break summary,
        }
    };
    let silent = fleet().div_ceil(SILENT);
    let expected = QuerySummary {
        matched: (fleet() / 2 - silent) as u64,
        not_matched: (fleet() / 2) as u64,
        silent: sessions
            .iter()
            .step_by(SILENT)
            .map(|(host, ..)| host.clone())
            .collect(),
        ..QuerySummary::default()
    };
    assert_eq!((matched, summary), (expected.matched, expected));
    bench.stop().await.unwrap();
}

/// A host, its session, and what it is told.
type Connected = (HostId, SessionNumber, mpsc::Receiver<ToAgent>);

impl Bench {
    async fn connect_fleet(&self) -> Vec<Connected> {
        let hello = hello("web");
        let mut sessions = Vec::new();
        for number in 0..fleet() {
            let host = host(&format!("web-{number:05}"));
            let hello = Hello {
                host: host.clone(),
                ..hello.clone()
            };
            let (outbound, _, messages) = ends();
            let number = self.handle.next_session();
            let opened = self.handle.opened(hello, number, outbound).await;
            opened.unwrap().unwrap();
            sessions.push((host, number, messages));
        }
        sessions
    }

    /// Lets all answer but one in [`SILENT`].
    async fn answer_all(&self, sessions: &mut [Connected]) {
        for (place, (host, number, messages)) in sessions.iter_mut().enumerate() {
            let request = loop {
                let message = messages.recv().await.unwrap();
                if let ToAgent::Query { request, .. } = message {
                    break request;
                }
            };
            if place % SILENT == 0 {
                continue;
            }
            let result = Ok(Answer {
                holds: place % 2 == 0,
                evidence: "openssl 3.0.13-1~deb12u1".to_owned(),
            });
            let said = Said::Queried { request, result };
            self.handle.said(host, *number, said).await.unwrap();
        }
    }
}
