//! Amendments that are refused, each with why.

use crate::{
    bench::{Bench, name},
    start,
};
use cofferdam_engine::denial::Scope;
use cofferdam_proto::{
    operator::{Action, ChangeRequest},
    v1,
};
use tonic::Code;

#[tokio::test]
async fn a_rollout_gives_no_host_away_that_it_has_not_or_when_it_is_over() {
    let bench = Bench::start().await;
    let mut operator = bench.operator().await;
    let sessions = [bench.session("web-1").await, bench.session("web-2").await];
    let spec = |rollout: &str, host: &str| {
        format!(
            "name = \"{rollout}\"\n[patch]\nkind = \"noop\"\n\
             [select]\nmatch = 'host == \"{host}\"'\n\
             [[limits]]\nfloor = [{{ min_in_service = \"0%\" }}]\n"
        )
    };
    let amend = |host: &str| v1::AmendRequest {
        rollout: "practice".to_owned(),
        file_name: "variant.toml".to_owned(),
        spec_text: spec("variant", host),
        lock_text: None,
        reason: String::new(),
        seen: None,
        signed: None,
    };
    start(&mut operator, &spec("practice", "web-1")).await;

    let stranger = operator.amend(amend("web-2")).await.unwrap_err();
    assert_eq!(stranger.code(), Code::InvalidArgument);
    assert!(
        stranger.message().ends_with("and 1 are not of practice"),
        "{stranger}"
    );

    let abort = ChangeRequest {
        rollout: name("practice"),
        action: Action::Abort,
        reason: String::new(),
        reach: Scope::default(),
    };
    let abort = v1::ChangeRequest::from(abort);
    operator.change(abort).await.unwrap();
    let over = operator.amend(amend("web-1")).await.unwrap_err();
    assert_eq!(over.code(), Code::FailedPrecondition);
    assert!(
        over.message().starts_with("rollout practice is abort"),
        "{over}"
    );
    drop(sessions);
    bench.stop().await;
}
