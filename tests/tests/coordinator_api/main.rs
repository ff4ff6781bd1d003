//! What the coordinator's two services refuse, and what they answer.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests unwrap as tests do, and clippy knows only the latter"
)]
#![cfg(test)]

mod amended;
mod artefacts;
mod bench;
mod cord;
mod declared;
mod enrolled;
mod installed;
mod links;
mod queries;
mod skew;

use bench::{Bench, Session, hello, host, name};
use cofferdam_engine::{
    denial::Scope,
    digest::Digest,
    failure::{Failure, FailureKind},
    identity::Identity,
    patch::LockedPackage,
};
use cofferdam_proto::{
    operator::{
        Action, ChangeRequest, ForgetHostRequest, HostView, PlanReply, PlanRequest, RolloutRequest,
        RolloutState, RolloutView, StartRequest,
    },
    session::{FromAgent, SimulatedPackage, ToAgent},
    v1::{self, agent_client::AgentClient, operator_client::OperatorClient},
};
use cofferdam_tests::patience::eventually;
use std::time::Duration;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tonic::{Code, transport::Channel};

const PACKAGES: &str = r#"
name = "openssl"
[patch]
kind = "packages"
packages = { openssl = "latest" }
[select]
match = 'service == "web"'
[[limits]]
floor = [{ group_by = ["service", "zone"], min_in_service = "0%" }]
"#;

fn noop(rollout: &str) -> String {
    PACKAGES
        .replace("\"openssl\"\n", &format!("\"{rollout}\"\n"))
        .replace(
            "kind = \"packages\"\npackages = { openssl = \"latest\" }",
            "kind = \"noop\"",
        )
}

fn plan_request(spec_text: &str) -> v1::PlanRequest {
    let request = PlanRequest {
        file_name: "rollout.toml".to_owned(),
        spec_text: spec_text.to_owned(),
        lock_text: None,
        advisory: None,
    };
    request.into()
}

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

async fn start(operator: &mut OperatorClient<Channel>, spec_text: &str) -> RolloutView {
    let reply = operator.plan(plan_request(spec_text)).await.unwrap();
    let reply = PlanReply::try_from(reply.into_inner()).unwrap();
    let request = StartRequest {
        file_name: "rollout.toml".to_owned(),
        spec_text: spec_text.to_owned(),
        lock_text: reply.lock_text,
        signed: None,
    };
    let view = operator
        .start(v1::StartRequest::from(request))
        .await
        .unwrap();
    view.into_inner().try_into().unwrap()
}

async fn hosts(operator: &mut OperatorClient<Channel>) -> Vec<HostView> {
    let mut stream = operator
        .hosts(v1::HostsRequest {})
        .await
        .unwrap()
        .into_inner();
    let mut hosts = Vec::new();
    while let Some(host) = stream.message().await.unwrap() {
        hosts.push(HostView::try_from(host).unwrap());
    }
    hosts
}

/// The number of the simulation that a host is asked for.
async fn asked_to_simulate(session: &mut Session) -> u64 {
    loop {
        if let Some(ToAgent::Simulate { request, .. }) = session.next().await {
            return request;
        }
    }
}

#[tokio::test]
async fn each_service_takes_its_own_callers_alone() {
    let bench = Bench::start().await;

    let as_agent = bench.channel(&Identity::Agent(host("web-1"))).await;
    let refused = OperatorClient::new(as_agent).list(v1::ListRequest {}).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");

    let as_operator = bench.channel(&Identity::Operator(name("ana"))).await;
    let refused = Session::open(&mut AgentClient::new(as_operator), hello("web-1")).await;
    assert_eq!(refused.err().unwrap().code(), Code::PermissionDenied);
    bench.stop().await;
}

#[tokio::test]
async fn an_agent_speaks_for_its_own_host_alone() {
    let bench = Bench::start().await;

    let refused = Session::open(&mut bench.agent("web-1").await, hello("web-2")).await;

    let refused = refused.err().unwrap();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(refused.message(), "agent/web-1 cannot speak for host web-2");
    assert!(hosts(&mut bench.operator().await).await.is_empty());
    bench.stop().await;
}

