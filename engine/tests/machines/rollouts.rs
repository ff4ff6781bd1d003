//! Rollouts from their start to their end, as sentences.

mod approvals;
mod arrivals;
mod changed;
mod clocks;
mod cord;
mod denials;
mod dependants;
mod exceptions;
mod failures;
mod fans;
mod floors;
mod freezes;
mod holds;
mod host_turns;
mod late;
mod left_alone;
mod links;
mod lost_room;
mod missed;
mod orders;
mod pace;
mod packing;
mod partitions;
mod promotions;
mod recorded;
mod repairs;
mod reservations;
mod restarts;
mod retries;
mod rollbacks;
mod silence;
mod stops;
mod taken;
mod velocity;
mod waves;
mod windows;

use crate::world::{Does, Step, World, fails, id};
use cofferdam_engine::{failure::FailureKind, id::HostId};
use std::time::Duration;

/// Three waves: one host of every stratum, half, all.
const WAVES: &str = r#"
[[wave]]
name = "canary"
to = "1%"
[[wave]]
name = "half"
to = "50%"
[[wave]]
name = "full"
to = "100%"
"#;

/// One wave of all.
const AT_ONCE: &str = "[[wave]]\nname = \"full\"\nto = \"100%\"\n";

/// A floor of service x zone that leaves so much in service.
fn floor(share: &str) -> String {
    format!(
        "[[limits]]\nfloor = [{{ group_by = [\"service\", \"zone\"], min_in_service = \"{share}\" }}]\n"
    )
}

/// The fleet of the demo: 24 hosts in three zones, of four instance types, the rarest on two hosts.
fn demo() -> World {
    let mut world = World::new();
    for (place, kinds) in [
        (
            "r1/a",
            [("large", 3), ("medium", 2), ("small", 2), ("rare", 1)],
        ),
        (
            "r1/b",
            [("large", 3), ("medium", 3), ("small", 2), ("rare", 0)],
        ),
        (
            "r2/c",
            [("large", 2), ("medium", 2), ("small", 3), ("rare", 1)],
        ),
    ] {
        for (kind, count) in kinds {
            world.add_hosts("web", place, kind, count);
        }
    }
    world.pass(secs(1));
    world
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn mins(mins: u64) -> Duration {
    Duration::from_secs(60 * mins)
}

impl World {
    /// From now on a step on a host goes like this.
    fn always(&mut self, host: &str, step: Step, does: Does) {
        self.model.set(&id(host), step, does, None);
    }

    /// The next time a step on a host goes like this.
    fn once(&mut self, host: &str, step: Step, does: Does) {
        self.model.set(&id(host), step, does, Some(1));
    }

    /// The hosts of a type cannot pass the checks after the patch.
    fn bad_for(&mut self, kind: &str) {
        for host in self.hosts_now() {
            if host.as_str().starts_with(kind) {
                self.always(host.as_str(), Step::Verify, fails(FailureKind::Unhealthy));
            }
        }
    }

    fn wait_for(&mut self, rollout: &str, phase: &str) {
        let what = format!("{rollout} is {phase}");
        self.until(&what, |world| world.phase(rollout) == phase);
    }

    fn wait_until_host_is(&mut self, rollout: &str, host: &str, outcome: &str) {
        let what = format!("{host} is {outcome} in {rollout}");
        let host = id(host);
        self.until(&what, |world| world.outcome(rollout, &host) == outcome);
    }

    /// How many hosts stand so in a rollout.
    fn count(&self, rollout: &str, outcome: &str) -> usize {
        self.hosts_that_are(rollout, outcome).len()
    }

    /// The rules that hold anything of a rollout now.
    fn rules(&self) -> Vec<&'static str> {
        self.holds().iter().map(|hold| hold.reason.rule()).collect()
    }
}

fn names(hosts: &[HostId]) -> Vec<&str> {
    hosts.iter().map(HostId::as_str).collect()
}
