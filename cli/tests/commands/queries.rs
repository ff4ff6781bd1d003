//! `cofferdam query`: answers as they come, what they come to, and the exit code.

use crate::{coordinator::Script, lab::Lab};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    id::HostId,
};
use cofferdam_proto::operator::{FailedHost, MatchedHost, QueryAnswer, QuerySummary};

fn host(name: &str) -> HostId {
    HostId::new(name).unwrap()
}

fn matched() -> QueryAnswer {
    QueryAnswer::Matched(MatchedHost {
        host: host("web-1"),
        evidence: "openssl 3.0.13-1".to_owned(),
    })
}

fn failed() -> QueryAnswer {
    QueryAnswer::Failed(FailedHost {
        host: host("web-2"),
        failure: Failure::new(FailureKind::Locked, "busy"),
    })
}

fn summary(matched: u64, failed: u64, silent: &[&str]) -> QueryAnswer {
    QueryAnswer::Summary(QuerySummary {
        matched,
        not_matched: 2,
        failed,
        silent: silent.iter().map(|name| host(name)).collect(),
        ..QuerySummary::default()
    })
}

fn lab(answers: Vec<QueryAnswer>) -> Lab {
    Lab::new(Script {
        answers,
        ..Script::default()
    })
}

#[test]
fn hosts_that_match_are_shown_with_what_they_found_and_the_others_are_counted() {
    let lab = lab(vec![matched(), failed(), summary(1, 1, &["web-3"])]);

    let ran = lab.run("query unit --within 2s");

    assert_eq!(
        ran.out,
        "web-1: openssl 3.0.13-1\n\
         1 matches, 2 do not, 1 failed, 1 did not answer: web-3 (silent)\n\
         failed: web-2: locked: busy\n",
        "{}",
        ran.err
    );
    assert_eq!(ran.code, 0);
    assert_eq!(lab.asked(), ["query unit in 2000 ms"]);

    let lines = lab.run("query unit -o json").out;
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["answer"], "matched");
    assert_eq!(lines[0]["evidence"], "openssl 3.0.13-1");
    assert_eq!(lines[1]["failure"]["kind"], "locked");
    assert_eq!(lines[2]["answer"], "summary");
    assert_eq!(lines[2]["silent"][0], "web-3");
}

#[test]
fn the_exit_code_tells_that_none_matches_from_that_nobody_knows() {
    for (answers, code) in [
        (vec![summary(1, 0, &["web-3"])], 0),
        (vec![summary(0, 0, &[])], 3),
        (vec![summary(0, 0, &["web-3"])], 1),
        (vec![summary(0, 1, &[])], 1),
    ] {
        let ran = lab(answers).run("query unit");
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    }
    let cut = lab(vec![matched()]).run("query unit");
    assert_eq!(cut.code, 1);
    assert!(
        cut.err.contains("ended it before its summary"),
        "{}",
        cut.err
    );
}