#[tokio::test]
async fn a_host_that_no_cell_can_hold_is_told_why() {
    let bench = Bench::start().await;
    let mut elsewhere = hello("web-1");
    elsewhere
        .labels
        .insert("region".to_owned(), "r9".to_owned());
    let mut nowhere = hello("web-1");
    nowhere.labels.remove("zone");

    for (hello, expected) in [
        (elsewhere, "does not serve region `r9`"),
        (nowhere, "`zone`"),
    ] {
        let refused = Session::open(&mut bench.agent("web-1").await, hello).await;
        let refused = refused.err().unwrap();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.message().contains(expected), "{refused}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_newer_session_of_a_host_ends_the_older() {
    let bench = Bench::start().await;
    let mut older = bench.session("web-1").await;
    let mut newer = bench.session("web-1").await;

    while older.next().await.is_some() {}

    assert!(matches!(
        newer.next().await,
        Some(ToAgent::Acknowledge { .. })
    ));
    bench.stop().await;
}

#[tokio::test]
async fn a_silent_session_is_closed_and_its_host_not_connected() {
    for bench in Bench::both().await {
        let mut silent = bench.session("web-1").await;
        let mut operator = bench.operator().await;
        assert!(hosts(&mut operator).await[0].connected_since_ms.is_some());

        silent.fall_silent();
        while silent.next().await.is_some() {}

        eventually("the host to be away", PATIENCE, async || {
            match hosts(&mut operator).await[0].connected_since_ms {
                None => Ok(()),
                Some(_) => Err("it is connected".to_owned()),
            }
        })
        .await;
        bench.stop().await;
    }
}

#[tokio::test]
async fn garbage_on_the_port_disturbs_nobody() {
    let bench = Bench::start().await;
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xff; 4096],
        b"\x16\x03\x01\x02\x00\x01",
    ] {
        let mut socket = TcpStream::connect(bench.address).await.unwrap();
        socket.write_all(garbage).await.unwrap();
    }

    bench.session("web-1").await;

    assert_eq!(hosts(&mut bench.operator().await).await.len(), 1);
    bench.stop().await;
}

