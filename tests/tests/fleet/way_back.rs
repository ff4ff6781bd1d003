//! Rollouts upon rollouts of one real package, taken back newest first, and what plans between them
//! know of it.

use cofferdam::demo::repository::{PACKAGE, Release};
use cofferdam_engine::{denial::Scope, id::RolloutId, time::Timestamp};
use cofferdam_proto::operator::{Action, ChangeRequest, PlanRequest, RolloutState};
use cofferdam_tests::{
    debian::Debian,
    fleet::Fleet,
    machine::Machine,
    patience::eventually,
    rollout::{self, ALL_AT_ONCE},
};
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(60);

/// Patches every host to a release, to the rollout's end.
async fn patch(debian: &Debian, fleet: &mut Fleet, name: &str, to: Release) -> RolloutId {
    let text = rollout::package(name, PACKAGE, to.version()) + ALL_AT_ONCE;
    let rollout = fleet.start_rollout(name, &text).await;
    let view = fleet.end_of(&rollout, WITHIN).await;
    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    all_have(debian, fleet, to).await;
    rollout
}

/// Takes a rollout back, to its end.
async fn take_back(fleet: &mut Fleet, rollout: &RolloutId) {
    let operator = fleet.operator().await;
    let request = ChangeRequest {
        rollout: rollout.clone(),
        action: Action::Rollback,
        reason: "a test".to_owned(),
        reach: Scope::Host,
    };
    operator.change(request).await.unwrap();
    let view = fleet.end_of(rollout, WITHIN).await;
    assert_eq!(view.state, RolloutState::RolledBack, "{view:#?}");
}

/// Waits until a plan to a release says which one it replaces on every host.
async fn plan_replaces(fleet: &mut Fleet, to: Release, from: Release) {
    let operator = fleet.operator().await;
    let text = rollout::package("plan", PACKAGE, to.version()) + ALL_AT_ONCE;
    eventually("the plan to know what is installed", WITHIN, async || {
        let plan = operator.plan(PlanRequest {
            file_name: "plan.toml".to_owned(),
            spec_text: text.clone(),
            lock_text: None,
            advisory: None,
        });
        let changes = plan
            .await
            .map_err(|error| format!("{error:?}"))?
            .plan
            .changes;
        let package = &changes[0].packages[0];
        let is_known = package.from == [from.version()] && package.replaced == changes[0].hosts;
        is_known.then_some(()).ok_or(format!("{changes:#?}"))
    })
    .await;
}

/// Since when each host has its session.
async fn sessions(fleet: &mut Fleet) -> Vec<Option<Timestamp>> {
    let hosts = fleet.operator().await.hosts().await.unwrap();
    hosts.iter().map(|host| host.connected_since_ms).collect()
}

async fn all_have(debian: &Debian, fleet: &Fleet, release: Release) {
    for host in fleet.hosts() {
        assert_eq!(debian.installed(&host).await, release.version(), "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rollouts_of_a_package_are_taken_back_one_after_the_other() {
    let (mut debian, mut fleet) = Debian::fleet(Machine::neighbours(2)).await;
    debian.publish(Release::Third).await;
    fleet.start_all().await;
    let sessions_before = sessions(&mut fleet).await;
    let older = patch(&debian, &mut fleet, "older", Release::Second).await;
    plan_replaces(&mut fleet, Release::Third, Release::Second).await;
    let newer = patch(&debian, &mut fleet, "newer", Release::Third).await;

    take_back(&mut fleet, &newer).await;
    all_have(&debian, &fleet, Release::Second).await;
    plan_replaces(&mut fleet, Release::First, Release::Second).await;
    assert_eq!(sessions(&mut fleet).await, sessions_before);
    debian.close();
    take_back(&mut fleet, &older).await;
    all_have(&debian, &fleet, Release::First).await;
    fleet.finish();
}
