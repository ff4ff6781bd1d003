mod aftermath;
mod changed;
mod guard;
mod region;

use super::{cluster, *};
use cofferdam_engine::{
    calendar::Calendar,
    denial::{Named, Place, Scope},
    digest::Digest,
    failure::{Failure, FailureKind},
    fleet::FleetEvent,
    hold::{Reason, Subject},
    id::{CellId, Generation, HostId, Incarnation, OperatorId, OwnerEpoch, RolloutId},
    inventory::{Facts, Host, PackageSet, Platform},
    patch::{LockFile, Locked},
    plan::{Plan, PlanInput},
    rollout::{Action, End, RolloutEvent},
    spec::Spec,
    warrant::{Change, FailedEnd, LeftOutCause, Outcome, Summary},
};
use cofferdam_proto::operator::{RolloutState, SubjectKind, WaveState, WaveView};
use std::time::Duration;

fn host(number: u32) -> HostId {
    HostId::new(format!("web-{number}")).unwrap()
}

fn name() -> RolloutId {
    RolloutId::new("practice").unwrap()
}

fn hold(subject: Subject, reason: Reason, since: u64) -> Hold {
    let since = Timestamp(since);
    Hold {
        subject,
        reason,
        since,
    }
}

fn held_host(number: u32, reason: Reason, since: u64) -> Hold {
    let subject = Subject::Host {
        rollout: name(),
        host: host(number),
    };
    hold(subject, reason, since)
}

/// A fleet of connected hosts of one cell, and a practice rollout of two waves that just started.
fn fleet(hosts: u32) -> Fleet {
    fleet_in(hosts, &["a"])
}

/// The same, round these zones.
fn fleet_in(hosts: u32, zones: &[&str]) -> Fleet {
    let mut fleet = connected(hosts, zones);
    let plan = plan_with(zones.len(), &fleet);
    start(&mut fleet, plan);
    fleet
}

/// Connected hosts, round these zones.
fn connected(hosts: u32, zones: &[&str]) -> Fleet {
    let mut fleet = Fleet::default();
    let epoch = OwnerEpoch(1);
    apply(&mut fleet, FleetEvent::OwnerStarted { epoch });
    for (number, zone) in (0..hosts).zip(zones.iter().cycle()) {
        let hello = Box::new(hello(number, zone));
        apply(&mut fleet, FleetEvent::HostConnected { hello });
    }
    fleet
}

fn start(fleet: &mut Fleet, plan: Plan) {
    let event = FleetEvent::RolloutStarted {
        plan: Box::new(plan),
        by: OperatorId::new("ana").unwrap(),
    };
    apply(fleet, event);
}

/// What a host of a zone says first.
fn hello(number: u32, zone: &str) -> cofferdam_engine::cell::Hello {
    let labels = [("region", "r1"), ("zone", zone), ("service", "web")];
    cofferdam_engine::cell::Hello {
        host: Host {
            id: host(number),
            labels: labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            facts: Facts {
                platform: Platform {
                    os_release: "debian-12".to_owned(),
                    architecture: "amd64".to_owned(),
                },
                kernel: "6.1".to_owned(),
                packages: PackageSet::default().digest(),
            }
            .into(),
        },
        incarnation: Incarnation(7),
        boot_id: "boot".to_owned(),
        version: "1.0".to_owned(),
        in_service: true,
        detail: String::new(),
        open: None,
        newest: None,
    }
}

fn plan_of(fleet: &Fleet) -> Plan {
    plan_with(1, fleet)
}

/// The same with so many hosts in the canary.
fn plan_with(canary: usize, fleet: &Fleet) -> Plan {
    let file = "name = \"practice\"\n[patch]\nkind = \"noop\"\n[select]\nmatch = 'service == \"web\"'\n\
                [[wave]]\nname = \"canary\"\nhosts = 1\n[[wave]]\nname = \"full\"\nto = \"100%\"\n";
    let lock = LockFile {
        rollout: "practice".to_owned(),
        content: Locked::Noop,
    };
    let file = file.replace("hosts = 1", &format!("hosts = {canary}"));
    plan_from(&file, &lock, fleet)
}

