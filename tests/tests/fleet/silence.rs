//! Hosts that do not answer.

use cofferdam_engine::run::RunState;
use cofferdam_proto::operator::RolloutState;
use cofferdam_tests::{
    fleet::Fleet,
    machine::Machine,
    patience::eventually,
    rollout::{self, ALL_AT_ONCE, CANARY_FIRST},
};
use std::time::Duration;

/// The coordinator's margin for others' clocks is 10 s; the rest is the rollout's own deadlines.
const PAST_EVERY_DEADLINE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_host_that_falls_silent_in_its_run_is_a_casualty_and_the_rest_goes_on() {
    let mut fleet = Fleet::start(Machine::several(8)).await;
    let short =
        "drain_deadline = \"1s\"\nclaim_wait = \"1s\"\nlate_deadline = \"3s\"\nstable_for = \"2s\"";
    let text =
        rollout::noop("silent", short).replacen("stable_for = \"10ms\"\n", "", 1) + ALL_AT_ONCE;

    let rollout = fleet.start_rollout("silent", &text).await;
    let operator = fleet.operator().await;
    let victim = eventually("a host to be in its run", PAST_EVERY_DEADLINE, || async {
        let hosts = operator
            .hosts()
            .await
            .map_err(|error| format!("{error:#}"))?;
        let verifies = |run: &cofferdam_proto::operator::RunView| run.state == RunState::Verifying;
        let found = hosts
            .into_iter()
            .find(|host| host.run.as_ref().is_some_and(verifies));
        found
            .map(|host| host.host)
            .ok_or_else(|| "none is".to_owned())
    })
    .await;
    fleet.agent(&victim).freeze();
    let view = fleet.end_of(&rollout, PAST_EVERY_DEADLINE).await;

    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    let wave = &view.waves[0];
    assert_eq!(
        (wave.passed, wave.failed, wave.timed_out),
        (7, 0, 1),
        "{view:#?}"
    );
    assert_eq!(view.failures[0].hosts, std::slice::from_ref(&victim));

    fleet.agent(&victim).thaw();
    fleet.in_service().await;
    fleet.finish();
}

#[tokio::test]
async fn a_host_that_is_away_from_the_start_is_left_out_and_the_rest_goes_on() {
    let mut fleet = Fleet::start(Machine::several(8)).await;
    let away = fleet.hosts().remove(5);
    fleet.agent(&away).freeze();
    let text = rollout::noop("away", "start_by = \"1s\"\nclaim_wait = \"1s\"") + CANARY_FIRST;

    let rollout = fleet.start_rollout("away", &text).await;
    let view = fleet.end_of(&rollout, PAST_EVERY_DEADLINE).await;

    let passed: u64 = view.waves.iter().map(|wave| wave.passed).sum();
    let unreachable: u64 = view.waves.iter().map(|wave| wave.unreachable).sum();
    assert_eq!((passed, unreachable), (7, 1), "{view:#?}");
    fleet.agent(&away).thaw();
    fleet.finish();
}
