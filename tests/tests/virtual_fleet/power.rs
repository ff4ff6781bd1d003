//! The power of a machine is cut at ten points of its runs, over a disk that forgets what was not flushed.

use super::operated::{rollout, said, start, told, until_console, until_over, until_ready};
use cofferdam_engine::run::{Ending, RunState};
use cofferdam_tests::{
    machine::Machine,
    real_fleet::repository::Package,
    virtual_fleet::{VirtualFleet, guest::Guest},
};
use std::{io::Write as _, time::Instant};

/// How many files a package has: enough to be half there.
const FILES: usize = 60;

/// A point of a run: what the console says there, which the agent says after it has written it down.
#[derive(Debug, Clone, Copy)]
struct Point {
    name: &'static str,
    sign: &'static str,
    /// The state that was written down by then.
    state: RunState,
    /// Whether the new version is not well.
    is_bad: bool,
    reboots: bool,
}

const fn at(name: &'static str, sign: &'static str, state: RunState) -> Point {
    Point {
        name,
        sign,
        state,
        is_bad: false,
        reboots: false,
    }
}

const POINTS: [Point; 10] = [
    at("draining", "state=\"draining\"", RunState::Draining),
    at("drained", "state=\"drained\"", RunState::Drained),
    at("applying", "state=\"applying\"", RunState::Applying),
    at("preinst", "tea: preinst", RunState::Applying),
    at("postinst", "tea: postinst", RunState::Applying),
    Point {
        reboots: true,
        ..at("rebooting", "state=\"rebooting\"", RunState::Rebooting)
    },
    at("verifying", "state=\"verifying\"", RunState::Verifying),
    Point {
        is_bad: true,
        ..at(
            "rolling-back",
            "state=\"rolling back\"",
            RunState::RollingBack,
        )
    },
    at(
        "readmitting",
        "state=\"readmitting\"",
        RunState::Readmitting(Ending::Patched),
    ),
    at(
        "patched",
        "state=\"patched\"",
        RunState::Ended(Ending::Patched),
    ),
];

/// A package whose scripts say that they run, and whose files all hold its version.
fn tea(version: usize) -> Package {
    let script = |name: &str| format!("echo \"tea: {name} {version}\" >/dev/console\nsleep 1");
    let package = Package::new("tea", &version.to_string())
        .script("preinst", &script("preinst"))
        .script("postinst", &script("postinst"));
    (0..FILES).fold(package, |package, number| {
        let path = format!("usr/share/tea/leaf-{number}");
        package.file(&path, format!("{version}\n").repeat(500))
    })
}

/// Lets a version be bad, and no other.
async fn call_bad(guest: &Guest, version: usize) {
    let line = format!(
        "mkdir -p /etc/cofferdam/checks.d; printf '#!/bin/sh\\n! grep -qx {version} /usr/share/tea/version\\n' \
         >/etc/cofferdam/checks.d/taste; chmod 755 /etc/cofferdam/checks.d/taste; sync"
    );
    said(guest, &line).await;
}

/// Cuts the power at a point of a run, and wants the machine to be whole and in service afterwards. `before` is the
/// version that it has, and the answer the one that it has then.
async fn cut_at(fleet: &VirtualFleet, guest: &Guest, point: Point, before: usize) -> usize {
    let new = before + 1;
    fleet.repository.publish(&tea(new)).await.unwrap();
    call_bad(guest, if point.is_bad { new } else { 0 }).await;
    let more = if point.reboots {
        "reboot = \"always\""
    } else {
        ""
    };
    let heard = guest.console().len();
    start(fleet, &rollout(point.name, "tea", &new.to_string(), more)).await;
    until_console(guest, heard, point.sign).await;
    guest.run("echo not kept >/root/unsynced").await.ok();
    let lost = guest.cut_power().unwrap();
    let since = Instant::now();
    guest.power_on().await.unwrap();
    guest.booted().await.unwrap();
    let booted = since.elapsed().as_secs();
    let (passed, status) = until_over(fleet, point.name).await;
    guest.booted().await.unwrap();
    until_ready(guest).await;
    let over = since.elapsed().as_secs();
    writeln!(
        std::io::stderr(),
        "{}: {lost} bytes lost, up after {booted} s, over after {over} s, passed: {passed}",
        point.name
    )
    .unwrap();
    judge(guest, point, (before, passed), &status).await
}

async fn judge(
    guest: &Guest,
    point: Point,
    (before, passed): (usize, bool),
    status: &str,
) -> usize {
    let told = told(guest, point.name).await;
    let kept = told.iter().any(|told| told.states.contains(&point.state));
    assert!(
        kept,
        "{point:?} was said and is not in the journal: {told:#?}"
    );
    let ending = told.last().and_then(|told| told.ending());
    let wanted = match passed {
        true => Ending::Patched,
        false => Ending::RolledBack,
    };
    assert_eq!(ending, Some(wanted), "{point:?}: {told:#?} {status}");
    let now = if passed { before + 1 } else { before };
    let versions = said(
        guest,
        "dpkg-query --show --showformat='${Version} ${Status}' tea; echo; sort -u /usr/share/tea/*; \
         ls /usr/share/tea | wc -l; dpkg --audit; dpkg --verify tea",
    )
    .await;
    let files = FILES + 1;
    let whole = format!("{now} install ok installed\n{now}\n{files}");
    assert_eq!(versions, whole, "{point:?}");
    now
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_at_any_point_of_a_run_loses_nothing_that_was_said() {
    let Some(fleet) = VirtualFleet::lay_out(Machine::several(1)).await else {
        return;
    };
    let guest = &fleet.guests()[0];
    fleet.repository.publish(&tea(1)).await.unwrap();
    guest.power_on().await.unwrap();
    guest.booted().await.unwrap();
    said(
        guest,
        "apt-get --quiet update && apt-get --quiet --yes install tea && sync",
    )
    .await;
    // What is not synced is lost, or nothing here is shown.
    said(guest, "echo not kept >/root/unsynced").await;
    guest.cut_power().unwrap();
    guest.power_on().await.unwrap();
    guest.booted().await.unwrap();
    assert_eq!(said(guest, "ls /root").await, "");
    until_ready(guest).await;
    let mut version = 1;
    for point in POINTS {
        version = cut_at(&fleet, guest, point, version).await;
    }
}
