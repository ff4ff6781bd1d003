//! What guards see reaches the operator: at once, once, and a person who takes a host is in its ledger.

use cofferdam_agent::{
    guard::{
        asker::{Asker, Process},
        decision::Decision,
        events::{self, Try, What},
        manifest::{FORMAT, Manifest, Written},
        places::Places,
        settings::{GuardSettings, Mode},
    },
    host::root::Root,
};
use cofferdam_engine::{digest::Digest, guard::GuardMode, id::HostId};
use cofferdam_proto::operator::{GuardView, HostView, RolloutState};
use cofferdam_tests::{
    fleet::Fleet,
    machine::Machine,
    patience::eventually,
    process::run,
    rollout::{self, ALL_AT_ONCE},
    usage::page,
};
use std::{fs, time::Duration};

/// Less than the minute after which a guard would be looked at anyway.
const AT_ONCE: Duration = Duration::from_secs(30);

/// A session that was cut is dialled again, and much that happened meanwhile is told piece by piece.
const CAUGHT_UP: Duration = Duration::from_secs(120);

/// The one drop-in of a guard that was never installed by its command, which takes a whole machine.
const DROP_IN: &str = "etc/drop-in";

fn places(fleet: &Fleet, host: &HostId) -> Places {
    let folder = |name| fleet.site.agent_folder(host, name);
    Places::new(&folder("state"), &folder("run"))
}

/// Takes one channel of a host, and enforces.
fn install(fleet: &Fleet, host: &HostId) {
    let places = places(fleet, host);
    let root = Root::new(fleet.site.agent_folder(host, "root")).unwrap();
    fs::write(root.join(DROP_IN), "ask").unwrap();
    let manifest = Manifest {
        format: FORMAT,
        settings: GuardSettings {
            mode: Mode::Enforce,
            ..GuardSettings::default()
        },
        run_dir: places.run_dir().to_owned(),
        files: vec![Written {
            channel: "apt".to_owned(),
            path: format!("/{DROP_IN}").into(),
            sha256: vec![Digest::of("ask")],
        }],
        folders: Vec::new(),
    };
    manifest.write(&places).unwrap();
}

/// Writes down a refusal, as a hook does.
fn refuse(fleet: &Fleet, host: &HostId, pid: i32) {
    let process = |name: &str, command: String| Process {
        pid,
        started: 1,
        name: name.to_owned(),
        command,
    };
    let by = Asker {
        processes: vec![
            process("apt-get", format!("apt-get install tea={pid}")),
            process("bash", "-bash".to_owned()),
        ],
        unit: "session-3.scope".to_owned(),
        login: Some(1000),
    };
    let packages = vec![format!("tea 1 -> {pid}")];
    let tried = Try::new(Decision::Refused, "apt", by, packages);
    events::record(&places(fleet, host), What::Try(tried)).unwrap();
}

/// A command of the person at a host.
fn at_host(fleet: &Fleet, host: &HostId, arguments: &[&str]) {
    let config = fleet.site.agent_config(host);
    let mut command = fleet.site.told("cofferdam-agent", "guard", &config);
    command.args(arguments);
    let (code, printed) = run(command);
    assert_eq!(code, 0, "{printed}");
}

fn shown(fleet: &Fleet, arguments: &[&str]) -> String {
    let mut command = fleet.site.command();
    command.args(arguments);
    let (code, printed) = run(command);
    assert_eq!(code, 0, "{printed}");
    printed
}

/// Waits until a host stands as asked.
async fn until(
    fleet: &mut Fleet,
    host: &HostId,
    within: Duration,
    stands: impl Fn(&HostView) -> bool,
) -> HostView {
    let operator = fleet.operator().await;
    eventually("the host to stand so", within, async || {
        let hosts = operator
            .hosts()
            .await
            .map_err(|error| format!("{error:#}"))?;
        let found = hosts.into_iter().find(|view| view.host == *host);
        let view = found.ok_or_else(|| "it is not known".to_owned())?;
        match stands(&view) {
            true => Ok(view),
            false => Err(format!("{view:#?}")),
        }
    })
    .await
}

fn guard(view: &HostView) -> Option<&GuardView> {
    view.guard.as_ref()
}

fn last(view: &HostView) -> Option<u64> {
    Some(guard(view)?.events.last()?.number)
}

/// What the coordinator counted since it started.
fn counted(fleet: &Fleet) -> String {
    let page = page(fleet.site.http, "/metrics").unwrap();
    let line = page
        .lines()
        .find(|line| line.starts_with("cofferdam_guard_tries_total"));
    line.unwrap_or("none").to_owned()
}

