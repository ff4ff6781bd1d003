//! Disks without room: nothing half done, and all goes on when there is room again.

use cofferdam_engine::run::{Ending, RunState};
use cofferdam_proto::operator::RolloutState;
use cofferdam_tests::{
    evidence,
    fleet::Fleet,
    machine::Machine,
    patience::eventually,
    process::run,
    rollout::{self, ALL_AT_ONCE},
    small_disk::SmallDisk,
};
use std::{fs, time::Duration};

const WITHIN: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_agent_without_room_ends_the_run_it_has_and_takes_the_next_one_back() {
    let mut fleet = Fleet::lay_out(Machine::neighbours(2));
    let host = fleet.hosts().remove(0);
    let state = fleet.site.agent_folder(&host, "state");
    let Some(disk) = SmallDisk::over(&state, 2) else {
        return;
    };
    fleet.expect_error("the disk is full");
    fleet.start_all().await;

    let text = rollout::noop("during", "first_answer = \"2s\"");
    let text = text.replace("stable_for = \"10ms\"", "stable_for = \"2s\"") + ALL_AT_ONCE;
    let during = fleet.start_rollout("during", &text).await;
    let operator = fleet.operator().await;
    eventually("the host to be in its run", WITHIN, async || {
        let hosts = operator.hosts().await.map_err(|error| error.to_string())?;
        let state = hosts[0].run.as_ref().map(|run| run.state);
        let verifies = (state == Some(RunState::Verifying)).then_some(());
        verifies.ok_or_else(|| format!("{state:?}"))
    })
    .await;
    disk.fill();
    let view = fleet.end_of(&during, WITHIN).await;
    assert_eq!(view.waves[0].passed, 2, "{view:#?}");
    // What the run no longer needs at its end has left room for another one.
    disk.fill();
    assert_eq!(patched(&mut fleet, "full").await, 1);
    disk.free();
    assert_eq!(patched(&mut fleet, "free").await, 2);

    fleet.in_service().await;
    let site = fleet.finish();
    for told in evidence::orders(&site.journal(&host)).values() {
        let safe = match told.rollout.as_str() {
            "full" => Ending::RolledBack,
            _ => Ending::Patched,
        };
        assert_eq!(told.ending(), Some(safe), "{told:#?}");
    }
}

#[tokio::test]
async fn a_coordinator_without_room_says_so_and_goes_on_from_what_it_stored() {
    let mut fleet = Fleet::lay_out(Machine::neighbours(2));
    let data = fleet.site.coordinator_data();
    let Some(disk) = SmallDisk::over(&data, 32) else {
        return;
    };
    fleet.start_all().await;
    assert_eq!(patched(&mut fleet, "before").await, 2);

    disk.fill();
    let file = fleet.site.path().join("full.toml");
    fs::write(&file, rollout::noop("full", "") + ALL_AT_ONCE).unwrap();
    let told = |subcommand| {
        let mut command = fleet.site.command();
        command.arg(subcommand).arg(&file);
        run(command)
    };
    assert_eq!(told("plan").0, 0);
    let (code, printed) = told("start");
    assert_eq!(code, 1, "{printed}");
    let ended = fleet.coordinator().wait(WITHIN);
    assert_eq!(ended.code(), Some(1));
    let said = fleet.coordinator().log();
    assert!(said.contains("No space left on device"), "{said}");

    disk.free();
    fleet.start_coordinator(None);
    fleet.in_service().await;
    let operator = fleet.operator().await;
    let known = operator.list().await.unwrap();
    assert_eq!(
        known.last().map(|line| line.state),
        Some(RolloutState::Done)
    );
    assert_eq!(patched(&mut fleet, "after").await, 2);
    fleet.finish();
}

/// How many hosts a rollout patches.
async fn patched(fleet: &mut Fleet, name: &str) -> u64 {
    let text = rollout::noop(name, "") + ALL_AT_ONCE;
    let rollout = fleet.start_rollout(name, &text).await;
    let view = fleet.end_of(&rollout, WITHIN).await;
    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    view.waves[0].passed
}
