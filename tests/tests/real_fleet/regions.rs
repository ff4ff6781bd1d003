//! Regions that are cut off from their control plane in the middle of a rollout, and heard again.

use super::asked::{READY, operate_by, start_by};
use cofferdam_tests::{
    patience::eventually,
    process::run,
    real_fleet::{
        RealFleet, host::Host, network::BRIDGE_ADDRESS, regions::Regions, repository::Package,
    },
    rollout,
    size::Size,
};
use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

/// What happens on a busy machine is seen within this.
const WITHIN: Duration = Duration::from_secs(300);

/// Where the hosts of the second region wait until they are let go on, by rollout. Little is left to do after
/// the latter, which leaves most of a warrant for the host that comes next.
const GATES: [(&str, &str); 2] = [("tea", "pre-apply"), ("milk", "post-verify")];

/// Waits there.
fn gate(rollout: &str) -> String {
    format!(
        "#!/bin/sh\ntest $COFFERDAM_ROLLOUT = {rollout} || exit 0\ncd /var/lib\ntouch waits-{rollout}\n\
         while ! test -e go-{rollout}; do sleep 0.1; done\n"
    )
}

/// The short times of a cut that a test can wait for.
const SHORT: &str = "warrant = \"20s\"\nunknown_after = \"10s\"\nunknown_share = \"60%\"\ncoverage = [\"service\"]\n";

/// One host, two of two regions, the rest.
const IN_MID_WAVE: &str = r#"
[[wave]]
name = "canary"
match = 'host == "r1-1"'
to = "100%"
bake = "0s"

[[wave]]
name = "middle"
match = 'host in ("r1-2", "r2-1")'
to = "100%"
bake = "0s"

[[wave]]
name = "full"
to = "100%"

[[waiver]]
stratum = "region=r2"
reason = "only what follows the first wave is looked at"
expires = "2099-12-31"
"#;

/// All of one region and one of the other, then the rest much later.
const IN_THE_CANARY: &str = r#"
[[wave]]
name = "canary"
match = 'host in ("r1-1", "r2-1", "r2-2", "r2-3")'
to = "100%"
bake = "1h"

[[wave]]
name = "full"
to = "100%"
"#;

fn rollout(name: &str, waves: &str) -> String {
    let text = rollout::package(name, name, "2");
    text.replacen("\ngrace", &format!("\n{SHORT}grace"), 1) + waves
}

/// Lets a host go on at its gate, now or when it comes there.
fn open(host: &Host, rollout: &str) {
    host.write(&format!("var/lib/go-{rollout}"), "").unwrap();
}

/// Waits until one of some hosts is at its gate. Which comes first is the region's to say.
async fn at_gate<'h>(hosts: &[&'h Host], rollout: &str) -> &'h Host {
    let mark = format!("var/lib/waits-{rollout}");
    eventually("a host to be at its gate", WITHIN, async || {
        let mut hosts = hosts.iter().copied();
        hosts
            .find(|host| host.root().join(&mark).exists())
            .ok_or_else(|| format!("none has {mark}"))
    })
    .await
}

/// The hosts but for one.
fn others<'h>(hosts: &[&'h Host], one: &Host) -> Vec<&'h Host> {
    let is_other = |host: &&&Host| host.name() != one.name();
    hosts.iter().filter(is_other).copied().collect()
}

/// How often dpkg did something to a package on a host, by its own log.
fn times(host: &Host, act: &str, package: &str) -> usize {
    let log = fs::read_to_string(host.root().join("var/log/dpkg.log")).unwrap_or_default();
    let is_it = |line: &&str| line.contains(&format!(" {act} {package}:all "));
    log.lines().filter(is_it).count()
}

/// Waits until a host has a package, or does not, and serves.
async fn has(host: &Host, package: &str, wanted: bool) {
    let line = format!(
        "dpkg-query --show --showformat='${{db:Status-Status}}.' {package} 2>/dev/null; {READY}"
    );
    let serving = |printed: &str| printed.ends_with(" 200");
    eventually(package, WITHIN, async || {
        let answer = host.run(&line).await.map_err(|error| error.to_string())?;
        let has = answer.printed.starts_with("installed.");
        let is_so = has == wanted && serving(answer.printed.trim_end());
        is_so.then_some(()).ok_or(answer.printed)
    })
    .await;
}

/// Waits until the control plane shows all of some parts of a rollout. What it shows then.
async fn shows(fleet: &Regions, rollout: &str, parts: &[&str]) -> String {
    eventually("the control plane to say it", WITHIN, async || {
        let (_, printed) = operate_by(&fleet.control, &["status", rollout]).await;
        let all = parts.iter().all(|part| printed.contains(part));
        all.then(|| printed.clone()).ok_or(printed)
    })
    .await
}

/// Waits until a region's own metrics have all of some lines.
async fn measures(region: &RealFleet, lines: &[&str]) {
    eventually("the region to say it", WITHIN, async || {
        let mut curl = region.network().command("curl");
        curl.args(["--silent", "--max-time", "5"]);
        curl.arg(format!("http://{BRIDGE_ADDRESS}:7301/metrics"));
        let (_, printed) = run(curl);
        let has = |line: &&str| printed.lines().any(|printed| printed == *line);
        lines.iter().all(has).then_some(()).ok_or(printed)
    })
    .await;
}

