//! Whatever is cut short at whichever step of a run: the host ends patched or as it was, never half, and
//! never left drained.
//!
//! Each host has a rollout of its own, and is hurt at one step of it. Steps in which something of the host's
//! people runs (hooks, checks, scripts of packages) stop there until the host was hurt; others are seen from
//! outside as they begin, in the agent's journal and transcripts.

mod point;

use super::asked::{LINE, READY, eventually_says, operate, patch_of, said, start};
use cofferdam_engine::{run::Ending, seed};
use cofferdam_tests::{
    evidence,
    machine::Machine,
    patience::eventually,
    real_fleet::{RealFleet, host::Host, repository::Package},
    site::NO_RAMP,
    size::Size,
};
use point::{POINTS, Point};
use serde_json::Value;
use std::{fs, path::PathBuf, rc::Rc, time::Duration};
use tokio::{
    task::{JoinSet, LocalSet},
    time::sleep,
};

/// Which cases a small run takes. Another number takes others.
const SEED: &str = "1";

/// How many cases a small run takes: each way to be hurt once.
const SAMPLE: usize = HURTS.len();

/// How many hosts are hurt at once: more would only wait for each other.
const AT_ONCE: usize = 6;

/// A host boots, hears of its owner again and ends its run, on a busy machine.
const WITHIN: Duration = Duration::from_secs(180);

/// How often it is looked whether a host is at its step, of which some last for milliseconds.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How a host is hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hurt {
    /// The agent is killed, and what it started runs on. Its unit starts it again.
    Agent,
    /// The host's first process is killed, and everything with it. It is switched on again.
    Power,
    /// Its network cable is pulled, until its run is over.
    Link,
}

const HURTS: [Hurt; 3] = [Hurt::Agent, Hurt::Power, Hurt::Link];

#[derive(Debug, Clone, Copy)]
struct Case {
    point: &'static Point,
    hurt: Hurt,
}

/// All there are; of these for a small run different steps, and all ways to be hurt.
fn cases(size: Size) -> Vec<Case> {
    let mut points: Vec<&Point> = POINTS.iter().collect();
    points.sort_by_key(|point| seed::of(&[SEED, point.name]));
    let small = || {
        let pairs = points.iter().zip(HURTS.into_iter().cycle());
        pairs
            .map(|(&point, hurt)| Case { point, hurt })
            .take(SAMPLE)
            .collect()
    };
    let all = || {
        let pairs = points
            .iter()
            .flat_map(|&point| HURTS.map(|hurt| Case { point, hurt }));
        pairs.collect()
    };
    match size {
        Size::Small => small(),
        Size::Soak => all(),
    }
}

/// A service with a config file, and what it needs in the same version.
fn tea(version: &str) -> Package {
    let came_from = if version == "2" { "1" } else { "2" };
    let stop = |script: &str| {
        let way = if version == "2" { "" } else { "back-" };
        format!("case \"$2\" in {came_from}) /usr/local/bin/stop {way}{script};; esac")
    };
    let restart = "systemctl daemon-reload\nsystemctl --quiet enable tea\nsystemctl restart tea";
    Package::new("tea", version)
        .field(&format!("Depends: cup (= {version})"))
        .conffile("etc/tea.conf", &format!("strength={version}\n"))
        .file(
            "usr/lib/systemd/system/tea.service",
            "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
        )
        .script("preinst", &stop("preinst"))
        .script("postinst", &format!("{}\n{restart}", stop("postinst")))
}

async fn publish(fleet: &RealFleet, version: &str) {
    for package in [tea(version), Package::new("cup", version)] {
        fleet.repository.publish(&package).await.unwrap();
    }
}

/// Gives a host the first version, what stops its run, and an agent that knows of it.
async fn prepare(case: Case, host: Host) -> String {
    point::furnish(&host);
    said(
        &host,
        "apt-get --quiet update && apt-get --quiet --yes install tea",
    )
    .await;
    let config = host.root().join("etc/cofferdam/agent.toml");
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replace(NO_RAMP, "ramp = \"1s\"\nramp_steps = [\"50%\"]\n");
    let text = text.replace("signals = {", "signals = { units = [\"tea.service\"],");
    fs::write(&config, text).unwrap();
    case.point.arrange(&host);
    said(&host, "systemctl restart cofferdam-agent").await;
    state(&host).await
}

/// All that packages of this test have on a host.
async fn state(host: &Host) -> String {
    said(
        host,
        "dpkg-query --show --showformat='${Package} ${Version} ${db:Status-Status}\\n' tea cup; \
         apt-mark showauto | sort; cd /; sha256sum etc/tea.conf usr/share/tea/* usr/share/cup/*",
    )
    .await
}

fn rollout(case: Case, host: &Host) -> String {
    let more = "claim_wait = \"8s\"\nfirst_answer = \"1s\"";
    let name = host.name();
    let text = patch_of(host, "tea", more).replace("name = \"tea\"", &format!("name = \"{name}\""));
    match case.point.reboots {
        true => text.replace("[patch]", "[patch]\nreboot = \"always\""),
        false => text,
    }
}

fn journal(host: &Host) -> PathBuf {
    host.root().join("var/lib/cofferdam-agent/journal")
}

