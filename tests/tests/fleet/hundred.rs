//! A hundred agents, as a hundred processes, go through one rollout.

use cofferdam_engine::run::Ending;
use cofferdam_proto::operator::RolloutState;
use cofferdam_tests::{
    evidence,
    fleet::Fleet,
    machine::Machine,
    rollout::{self, CANARY_FIRST},
};
use std::time::Duration;

const HOSTS: usize = 100;

#[tokio::test]
async fn a_hundred_agents_are_patched_once_each() {
    let mut fleet = Fleet::start(Machine::several(HOSTS)).await;
    let text = rollout::noop("hundred", "") + CANARY_FIRST;

    let rollout = fleet.start_rollout("hundred", &text).await;
    let view = fleet.end_of(&rollout, Duration::from_secs(90)).await;

    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    let passed: u64 = view.waves.iter().map(|wave| wave.passed).sum();
    assert_eq!(passed, 100);
    let hosts = fleet.hosts();
    let site = fleet.finish();
    for host in hosts {
        let told = evidence::orders(&site.journal(&host));
        let endings: Vec<_> = told.values().map(|told| told.ending()).collect();
        assert_eq!(endings, [Some(Ending::Patched)], "{host}");
    }
}