async fn prepare(fleet: &Regions) {
    for package in ["tea", "milk"] {
        let package = Package::new(package, "2");
        fleet.regions()[0]
            .repository
            .publish(&package)
            .await
            .unwrap();
    }
    for host in fleet.regions()[1].hosts() {
        for (rollout, point) in GATES {
            let path = format!("etc/cofferdam/hooks/{point}.d/{rollout}");
            host.write(&path, gate(rollout)).unwrap();
            let path = host.root().join(path);
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}

/// The link is cut while a host of the second region is at work.
async fn cut_in_mid_wave(fleet: &Regions) {
    let [first, second] = fleet.regions() else {
        panic!("two regions are expected");
    };
    let (near, far) = (first.hosts(), second.hosts());
    start_by(&fleet.control, &rollout("tea", IN_MID_WAVE)).await;
    at_gate(&[&far[0]], "tea").await;
    fleet.cut(2).await.unwrap();
    for host in far {
        open(host, "tea");
    }
    // What was granted is completed, the other region goes on to the next wave, the one that is cut off does not.
    has(&far[0], "tea", true).await;
    has(&near[2], "tea", true).await;
    shows(fleet, "tea", &["unknown_after"]).await;
    for host in &far[1..] {
        assert_eq!(times(host, "install", "tea"), 0, "{}", host.name());
    }

    fleet.mend(2).await.unwrap();
    shows(fleet, "tea", &["done"]).await;
    for host in fleet.hosts() {
        has(host, "tea", true).await;
        assert_eq!(times(host, "install", "tea"), 1, "{}", host.name());
    }
}

/// The same in the first wave, until the warrant of the region has ended.
async fn cut_in_the_canary(fleet: &Regions) {
    let [first, second] = fleet.regions() else {
        panic!("two regions are expected");
    };
    let (near, far): (_, Vec<&Host>) = (first.hosts(), second.hosts().iter().collect());
    start_by(&fleet.control, &rollout("milk", IN_THE_CANARY)).await;
    let at_work = at_gate(&far, "milk").await;
    let waiting = others(&far, at_work);
    has(&near[0], "milk", true).await;
    fleet.cut(2).await.unwrap();
    // Within its warrant the region starts what was granted ...
    open(at_work, "milk");
    let next = at_gate(&waiting, "milk").await;
    let [last] = others(&waiting, next)[..] else {
        panic!("three hosts are expected");
    };
    // ... and past it no more, and says so.
    let over = "cofferdam_holds{rule=\"warrant\"} 1";
    measures(second, &[over]).await;
    open(next, "milk");
    has(next, "milk", true).await;
    measures(second, &[over, "cofferdam_hosts{state=\"out\"} 0"]).await;
    assert_eq!(times(last, "install", "milk"), 0);
    // The rollout waits.
    shows(fleet, "milk", &["unknown_after"]).await;
    for host in &near[1..] {
        assert_eq!(times(host, "install", "milk"), 0, "{}", host.name());
    }

    fleet.mend(2).await.unwrap();
    open(last, "milk");
    shows(fleet, "milk", &["bake"]).await;
    for host in far {
        has(host, "milk", true).await;
        assert_eq!(times(host, "install", "milk"), 1, "{}", host.name());
    }
}

/// The region has finished its part of the wave when it is cut off, and the rollout is taken back.
async fn taken_back_while_cut(fleet: &Regions) {
    let [first, second] = fleet.regions() else {
        panic!("two regions are expected");
    };
    fleet.cut(2).await.unwrap();
    shows(fleet, "milk", &["heard of"]).await;
    let asked = ["rollback", "milk", "--reason", "it curdles"];
    let (is_done, printed) = operate_by(&fleet.control, &asked).await;
    assert!(is_done, "{printed}");
    has(&first.hosts()[0], "milk", false).await;
    for host in second.hosts() {
        assert_eq!(times(host, "remove", "milk"), 0, "{}", host.name());
    }
    shows(fleet, "milk", &["rolling-back"]).await;

    fleet.mend(2).await.unwrap();
    shows(fleet, "milk", &["rolled-back"]).await;
    for host in second.hosts() {
        has(host, "milk", false).await;
        assert_eq!(times(host, "remove", "milk"), 1, "{}", host.name());
        assert_eq!(times(host, "install", "milk"), 1, "{}", host.name());
    }
}

#[tokio::test]
async fn a_region_that_is_cut_off_does_what_it_may_and_no_more_until_it_is_heard_again() {
    let Some(fleet) = Regions::boot(3).await else {
        return;
    };
    prepare(&fleet).await;
    cut_in_mid_wave(&fleet).await;
    if Size::asked() == Size::Soak {
        cut_in_the_canary(&fleet).await;
        taken_back_while_cut(&fleet).await;
    }
    fleet.take_down().unwrap();
}