/// Waits for a host to be at its step, and hurts it there.
async fn hurt(case: Case, host: &Host) {
    let what = format!("{} to be at {}", host.name(), case.point.name);
    eventually(&what, WITHIN, async || {
        while !case.point.is_reached(host) {
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    })
    .await;
    match case.hurt {
        Hurt::Agent => {
            // A host that goes down does not take the command any more.
            let kill = "systemctl kill --kill-whom=main --signal=SIGKILL cofferdam-agent";
            host.run(kill).await.ok();
            point::let_go(host);
        }
        Hurt::Power => {
            // One that reboots has no first process for a moment.
            let cut = async || host.cut_power().map_err(|error| error.to_string());
            eventually("its power to be cut", WITHIN, cut).await;
            point::let_go(host);
            host.power_on().await.unwrap();
        }
        Hurt::Link => {
            host.unplug().await.unwrap();
            point::let_go(host);
            eventually("its run to be over", WITHIN, async || {
                let orders = evidence::orders(&journal(host));
                let is_over = orders.values().all(|told| told.ending().is_some());
                is_over.then_some(()).ok_or(format!("{orders:?}"))
            })
            .await;
            // A reboot has plugged it in again, and has no link for a moment.
            let plug_in = async || host.plug_in().await.map_err(|error| error.to_string());
            eventually("its link to be there", WITHIN, plug_in).await;
        }
    }
}

/// Waits until a host's rollout is over. Whether it passed.
async fn until_over(fleet: &RealFleet, host: &Host) -> bool {
    let what = format!("the rollout of {} to be over", host.name());
    eventually(&what, WITHIN, async || {
        let arguments = ["status", host.name().as_str(), "--output", "json"];
        let (_, printed) = operate(fleet, &arguments).await;
        let view: Value = serde_json::from_str(&printed).map_err(|error| error.to_string())?;
        let count = |name: &str| view["waves"][0][name].as_u64() == Some(1);
        match (count("passed"), count("failed")) {
            (false, false) => Err(printed),
            (passed, _) => Ok(passed),
        }
    })
    .await
}

/// Wants a host to be whole, in service, and what its journal says that it is.
async fn judge(case: Case, fleet: &RealFleet, host: &Host, before: &str) {
    let passed = until_over(fleet, host).await;
    host.booted().await.unwrap();
    let told = evidence::orders(&journal(host));
    let ending = told.values().last().and_then(evidence::Told::ending);
    assert_eq!(ending, Some(case.point.ends), "{case:?}: {told:#?}");
    assert_eq!(passed, case.point.ends == Ending::Patched, "{case:?}");
    let now = state(host).await;
    match case.point.ends {
        Ending::Patched => {
            let versions = "cup 2 installed\ntea 2 installed\n";
            assert!(now.starts_with(versions), "{case:?}: {now}");
        }
        Ending::RolledBack | Ending::Undone | Ending::Cancelled | Ending::Quarantined => {
            assert_eq!(now, before, "{case:?}");
        }
    }
    let flaws = said(host, "dpkg --audit; dpkg --verify tea cup").await;
    assert_eq!(flaws, "", "{case:?}");
    assert_eq!(
        said(host, "systemctl is-active tea").await,
        "active",
        "{case:?}"
    );
    assert_eq!(
        said(host, "cofferdam-agent effect").await,
        "effective: yes",
        "{case:?}"
    );
    eventually_says(host, READY, "200").await;
    eventually_says(host, LINE, "up ready 100%").await;
}

/// Hurts each host at its step, in a fleet of their own. False: there can be none.
async fn play(cases: &[Case]) -> bool {
    let Some(fleet) = RealFleet::boot(Machine::several(cases.len())).await else {
        return false;
    };
    publish(&fleet, "1").await;
    fleet.manage().await.unwrap();
    let hosts = cases.iter().copied().zip(fleet.hosts().iter().cloned());
    let hosts: Vec<(Case, Host)> = hosts.collect();
    let preparing: Vec<_> = hosts
        .iter()
        .cloned()
        .map(|(case, host)| tokio::spawn(prepare(case, host)))
        .collect();
    let mut before = Vec::new();
    for prepared in preparing {
        before.push(prepared.await.unwrap());
    }
    publish(&fleet, "2").await;
    let fleet = Rc::new(fleet);
    let mut playing = JoinSet::new();
    for ((case, host), before) in hosts.into_iter().zip(before) {
        let fleet = Rc::clone(&fleet);
        playing.spawn_local(async move {
            let rollout = rollout(case, &host);
            tokio::join!(start(&fleet, &rollout), hurt(case, &host));
            judge(case, &fleet, &host, &before).await;
        });
    }
    while let Some(played) = playing.join_next().await {
        played.unwrap();
    }
    Rc::into_inner(fleet).unwrap().take_down().unwrap();
    true
}

#[tokio::test]
async fn a_run_that_is_cut_short_at_any_step_ends_patched_or_as_it_was_and_never_drained() {
    let all = async {
        for cases in cases(Size::asked()).chunks(AT_ONCE) {
            if !play(cases).await {
                return;
            }
        }
    };
    LocalSet::new().run_until(all).await;
}
