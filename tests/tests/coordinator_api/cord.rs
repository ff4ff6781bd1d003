//! The cord, where control plane and region are one process and where they are two.

use crate::{
    PATIENCE,
    bench::{Bench, name},
    noop, start,
};
use cofferdam_engine::{cord::Span, identity::Identity, time::Timestamp};
use cofferdam_proto::{
    operator::{CordRequest, CordView, PulledCord, RolloutRequest, RolloutView},
    session::ToAgent,
    v1::{self, operator_client::OperatorClient},
};
use cofferdam_tests::patience::eventually;
use tonic::{Code, transport::Channel};

type Operator = OperatorClient<Channel>;

fn why() -> CordRequest {
    CordRequest {
        reason: "smoke".to_owned(),
    }
}

async fn pull(operator: &mut Operator) -> CordView {
    let asked = v1::PullCordRequest::from(why());
    let pulled = operator.pull_cord(asked).await.unwrap();
    CordView::try_from(pulled.into_inner()).unwrap()
}

async fn release(operator: &mut Operator) -> Result<CordView, tonic::Status> {
    let asked = v1::ReleaseCordRequest::from(why());
    let released = operator.release_cord(asked).await?;
    Ok(CordView::try_from(released.into_inner()).unwrap())
}

async fn status(operator: &mut Operator) -> RolloutView {
    let rollout = name("practice");
    let request = v1::StatusRequest::from(RolloutRequest { rollout });
    let view = operator.status(request).await.unwrap();
    view.into_inner().try_into().unwrap()
}

/// What is pulled, with no moments.
fn without_moments(shown: CordView) -> Vec<PulledCord> {
    let at_ms = Timestamp(0);
    let pulled = shown.pulled.into_iter();
    pulled.map(|cord| PulledCord { at_ms, ..cord }).collect()
}

/// Waits until just these are shown.
async fn until_pulled(operator: &mut Operator, pulled: &[PulledCord]) {
    eventually("the control plane to show it", PATIENCE, async || {
        let shown = operator.show_cord(v1::ShowCordRequest {}).await.unwrap();
        let shown = CordView::try_from(shown.into_inner()).unwrap();
        let shown = without_moments(shown);
        let is_shown = shown == pulled;
        is_shown.then_some(()).ok_or_else(|| format!("{shown:?}"))
    })
    .await;
}

#[tokio::test]
async fn the_cord_holds_a_rollout_until_it_is_released() {
    for bench in Bench::both().await {
        let mut operator = bench.operator().await;
        let mut session = bench.session("web-1").await;
        let refused = release(&mut operator).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");

        let pulled = pull(&mut operator).await;
        assert_eq!(pulled.pulled[0].by, name("ana"));
        assert_eq!(pulled.pulled[0].span, Span::Fleet);
        assert!(pulled.untold.is_empty(), "{pulled:?}");
        start(&mut operator, &noop("practice")).await;
        let held = status(&mut operator).await;
        let mut holds = held.holds.iter().map(|hold| hold.reason.as_str());
        let pulled = "the cord was pulled by ana (smoke)";
        assert!(holds.any(|reason| reason == pulled), "{held:?}");

        let released = release(&mut operator).await.unwrap();
        assert!(released.pulled.is_empty());
        while !matches!(session.next().await, Some(ToAgent::Stage { .. })) {}
        drop(session);
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_region_that_is_away_is_listed_with_the_hosts_that_it_may_still_start() {
    let mut bench = Bench::apart().await;
    let mut session = bench.session("web-1").await;
    let mut operator = bench.operator().await;
    start(&mut operator, &noop("practice")).await;
    while !matches!(session.next().await, Some(ToAgent::Stage { .. })) {}
    bench.stop_region().await;

    let pulled = pull(&mut operator).await;
    let [away] = pulled.untold.as_slice() else {
        panic!("one region is away: {pulled:?}");
    };
    assert_eq!((&away.region, away.hosts_at_risk), (&name("r1"), 1));
    assert!(away.until_ms > Some(pulled.pulled[0].at_ms), "{away:?}");
    bench.stop().await;
}

#[tokio::test]
async fn a_region_has_a_cord_of_its_own_that_its_control_plane_shows() {
    let bench = Bench::apart().await;
    let session = bench.session("web-1").await;
    let mut operator = bench.operator().await;
    start(&mut operator, &noop("practice")).await;
    let ben = bench.channel(&Identity::Operator(name("ben"))).await;
    let mut at_region = OperatorClient::new(ben);
    pull(&mut at_region).await;

    let own = PulledCord {
        by: name("ben"),
        reason: "smoke".to_owned(),
        span: Span::Region,
        region: Some(name("r1")),
        at_ms: Timestamp(0),
    };
    until_pulled(&mut operator, std::slice::from_ref(&own)).await;
    let unheard = status(&mut operator).await.warnings;
    assert!(!unheard.iter().any(|line| line.contains("stays stopped")));
    // Beside the fleet's it is shown as well, and what stays stopped when that is released.
    let pulled = pull(&mut operator).await;
    let of_fleet = PulledCord {
        by: name("ana"),
        span: Span::Fleet,
        region: None,
        ..own.clone()
    };
    assert_eq!(without_moments(pulled), [of_fleet.clone(), own.clone()]);
    let told = "when the fleet's cord is released r1 stays stopped: the region's own cord was pulled by ben (smoke), \
                and is released there";
    let warnings = status(&mut operator).await.warnings;
    assert!(warnings.iter().any(|line| line == told), "{warnings:?}");
    let released = release(&mut operator).await.unwrap();
    assert_eq!(without_moments(released), [own]);
    pull(&mut operator).await;

    release(&mut at_region).await.unwrap();
    until_pulled(&mut operator, &[of_fleet]).await;
    let refused = release(&mut at_region).await.unwrap_err();
    assert!(
        refused.message().contains("at the control plane"),
        "{refused}"
    );
    release(&mut operator).await.unwrap();
    drop(session);
    bench.stop().await;
}