fn plan_from(file: &str, lock: &LockFile, fleet: &Fleet) -> Plan {
    let input = PlanInput {
        hosts: &fleet.inventory(),
        cells: fleet.homes(),
        package_sets: fleet.package_sets(),
        denials: fleet.denials(),
        casualties: &fleet.casualties(),
        unready: &fleet.unready(),
        now: Timestamp(1000),
        services: fleet.services(),
        calendar: &Calendar::default(),
    };
    Plan::make(&Spec::parse("practice.toml", file).unwrap(), lock, &input).unwrap()
}

fn apply(fleet: &mut Fleet, event: FleetEvent) {
    fleet.apply(&event, Timestamp(1000)).unwrap();
}

fn situation<'a>(fleet: &'a Fleet, kept: &'a Holds) -> Situation<'a> {
    let now = Timestamp(2000);
    let step = None;
    Situation {
        fleet,
        kept,
        step,
        now,
    }
}

#[test]
fn a_clock_that_was_set_is_told_of_whatever_is_asked_for_but_of_no_rollout_that_is_over() {
    let mut fleet = fleet(2);
    let kept = Holds::default();
    let told = "the coordinator's clock was set: the system's clock is 72h ahead of the time that this process counts by, \
                and windows, freezes and deadlines go by";
    fn set<'a>(fleet: &'a Fleet, kept: &'a Holds) -> Situation<'a> {
        Situation {
            step: Some(WallStep::Ahead(Duration::from_secs(72 * 3600))),
            ..situation(fleet, kept)
        }
    }
    let warns = |fleet: &Fleet| {
        let view = rollout(set(fleet, &kept), &name()).unwrap();
        view.warnings.iter().any(|line| line == told)
    };
    assert!(warns(&fleet));
    for subject in ["practice", "r1-a-1", "web-1"] {
        let facts = explain(set(&fleet, &kept), subject).unwrap().facts;
        let mut clocks = facts.iter().filter(|fact| fact.key == "clock");
        assert_eq!(clocks.next().unwrap().value, told, "{subject}");
        let right = explain(situation(&fleet, &kept), subject).unwrap().facts;
        assert!(right.iter().all(|fact| fact.key != "clock"), "{subject}");
    }

    let asked = RolloutEvent::Asked {
        action: Action::Abort,
        by: OperatorId::new("ana").unwrap(),
        reason: String::new(),
        reach: Scope::default(),
    };
    for event in [asked, RolloutEvent::Ended { end: End::Aborted }] {
        let rollout = name();
        apply(&mut fleet, FleetEvent::Rollout { rollout, event });
    }
    assert!(!warns(&fleet));
}

#[test]
fn hosts_held_for_one_reason_are_one_line() {
    let holds = [
        held_host(1, Reason::Staging { after: None }, 900),
        held_host(2, Reason::Unreachable, 800),
        held_host(3, Reason::Staging { after: None }, 700),
    ];

    let lines = cluster::holds(&Fleet::default(), holds.iter());

    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].subject, "rollout practice: 2 hosts");
    assert_eq!(lines[0].hosts, 2);
    assert_eq!(lines[0].since_ms, Timestamp(700), "since the first of them");
    assert_eq!(lines[1].subject, "rollout practice host web-2");
    assert_eq!(lines[1].rule, "unreachable");
}

#[test]
fn a_rollout_that_began_shows_its_waves() {
    let fleet = fleet(4);

    let view = rollout(situation(&fleet, &Holds::known([])), &name()).unwrap();

    assert_eq!(view.state, RolloutState::Running);
    assert_eq!(view.hosts, 4);
    let waves: Vec<_> = view
        .waves
        .iter()
        .map(|wave| (wave.name.as_str(), wave.state, wave.hosts))
        .collect();
    let expected = [
        ("canary", WaveState::Running, 1),
        ("full", WaveState::Pending, 3),
    ];
    assert_eq!(waves, expected);
    assert_eq!(view.started_at_ms, Some(Timestamp(1000)));
    assert_eq!(view.ended_at_ms, None);
}