#[tokio::test]
async fn every_mistake_of_a_rollout_file_is_told_at_once() {
    let bench = Bench::start().await;
    let mut operator = bench.operator().await;

    let refused = operator
        .plan(plan_request("naem = 1\n[patch]\nkind = \"nop\"\n"))
        .await;

    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    for expected in ["rollout.toml:1:1: unknown key \"naem\"", "rollout.toml:3:"] {
        assert!(refused.message().contains(expected), "{refused}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn one_agent_a_platform_says_which_bits_a_lock_file_names() {
    for bench in Bench::both().await {
        let mut session = bench.session("web-1").await;
        let mut operator = bench.operator().await;
        let agent = tokio::spawn(async move {
            let request = asked_to_simulate(&mut session).await;
            let locked = LockedPackage {
                name: "openssl".to_owned(),
                version: "3.0.2".to_owned(),
                sha256: Digest::of("openssl"),
                size: 7,
            };
            let installed = Some("3.0.1".to_owned());
            let result = Ok(vec![SimulatedPackage {
                installed,
                locked,
                needed_by: Vec::new(),
            }]);
            session.send(FromAgent::Simulated { request, result }).await;
            session
        });

        let reply = operator.plan(plan_request(PACKAGES)).await.unwrap();

        let reply = PlanReply::try_from(reply.into_inner()).unwrap();
        assert!(
            reply.lock_text.contains("version = \"3.0.2\""),
            "{}",
            reply.lock_text
        );
        assert_eq!(
            reply.plan.waves.iter().map(|wave| wave.hosts).sum::<u64>(),
            1
        );
        agent.await.unwrap();
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_package_that_is_not_to_be_had_is_told_with_host_and_platform() {
    let bench = Bench::start().await;
    let mut session = bench.session("web-1").await;
    let mut operator = bench.operator().await;
    let agent = tokio::spawn(async move {
        let request = asked_to_simulate(&mut session).await;
        let failure = Failure::new(FailureKind::NotFound, "no package openssl");
        let result = Err(failure);
        session.send(FromAgent::Simulated { request, result }).await;
        session
    });

    let refused = operator.plan(plan_request(PACKAGES)).await.unwrap_err();

    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(
        refused.message(),
        "host web-1 cannot install that on debian-12/amd64: not-found: no package openssl"
    );
    agent.await.unwrap();
    bench.stop().await;
}

#[tokio::test]
async fn a_platform_without_a_connected_agent_is_named() {
    for bench in Bench::both().await {
        let mut session = bench.session("web-1").await;
        let mut operator = bench.operator().await;
        session.fall_silent();
        while session.next().await.is_some() {}

        let refused = operator.plan(plan_request(PACKAGES)).await.unwrap_err();

        assert_eq!(refused.code(), Code::Unavailable);
        assert!(refused.message().contains("debian-12/amd64"), "{refused}");
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_rollout_is_started_once_watched_to_its_end_and_explained() {
    for bench in Bench::both().await {
        let _session = bench.session("web-1").await;
        let mut operator = bench.operator().await;
        let rollout = name("practice");
        let view = start(&mut operator, &noop("practice")).await;
        assert_eq!(view.state, RolloutState::Running);

        let request = RolloutRequest { rollout };
        let watched = operator
            .watch(v1::WatchRequest::from(request.clone()))
            .await;
        let mut watched = watched.unwrap().into_inner();
        let change = ChangeRequest {
            rollout: request.rollout.clone(),
            action: Action::Abort,
            reason: "a test".to_owned(),
            reach: Scope::default(),
        };
        operator
            .change(v1::ChangeRequest::from(change.clone()))
            .await
            .unwrap();
        let mut last = None;
        while let Some(view) = watched.message().await.unwrap() {
            last = Some(RolloutView::try_from(view).unwrap());
        }
        assert_eq!(last.unwrap().state, RolloutState::Aborted);

        let late = operator
            .change(v1::ChangeRequest::from(change))
            .await
            .unwrap_err();
        assert_eq!(late.code(), Code::FailedPrecondition);
        for subject in ["practice", "r1-a-1", "web-1"] {
            let request = v1::ExplainRequest {
                subject: subject.to_owned(),
            };
            let explained = operator.explain(request).await.unwrap().into_inner();
            assert_eq!(explained.subject, subject);
        }
        let listed = operator
            .list(v1::ListRequest {})
            .await
            .unwrap()
            .into_inner();
        assert_eq!(listed.rollouts.len(), 1);
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_name_and_a_subject_are_taken_once() {
    let bench = Bench::start().await;
    let _session = bench.session("web-1").await;
    let mut operator = bench.operator().await;
    let file = noop("practice");
    start(&mut operator, &file).await;
    let reply = operator
        .plan(plan_request(&file))
        .await
        .unwrap()
        .into_inner();

    let again = StartRequest {
        file_name: "rollout.toml".to_owned(),
        spec_text: file,
        lock_text: reply.lock_text,
        signed: None,
    };
    let refused = operator
        .start(v1::StartRequest::from(again))
        .await
        .unwrap_err();

    assert_eq!(refused.code(), Code::AlreadyExists);
    assert!(refused.message().contains("practice"), "{refused}");
    bench.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    for bench in Bench::both().await {
        let mut operator = bench.operator().await;
        let status = v1::StatusRequest {
            rollout: "nothing".to_owned(),
        };
        let explain = v1::ExplainRequest {
            subject: "nothing".to_owned(),
        };
        let forget = ForgetHostRequest {
            host: host("nothing"),
            force: false,
        };

        let refusals = [
            operator.status(status).await.err().unwrap(),
            operator.explain(explain).await.err().unwrap(),
            operator
                .forget_host(v1::ForgetHostRequest::from(forget))
                .await
                .err()
                .unwrap(),
        ];

        for refused in refusals {
            assert_eq!(refused.code(), Code::NotFound, "{refused}");
            assert!(refused.message().contains("nothing"), "{refused}");
        }
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_host_is_forgotten_only_when_it_is_away() {
    for bench in Bench::both().await {
        let mut session = bench.session("web-1").await;
        let mut operator = bench.operator().await;
        let request = || v1::ForgetHostRequest {
            host: "web-1".to_owned(),
            force: false,
        };

        let refused = operator.forget_host(request()).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        session.fall_silent();
        while session.next().await.is_some() {}
        eventually("the host to be forgotten", PATIENCE, async || {
            let forgotten = operator.forget_host(request()).await;
            forgotten.map_err(|refused| refused.to_string())
        })
        .await;

        assert!(hosts(&mut operator).await.is_empty());
        bench.stop().await;
    }
}
