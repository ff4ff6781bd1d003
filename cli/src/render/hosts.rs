//! Hosts, one line each.

use crate::render::{
    View,
    table::{short, table},
};
use cofferdam_engine::{
    id::HostId,
    inventory::{INSTANCE_TYPE, SERVICE},
    run::RunState,
    time::Timestamp,
};
use cofferdam_proto::operator::HostView;
use serde::Serialize;

/// What is shown where there are no hosts, or none that is selected.
pub(super) const NO_HOSTS: &str =
    "no hosts: no agent has connected yet, or --match selects none of theirs\n";

/// Hosts, in order of their names.
#[derive(Debug, Serialize)]
pub struct HostList {
    /// The hosts.
    pub hosts: Vec<HostView>,
    /// The moment at which they are looked at.
    #[serde(skip)]
    pub now: Timestamp,
}

impl View for HostList {
    fn text(&self) -> String {
        if self.hosts.is_empty() {
            return NO_HOSTS.to_owned();
        }
        let rows = self.hosts.iter().map(|host| self.row(host));
        let headings = [
            "host",
            "cell",
            "service",
            "type",
            "connected",
            "in service",
            "now",
        ];
        table(headings, rows.collect())
    }
}

impl HostList {
    fn row(&self, host: &HostView) -> [String; 7] {
        let label = |name: &str| host.labels.get(name).cloned().unwrap_or_default();
        let connected = match host.connected_since_ms {
            Some(since) => short(self.now.since(since)),
            None => "no".to_owned(),
        };
        let in_service = if host.in_service { "yes" } else { "NO" };
        [
            host.host.to_string(),
            host.cell.to_string(),
            label(SERVICE),
            label(INSTANCE_TYPE),
            connected,
            in_service.to_owned(),
            doing(host, self.now),
        ]
    }
}

/// What goes on with a host: its run, who holds it, what fails on it, what is installed and does not run, what its
/// way back left.
/// Empty: nothing.
fn doing(host: &HostView, now: Timestamp) -> String {
    let run = host.run.as_ref().map(|run| {
        let slow = if run.slow { ", slow" } else { "" };
        format!("{} by {}{slow}", doing_in(run.state), run.rollout)
    });
    let held = || {
        let out = host.out.as_ref()?;
        let more = out.until_ms.map(|until| short(until.since(now)));
        let more = more.map(|more| format!(" for {more} more"));
        let (why, holder) = (&out.why, &out.holder);
        // It may have its traffic, and is nobody else's to take all the same.
        let out = match host.in_service {
            true => "counts as out",
            false => "out",
        };
        Some(format!(
            "{out}: {why}, held by {holder}{}",
            more.unwrap_or_default()
        ))
    };
    let fails = Some(host.detail.clone()).filter(|detail| !detail.is_empty());
    let effect = host.effect.as_ref().filter(|effect| !effect.is_whole());
    let effect = effect.map(ToString::to_string);
    let left = host.left_behind.as_ref().map(|left| {
        let count = left.lines.len();
        let things = if count == 1 {
            "1 thing"
        } else {
            &format!("{count} things")
        };
        format!("went back from {}, but for {things}", left.rollout)
    });
    let parts = [run.or_else(held), fails, effect, left];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("; ")
}

fn doing_in(state: RunState) -> &'static str {
    match state {
        RunState::Claiming => "claiming",
        RunState::Draining => "draining",
        RunState::Drained => "drained",
        RunState::Applying => "applying",
        RunState::Rebooting => "rebooting",
        RunState::Verifying => "verifying",
        RunState::RollingBack => "rolling back",
        RunState::VerifyingRollback => "verifying its rollback",
        RunState::Readmitting(_) => "readmitting",
        RunState::Ended(_) => "ended",
    }
}

/// A host was deleted from the inventory.
#[derive(Debug, Serialize)]
pub struct Forgotten {
    /// Which.
    pub forgotten: HostId,
}

impl View for Forgotten {
    fn text(&self) -> String {
        format!("{} is forgotten\n", self.forgotten)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use cofferdam_engine::{
        cell::LeftBehind,
        effect::EffectSummary,
        id::{CellId, RolloutId},
        inventory::{Labels, Platform},
    };
    use cofferdam_proto::operator::{OutView, RunView};

    pub(in crate::render) fn host(name: &str) -> HostView {
        let labels = [(SERVICE, "web"), (INSTANCE_TYPE, "m7.large")];
        HostView {
            host: HostId::new(name).unwrap(),
            cell: CellId::new("r1-a-1").unwrap(),
            labels: Labels::from(labels.map(|(key, value)| (key.to_owned(), value.to_owned()))),
            platform: Platform {
                os_release: "debian-12".to_owned(),
                architecture: "amd64".to_owned(),
            },
            kernel: "6.1.0".to_owned(),
            connected_since_ms: Some(Timestamp(1_000)),
            in_service: true,
            detail: String::new(),
            out: None,
            run: None,
            agent_version: "0.1.0".to_owned(),
            guard: None,
            drift: None,
            effect: None,
            left_behind: None,
            packages: None,
        }
    }

    #[test]
    fn a_host_is_one_line_that_says_what_goes_on_with_it() {
        let rollout = RolloutId::new("openssl-2026-11").unwrap();
        let patched = HostView {
            in_service: false,
            run: Some(RunView {
                rollout,
                state: RunState::Applying,
                since_ms: Timestamp(2_000),
                slow: true,
            }),
            ..host("a-2")
        };
        let lost = HostView {
            connected_since_ms: None,
            in_service: false,
            detail: "check abi failed".to_owned(),
            out: Some(OutView {
                holder: "itself".to_owned(),
                why: "silent".to_owned(),
                since_ms: Timestamp(2_000),
                until_ms: None,
            }),
            ..host("a-3")
        };
        let taken = HostView {
            out: Some(OutView {
                holder: "anna".to_owned(),
                why: "reserved: new disk".to_owned(),
                since_ms: Timestamp(2_000),
                until_ms: Some(Timestamp(1_861_000)),
            }),
            ..host("a-4")
        };
        let stale = HostView {
            effect: Some(EffectSummary {
                restart: vec!["milk.service".to_owned()],
                reboot: None,
            }),
            ..host("a-5")
        };
        let back = HostView {
            left_behind: Some(LeftBehind {
                rollout: RolloutId::new("nginx-2").unwrap(),
                lines: vec!["/etc/x was changed since the patch and stays so".to_owned()],
            }),
            ..host("a-6")
        };
        let list = HostList {
            hosts: vec![host("a-1"), patched, lost, taken, stale, back],
            now: Timestamp(61_000),
        };
        insta::assert_snapshot!(list.text(), @r"
    HOST  CELL    SERVICE  TYPE      CONNECTED  IN SERVICE  NOW
    a-1   r1-a-1  web      m7.large  1m         yes
    a-2   r1-a-1  web      m7.large  1m         NO          applying by openssl-2026-11, slow
    a-3   r1-a-1  web      m7.large  no         NO          out: silent, held by itself; check abi failed
    a-4   r1-a-1  web      m7.large  1m         yes         counts as out: reserved: new disk, held by anna for 30m more
    a-5   r1-a-1  web      m7.large  1m         yes         needs-restart milk.service
    a-6   r1-a-1  web      m7.large  1m         yes         went back from nginx-2, but for 1 thing
    ");
    }
}