/// Tells a rollout of nine hosts how each of eight stands, every one otherwise.
pub(crate) fn every_outcome() -> Fleet {
    let mut fleet = fleet(9);
    let failed = |kind| Outcome::Failed {
        failure: Failure::new(kind, "x"),
        end: FailedEnd::RolledBack,
    };
    let left_out = |cause| Outcome::LeftOut {
        reason: "x".to_owned(),
        cause,
    };
    let outcomes = [
        Outcome::Running,
        Outcome::Passed,
        failed(FailureKind::Unhealthy),
        failed(FailureKind::TimedOut),
        left_out(LeftOutCause::Unreachable),
        left_out(LeftOutCause::Other),
        Outcome::Skipped {
            by: OperatorId::new("ana").unwrap(),
            reason: String::new(),
            change: Change::NotBegun,
        },
        Outcome::RolledBack,
    ];
    let rollout = name();
    let cell = fleet.cells().keys().next().cloned().unwrap();
    let summary = Summary {
        rollout: rollout.clone(),
        cell,
        epoch: OwnerEpoch(1),
        revision: 1,
        generation: Generation(0),
        changed: (0..).map(host).zip(outcomes).collect(),
        braked: None,
    };
    let event = RolloutEvent::Summarised { summary };
    apply(&mut fleet, FleetEvent::Rollout { rollout, event });
    fleet
}

#[test]
fn a_rollout_counts_each_kind_of_outcome_apart() {
    let fleet = every_outcome();

    let view = rollout(situation(&fleet, &Holds::known([])), &name()).unwrap();

    let sum = |count: fn(&WaveView) -> u64| view.waves.iter().map(count).sum::<u64>();
    let counts = [
        sum(|wave| wave.running),
        sum(|wave| wave.passed),
        sum(|wave| wave.failed),
        sum(|wave| wave.timed_out),
        sum(|wave| wave.unreachable),
        sum(|wave| wave.left_out),
        sum(|wave| wave.skipped),
        sum(|wave| wave.rolled_back),
    ];
    assert_eq!(counts, [1; 8]);
    let line = rollout_line(&fleet.rollouts()[&name()]);
    assert_eq!((line.passed, line.failed), (1, 2), "timed out is failed");
}

#[test]
fn a_plan_shows_each_stratum_and_what_floors_allow() {
    let plan = plan_of(&fleet(20));

    let view = super::plan(&plan, plan.rollout_digest, &[], &["noted".to_owned()]);

    assert_eq!(view.warnings[0], "noted");
    assert_eq!(view.waves.len(), 2);
    let kernel = view
        .coverage
        .strata
        .iter()
        .find(|s| s.stratum == "kernel=6.1");
    let kernel = kernel.unwrap();
    assert_eq!((kernel.hosts, kernel.in_canary), (20, 1));
    assert_eq!(view.coverage.groups[0].group, "service=web zone=r1/a");
    assert_eq!(view.coverage.groups[0].may_be_out, 2, "90 % of 20 stay");
}

#[test]
fn floors_of_a_region_are_shown_beside_those_of_its_zones() {
    let plan = plan_with(2, &fleet_in(20, &["a", "b"]));

    let view = super::plan(&plan, plan.rollout_digest, &[], &[]);

    let groups = view.coverage.groups.iter();
    let groups: Vec<_> = groups
        .map(|group| (group.group.as_str(), group.members, group.may_be_out))
        .collect();
    assert_eq!(
        groups,
        [
            ("service=web zone=r1/a", 10, 1),
            ("service=web zone=r1/b", 10, 1),
            ("service=web region=r1", 20, 2),
        ]
    );
}

#[test]
fn a_host_is_explained_by_what_holds_it_first() {
    let fleet = fleet(4);
    let wave = Subject::Wave {
        rollout: name(),
        wave: cofferdam_engine::id::WaveIndex(0),
    };
    let slices = hold(wave, Reason::Slices { done: 0, of: 1 }, 1000);
    let staging = held_host(1, Reason::Staging { after: None }, 1500);
    let holds = Holds::known([slices, staging]);

    let own = explain(situation(&fleet, &holds), "web-1").unwrap();
    let inherited = explain(situation(&fleet, &holds), "web-2").unwrap();

    assert_eq!(own.kind, SubjectKind::Host);
    assert_eq!(own.headline, "waits: the host is still staging its bits");
    assert_eq!(inherited.headline, "waits: 0 of 1 hosts are over");
    assert_eq!(inherited.lines[0].subject, "rollout practice wave canary");
}

