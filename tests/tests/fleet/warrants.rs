//! Hosts that want the control plane's word, in the split form and under a coordinator that cannot give it.

use cofferdam_engine::{
    id::{HostId, Region},
    identity::Identity,
};
use cofferdam_proto::operator::{RolloutState, WaveView};
use cofferdam_tests::{
    fleet::Fleet,
    machine::Machine,
    pki::{Credentials, TRUST_DOMAIN},
    ports,
    process::Process,
    rollout::{self, ALL_AT_ONCE, CANARY_FIRST},
};
use std::{fs, time::Duration};

const WITHIN: Duration = Duration::from_secs(60);

/// Has a host's agent want the control plane's word.
fn demand(fleet: &Fleet, host: &HostId) {
    configure(fleet, host, |text| {
        format!("warrants = \"required\"\n{text}")
    });
}

fn configure(fleet: &Fleet, host: &HostId, change: impl Fn(&str) -> String) {
    let config = fleet.site.agent_config(host);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(config, change(&text)).unwrap();
}

fn replace(text: &str, from: &Credentials, to: &Credentials) -> String {
    let from = [&from.cert, &from.key].map(|path| path.display().to_string());
    let to = [&to.cert, &to.key].map(|path| path.display().to_string());
    text.replace(&from[0], &to[0]).replace(&from[1], &to[1])
}

/// Makes a fleet's coordinator the control plane, and starts the coordinator of its region beside it, which
/// the agents dial.
fn split(fleet: &Fleet) -> Process {
    let site = &fleet.site;
    let region = Identity::Coordinator(Region::new("r1").unwrap());
    let (own, control) = (
        site.authority.issue(&region),
        site.authority.issue(&Identity::Control),
    );
    let config = site.coordinator_config();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        format!("role = \"control\"\n{}", replace(&text, &own, &control)),
    )
    .unwrap();

    let (listen, http) = (ports::free(), ports::free());
    let data = site.path().join("region");
    let text = format!(
        "role = \"region\"\nregion = \"r1\"\ncontrol = [\"{}\"]\nlisten = \"{listen}\"\nhttp = \"{http}\"\n\
         heartbeat = \"1s\"\ndata_dir = \"{}\"\ntrust_domain = \"{TRUST_DOMAIN}\"\ncert = \"{}\"\nkey = \"{}\"\n\
         ca = \"{}\"\n",
        site.listen,
        data.display(),
        own.cert.display(),
        own.key.display(),
        own.ca.display(),
    );
    let config = site.path().join("region.toml");
    fs::write(&config, text).unwrap();
    for host in fleet.hosts() {
        let (control, region) = (site.listen.to_string(), listen.to_string());
        configure(fleet, &host, |text| text.replace(&control, &region));
    }
    let command = site.told("cofferdam-coordinator", "run", &config);
    Process::start(command, &site.path().join("region.log"))
}

fn counts(wave: &WaveView) -> (usize, usize) {
    let count = |count| usize::try_from(count).unwrap();
    (count(wave.passed), count(wave.left_out))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_of_its_own_hands_on_what_the_control_plane_signed() {
    let mut fleet = Fleet::lay_out(Machine::several(5));
    let region = split(&fleet);
    for host in fleet.hosts() {
        demand(&fleet, &host);
    }
    fleet.start_all().await;
    let text = rollout::noop("granted", "") + CANARY_FIRST;

    let rollout = fleet.start_rollout("granted", &text).await;

    let view = fleet.end_of(&rollout, WITHIN).await;
    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    let passed: usize = view.waves.iter().map(|wave| counts(wave).0).sum();
    assert_eq!(passed, 5, "{view:#?}");
    assert!(!region.log().contains("ERROR"), "{}", region.log());
    fleet.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_wants_a_signed_warrant_takes_no_order_of_a_coordinator_alone() {
    let mut fleet = Fleet::lay_out(Machine::neighbours(2));
    let wary = fleet.hosts()[0].clone();
    demand(&fleet, &wary);
    fleet.start_all().await;
    let text = rollout::noop("unsigned", "hosts_left_out = \"50%\"") + ALL_AT_ONCE;

    let rollout = fleet.start_rollout("unsigned", &text).await;

    let view = fleet.end_of(&rollout, WITHIN).await;
    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    assert_eq!(counts(&view.waves[0]), (1, 1), "{view:#?}");
    let why = "not-signed: the control plane signed no warrant for it";
    let says = |line: &String| line.contains(why) && line.contains(wary.as_str());
    assert!(view.warnings.iter().any(says), "{view:#?}");
    fleet.in_service().await;
    fleet.finish();
}
