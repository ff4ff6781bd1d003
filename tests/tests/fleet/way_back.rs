//! Rollouts upon rollouts of one real package, taken back newest first.

use cofferdam::demo::repository::{PACKAGE, Release};
use cofferdam_engine::{denial::Scope, id::RolloutId};
use cofferdam_proto::operator::{Action, ChangeRequest, RolloutState};
use cofferdam_tests::{
    debian::Debian,
    fleet::Fleet,
    machine::Machine,
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
    let older = patch(&debian, &mut fleet, "older", Release::Second).await;
    let newer = patch(&debian, &mut fleet, "newer", Release::Third).await;
    debian.close();

    take_back(&mut fleet, &newer).await;
    all_have(&debian, &fleet, Release::Second).await;
    take_back(&mut fleet, &older).await;
    all_have(&debian, &fleet, Release::First).await;
    fleet.finish();
}