#[test]
fn a_rollouts_headline_is_the_cause_not_the_waiting_for_it() {
    let fleet = fleet(4);
    let rollout = Subject::Rollout { rollout: name() };
    let slices = hold(rollout.clone(), Reason::Slices { done: 0, of: 1 }, 1000);
    let until = Timestamp(9000);
    let settle = hold(rollout, Reason::Settle { until }, 1500);
    let holds = Holds::known([slices, settle]);

    let explained = explain(situation(&fleet, &holds), "practice").unwrap();

    let cause = "running: the coordinator just started and hears its hosts";
    assert_eq!(explained.headline, cause);
    assert_eq!(explained.lines[1].until_ms, Some(until));
}

#[test]
fn a_wave_ends_as_its_rollout_does() {
    let ends = [
        (Action::Abort, WaveState::Stopped),
        (Action::Rollback, WaveState::RolledBack),
    ];
    for (action, expected) in ends {
        let mut fleet = fleet(4);
        let end = match action {
            Action::Rollback => End::RolledBack,
            Action::Pause | Action::Resume | Action::Abort => End::Aborted,
        };
        let by = OperatorId::new("ana").unwrap();
        let asked = RolloutEvent::Asked {
            action,
            by,
            reason: "slow queries".to_owned(),
            reach: Scope::default(),
        };
        for event in [asked, RolloutEvent::Ended { end }] {
            let rollout = name();
            apply(&mut fleet, FleetEvent::Rollout { rollout, event });
        }

        let view = rollout(situation(&fleet, &Holds::known([])), &name()).unwrap();

        let states = view.waves.iter().map(|wave| wave.state);
        assert!(states.eq([expected, WaveState::Pending]));
        assert!(view.reason.ends_with(" by ana: slow queries"));
    }
}

#[test]
fn a_cell_is_explained_by_who_is_out() {
    let fleet = fleet(4);
    let cell: &CellId = fleet.cells().keys().next().unwrap();

    let explained = explain(situation(&fleet, &Holds::known([])), cell.as_str()).unwrap();

    assert_eq!(explained.kind, SubjectKind::Cell);
    assert_eq!(explained.headline, "0 of 4 hosts are out");
}

#[test]
fn what_nothing_is_called_is_not_explained() {
    for subject in ["nothing", "", "../x"] {
        assert_eq!(
            explain(situation(&fleet(2), &Holds::known([])), subject),
            None
        );
    }
}

#[test]
fn hosts_stand_in_order_of_their_names() {
    let fleet = fleet(12);
    let views = hosts(situation(&fleet, &Holds::known([])));
    assert_eq!(views.len(), 12);
    assert!(views.is_sorted_by_key(|view| view.host.clone()));
    assert_eq!(views[0].connected_since_ms, Some(Timestamp(1000)));
}

#[test]
fn a_host_is_explained_with_what_is_denied_to_it() {
    let mut fleet = fleet(2);
    let digest = Digest::of("bits");
    let denied = FleetEvent::Denied {
        named: Named::Digest { digest },
        place: Place::Host { host: host(1) },
        by: OperatorId::new("ana").unwrap(),
        reason: "it hangs".to_owned(),
    };
    apply(&mut fleet, denied);
    let denials = |name: &str| -> Vec<String> {
        let facts = explain(situation(&fleet, &Holds::known([])), name)
            .unwrap()
            .facts;
        let facts = facts.into_iter().filter(|fact| fact.key == "denied");
        facts.map(|fact| fact.value).collect()
    };
    let expected = format!("{digest} for host web-1: denied by ana: it hangs");
    assert_eq!(denials("web-1"), [expected]);
    assert_eq!(denials("web-0"), [""; 0]);
}