#[tokio::test]
async fn a_refusal_and_lost_control_are_seen_at_once_and_a_cut_loses_and_doubles_nothing() {
    let mut fleet = Fleet::start(Machine::several(2)).await;
    let host = fleet.hosts().remove(0);
    let off = |view: &HostView| guard(view).is_some_and(|guard| guard.mode == GuardMode::Off);
    until(&mut fleet, &host, AT_ONCE, off).await;

    install(&fleet, &host);
    let enforces = |view: &HostView| {
        guard(view).is_some_and(|guard| guard.mode == GuardMode::Enforce && guard.lost.is_empty())
    };
    until(&mut fleet, &host, AT_ONCE, enforces).await;
    refuse(&fleet, &host, 2);
    until(&mut fleet, &host, AT_ONCE, |view| last(view) == Some(1)).await;
    let list = shown(&fleet, &["hosts", "--guard"]);
    assert!(
        list.contains("enforce")
            && list.contains("refused: apt-get install tea=2 (tea 1 -> 2), started by bash"),
        "{list}"
    );
    let explained = shown(&fleet, &["explain", host.as_str()]);
    assert!(explained.contains("enforce, in control"), "{explained}");

    fleet.kill_coordinator();
    for pid in 3..43 {
        refuse(&fleet, &host, pid);
    }
    fleet.start_coordinator(None);
    let caught_up = until(&mut fleet, &host, CAUGHT_UP, |view| last(view) == Some(41)).await;
    let numbers: Vec<u64> = guard(&caught_up)
        .unwrap()
        .events
        .iter()
        .map(|e| e.number)
        .collect();
    assert_eq!(numbers, [38, 39, 40, 41]);
    let GuardView {
        missed, dropped, ..
    } = guard(&caught_up).unwrap();
    assert_eq!((*missed, *dropped), (0, 37));
    let told = "cofferdam_guard_tries_total{fate=\"refused\"} 40";
    assert_eq!(counted(&fleet), told);

    fleet.kill_agent(&host);
    fleet.start_agent(&host, None);
    fleet.in_service().await;
    fs::remove_file(fleet.site.agent_folder(&host, "root").join(DROP_IN)).unwrap();
    // Whatever happens in the guard's folder has it proved.
    refuse(&fleet, &host, 43);
    let lost = |view: &HostView| guard(view).is_some_and(|guard| guard.lost.len() == 1);
    until(&mut fleet, &host, CAUGHT_UP, lost).await;
    let list = shown(&fleet, &["hosts", "--guard"]);
    assert!(list.contains("NO: apt: /etc/drop-in is missing"), "{list}");
    assert_eq!(counted(&fleet), told.replace("40", "41"));
    fleet.finish();
}

#[tokio::test]
async fn a_person_who_takes_a_host_is_in_its_ledger_and_no_rollout_starts_there() {
    let mut fleet = Fleet::start(Machine::neighbours(4)).await;
    // Others wait for the outcome of the first host of their kind, which this is not.
    let host = fleet.hosts().remove(3);
    install(&fleet, &host);
    let allow = ["allow", "--for", "30m", "--reason", "the disk is full"];
    at_host(&fleet, &host, &allow);
    let taken = until(&mut fleet, &host, AT_ONCE, |view| view.out.is_some()).await;
    let out = taken.out.unwrap();
    assert_eq!(out.why, "taken: the disk is full");
    assert!(out.holder.ends_with(" at the host"), "{}", out.holder);
    assert!(out.until_ms.is_some());

    let text = rollout::noop("late", "") + ALL_AT_ONCE;
    let rollout = fleet.start_rollout("late", &text).await;
    let is_held = |view: &cofferdam_proto::operator::RolloutView| {
        view.waves[0].passed == 3 && view.holds.iter().any(|hold| hold.rule == "held")
    };
    let view = fleet
        .until("the others to be patched", &rollout, CAUGHT_UP, is_held)
        .await;
    let held = view.holds.iter().find(|hold| hold.rule == "held").unwrap();
    assert!(held.reason.contains("the disk is full"), "{}", held.reason);
    assert_eq!(held.until_ms, out.until_ms);
    let explained = shown(&fleet, &["explain", host.as_str()]);
    assert!(explained.contains("taken: the disk is full"), "{explained}");

    // It stays taken across a cut.
    fleet.kill_coordinator();
    fleet.start_coordinator(None);
    let still = until(&mut fleet, &host, CAUGHT_UP, |view| {
        view.connected_since_ms.is_some() && view.out.is_some()
    })
    .await;
    assert_eq!(still.out.unwrap().until_ms, out.until_ms);

    at_host(&fleet, &host, &["deny"]);
    let view = fleet.end_of(&rollout, CAUGHT_UP).await;
    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    assert_eq!(view.waves[0].passed, 4, "{view:#?}");
    fleet.finish();
}
