//! Processes that die at each write of what they must not forget.
//!
//! Each case starts a small fleet, lets one process die at its n-th write or sync, starts it again
//! as a unit does, and wants the same end as if nothing had happened: every host patched, by one
//! order that changed anything, and in service.

use cofferdam::demo::repository::{PACKAGE, Release};
use cofferdam_proto::operator::RolloutState;
use cofferdam_tests::{
    deadly::{Death, When},
    debian::Debian,
    evidence,
    fleet::Fleet,
    machine::Machine,
    rollout::{self, CANARY_FIRST},
    size::Size,
};
use std::time::Duration;

/// Enough for a canary and a second wave.
const HOSTS: usize = 2;

/// A run's journal and a rollout's store have more writes than this, or the shim counts the wrong
/// file.
const FEWEST_WRITES: u32 = 15;

/// A restarted coordinator listens to its hosts first, and a lost session is noticed after 3 s.
const WITHIN: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_agent_that_dies_at_a_write_of_its_journal_ends_its_run_right() {
    let file = "/state/journal";
    for when in [When::Lost, When::Before, When::After] {
        sweep(Size::asked().pick(5, 1), async |at| {
            run(None, Some(Death { file, at, when })).await
        })
        .await;
    }
}

#[tokio::test]
async fn a_coordinator_that_dies_at_a_write_of_its_store_ends_its_rollout_right() {
    let file = "/sled/db";
    for when in [When::Before, When::After] {
        sweep(Size::asked().pick(11, 1), async |at| {
            run(Some(Death { file, at, when }), None).await
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_dies_at_a_write_of_its_state_installs_a_package_once() {
    let file = "/state/";
    for when in [When::Before, When::After] {
        sweep(Size::asked().pick(37, 1), async |at| {
            run_packages(Death { file, at, when }).await
        })
        .await;
    }
}

/// Whether a process died in a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Died,
    Lived,
}

/// Tries each `step`-th write, until the process lives on because there are no more.
async fn sweep(step: usize, mut case: impl AsyncFnMut(u32) -> Victim) {
    for at in (1..).step_by(step) {
        if case(at).await == Victim::Lived {
            assert!(at > FEWEST_WRITES, "only {at} writes were made");
            return;
        }
    }
}

/// One rollout that changes nothing, during which the coordinator or the first agent may die.
async fn run(coordinator: Option<Death>, first_agent: Option<Death>) -> Victim {
    eprintln!("coordinator {coordinator:?}, first agent {first_agent:?}");
    let mut fleet = Fleet::lay_out(Machine::neighbours(HOSTS));
    start(&mut fleet, coordinator, first_agent).await;
    patch(&mut fleet, &rollout::noop("kills", "")).await;
    victim(fleet)
}

/// One rollout of a package, during which the first agent may die.
async fn run_packages(first_agent: Death) -> Victim {
    eprintln!("first agent {first_agent:?}");
    let (debian, mut fleet) = Debian::fleet(Machine::neighbours(HOSTS)).await;
    start(&mut fleet, None, Some(first_agent)).await;
    patch(&mut fleet, &rollout::package("kills", PACKAGE, "latest")).await;
    for host in fleet.hosts() {
        assert_eq!(debian.unpacked(&host, Release::Second), 1, "{host}");
    }
    victim(fleet)
}

async fn start(fleet: &mut Fleet, coordinator: Option<Death>, first_agent: Option<Death>) {
    fleet.restart_the_dead();
    fleet.start_coordinator(coordinator);
    let mut death = first_agent;
    for host in fleet.hosts() {
        fleet.start_agent(&host, death.take());
    }
    fleet.in_service().await;
}

/// Patches every host, and wants the end to be as if nobody had died.
async fn patch(fleet: &mut Fleet, file: &str) {
    let text = file.to_owned() + CANARY_FIRST;
    let rollout = fleet.start_rollout("kills", &text).await;
    let view = fleet.end_of(&rollout, WITHIN).await;

    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    fleet.in_service().await;
    for host in fleet.hosts() {
        evidence::assert_patched_once(&fleet.site, &host);
    }
}

fn victim(fleet: Fleet) -> Victim {
    let deaths = fleet.deaths();
    fleet.finish();
    match deaths {
        0 => Victim::Lived,
        _ => Victim::Died,
    }
}
