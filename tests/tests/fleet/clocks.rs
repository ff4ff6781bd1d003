//! Clocks that somebody sets, on whichever process.

use cofferdam_engine::{
    id::{HostId, Region},
    identity::Identity,
};
use cofferdam_proto::operator::{RolloutState, RolloutView};
use cofferdam_tests::{
    evidence, faked_clock,
    fleet::Fleet,
    machine::Machine,
    patience::eventually,
    pki::Validity,
    process::{Process, run},
    rollout::{self, ALL_AT_ONCE},
};
use std::{fs, path::PathBuf, process::Command, time::Duration};

/// A few runs of some seconds each, on a busy machine.
const WITHIN: Duration = Duration::from_secs(120);

/// What a coordinator says of its clock once it has looked.
const SET: &str = "the system's clock was set";

/// A region, its control plane and its agents, each with a clock of its own.
struct Clocks {
    fleet: Fleet,
    control: Option<Process>,
}

impl Clocks {
    /// Starts all of them, with clocks that are right. Nothing where clocks cannot be set.
    async fn start() -> Option<Self> {
        let library = faked_clock::library()?;
        let mut fleet = Fleet::lay_out(Machine::several(4));
        fleet.site.take_apart();
        fleet.site.fake_clocks(library);
        for config in configs(&fleet) {
            fleet.site.set_clock(&config, "+0");
        }
        // In the place of those that hold by any clock.
        for identity in identities(&fleet) {
            let authority = &fleet.site.authority;
            authority.issue_with(&identity, Validity::Briefly);
        }
        let control = None;
        let mut clocks = Self { fleet, control };
        clocks.start_control();
        clocks.fleet.start_all().await;
        Some(clocks)
    }

    /// Sets the clocks of the region, the control plane and one agent.
    fn set(&self, host: &HostId, to: &str) {
        let site = &self.fleet.site;
        for config in [
            site.coordinator_config(),
            site.control_config(),
            site.agent_config(host),
        ] {
            site.set_clock(&config, to);
        }
    }

    /// Kills the same three, and starts them again in the same boot.
    fn restart(&mut self, host: &HostId) {
        self.control.take().expect("it was started").kill();
        self.start_control();
        self.fleet.kill_coordinator();
        self.fleet.start_coordinator(None);
        self.fleet.kill_agent(host);
        self.fleet.start_agent(host, None);
    }

    fn start_control(&mut self) {
        let site = &self.fleet.site;
        self.control = Some(Process::start(site.control(), &site.control_log()));
    }

    /// Waits until both coordinators have said so many times that their clocks were set.
    async fn say_that_they_were_set(&self, times: usize) {
        let site = &self.fleet.site;
        for log in [site.control_log(), site.coordinator_log()] {
            eventually(SET, WITHIN, async || {
                let text = fs::read_to_string(&log).unwrap_or_default();
                let said = text.matches(SET).count() == times;
                said.then_some(()).ok_or(text)
            })
            .await;
        }
        let mut curl = Command::new("curl");
        curl.arg("--silent")
            .arg(format!("http://{}/healthz", site.http));
        let (_, health) = run(curl);
        assert!(health.contains("\"status\":\"warn\""), "{health}");
    }

    /// Asks for the explanation of a host until it says how far the coordinator's clock was set.
    async fn explain_that_it_was_set(&mut self, host: &HostId, told: &str) {
        let operator = self.fleet.operator().await;
        eventually("explain to tell of the clock", WITHIN, async || {
            let explained = operator.explain(host.as_str()).await;
            let facts = explained.map_err(|error| format!("{error:?}"))?.facts;
            let mut clocks = facts.iter().filter(|fact| fact.key == "clock");
            let is_told = clocks.any(|fact| fact.value.contains(told));
            is_told.then_some(()).ok_or_else(|| format!("{facts:?}"))
        })
        .await;
    }

    fn finish(self) {
        let log = self.fleet.site.control_log();
        drop(self.control);
        evidence::assert_calm(&[log], &[]);
        self.fleet.finish();
    }
}

/// Those whose clocks are set, and who dial them.
fn identities(fleet: &Fleet) -> Vec<Identity> {
    let region = Region::new("r1").expect("a good name");
    let agents = fleet.hosts().into_iter().map(Identity::Agent);
    let coordinators = [Identity::Control, Identity::Coordinator(region)];
    coordinators.into_iter().chain(agents).collect()
}

fn configs(fleet: &Fleet) -> Vec<PathBuf> {
    let site = &fleet.site;
    let agents = fleet.hosts();
    let agents = agents.iter().map(|host| site.agent_config(host));
    let coordinators = [site.coordinator_config(), site.control_config()];
    coordinators.into_iter().chain(agents).collect()
}

/// Nobody was lost: every host passed.
fn assert_all_passed(view: &RolloutView) {
    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    let wave = &view.waves[0];
    let lost = wave.failed + wave.timed_out + wave.unreachable + wave.left_out + wave.rolled_back;
    assert_eq!((wave.passed, lost), (4, 0), "{view:#?}");
}

#[tokio::test]
async fn clocks_that_are_set_in_mid_rollout_cost_no_host_also_where_their_processes_start_again() {
    let Some(mut clocks) = Clocks::start().await else {
        return;
    };
    let steps = [("forward", "+3d", "ahead of"), ("back", "-2h", "behind")];
    for (times, (name, step, told)) in (1..).zip(steps) {
        let text =
            rollout::noop(name, "").replacen("stable_for = \"10ms\"", "stable_for = \"3s\"", 1)
                + ALL_AT_ONCE;
        let rollout = clocks.fleet.start_rollout(name, &text).await;
        let is_at_work = |view: &RolloutView| view.waves[0].running > 0;
        clocks
            .fleet
            .until("hosts to be at work", &rollout, WITHIN, is_at_work)
            .await;
        let host = clocks.fleet.hosts().remove(0);

        clocks.set(&host, step);
        clocks.restart(&host);
        clocks.say_that_they_were_set(times).await;
        clocks.explain_that_it_was_set(&host, told).await;
        let view = clocks.fleet.end_of(&rollout, WITHIN).await;

        assert_all_passed(&view);
        clocks.set(&host, "+0");
        clocks.fleet.in_service().await;
    }
    clocks.finish();
}
