//! Hosts that get their cells as in production, by connecting one after the other: for tests of what plans them.

use super::{Fleet, FleetCommand, FleetEvent};
use crate::{
    cell::Hello,
    cells,
    digest::Digest,
    id::{HostId, Incarnation},
    inventory::{Facts, Host, Platform},
    time::Timestamp,
};

/// A host with these labels.
pub(crate) fn host(name: &str, labels: &[(&str, &str)]) -> Host {
    let labels = labels.iter();
    Host {
        id: HostId::new(name).unwrap(),
        labels: labels
            .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()))
            .collect(),
        facts: Facts {
            platform: Platform {
                os_release: "debian-12".to_owned(),
                architecture: "amd64".to_owned(),
            },
            kernel: "6.1".to_owned(),
            packages: Digest::of(""),
        }
        .into(),
    }
}

/// What a host says that is up and well.
pub(crate) fn hello(host: &Host) -> Hello {
    Hello {
        host: host.clone(),
        incarnation: Incarnation(1),
        boot_id: "1".to_owned(),
        version: "1".to_owned(),
        in_service: true,
        detail: String::new(),
        open: None,
        newest: None,
    }
}

/// Lets those connect that can be in a cell and have none.
pub(crate) fn connect<'h>(fleet: &mut Fleet, hosts: impl Iterator<Item = &'h Host>) {
    let now = Timestamp(1);
    for host in hosts {
        if cells::unplaceable(host).is_none() && !fleet.homes().contains_key(&host.id) {
            let hello = Box::new(hello(host));
            fleet
                .apply(&FleetEvent::HostConnected { hello }, now)
                .unwrap();
        }
    }
    settle(fleet, now);
}

/// Lets a fleet decide until nothing is left to do.
pub(crate) fn settle(fleet: &mut Fleet, now: Timestamp) {
    for _ in 0..10 {
        let commands = fleet.decide(now).commands;
        for event in commands.iter().flat_map(FleetCommand::events) {
            fleet.apply(&event, now).unwrap();
        }
        if commands.is_empty() {
            return;
        }
    }
    panic!("decisions never end");
}
