//! The live fleet as a fleet on paper: what `fleet export` writes, and what `--fleet live` rehearses.

use crate::{client::Client, clock};
use anyhow::{Result, bail};
use cofferdam_engine::{
    denial::Place,
    id::{CellId, HostId},
    inventory::{Facts, Host, PackageSet},
    ledger::Holder,
    modelled_fleet::{Beginning, Denied, ModelledFleet, Out, Person, State},
    policy::LONGEST_RESERVATION,
    time::Timestamp,
};
use cofferdam_proto::operator::{DenialView, HostView, OutView};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The fleet that a coordinator knows, as it stands now.
///
/// # Errors
/// When a call fails, or the coordinator knows no host.
pub(in crate::command) async fn fleet(client: &Client) -> Result<ModelledFleet> {
    let views = client.hosts().await?;
    if views.is_empty() {
        bail!("the coordinator knows no host yet: `cofferdam fleet generate` makes some up");
    }
    let sets = client.package_sets().await?;
    let denials = client.denials().await?;
    Ok(of(&views, sets, denials, clock::now()))
}

fn of(
    views: &[HostView],
    sets: Vec<PackageSet>,
    denials: Vec<DenialView>,
    now: Timestamp,
) -> ModelledFleet {
    let hosts = views.iter().map(|view| (view.host.clone(), host(view)));
    let states = views
        .iter()
        .map(|view| (view.host.clone(), state(view, now)));
    let mut cells: BTreeMap<&CellId, BTreeSet<HostId>> = BTreeMap::new();
    for view in views {
        cells
            .entry(&view.cell)
            .or_default()
            .insert(view.host.clone());
    }
    let held = denials.into_iter().filter(|denial| denial.lifted.is_none());
    let beginning = Beginning {
        states: states
            .filter(|(_, state)| *state != State::default())
            .collect(),
        denied: held.filter_map(|denial| denied(denial, &cells)).collect(),
    };
    let sets = sets.into_iter().map(|set| (set.digest(), set));
    ModelledFleet::of(&hosts.collect(), &sets.collect(), &beginning)
}

fn host(view: &HostView) -> Host {
    let unknown = || PackageSet::default().digest();
    Host {
        id: view.host.clone(),
        labels: view.labels.clone(),
        facts: Facts {
            platform: view.platform.clone(),
            kernel: view.kernel.clone(),
            packages: view.packages.unwrap_or_else(unknown),
        }
        .into(),
    }
}

/// How a host stands. One that counts as out is out, whatever it says of itself.
fn state(view: &HostView, now: Timestamp) -> State {
    let fell = || {
        (!view.in_service).then(|| Out {
            why: match view.detail.as_str() {
                "" => "not in service".to_owned(),
                detail => detail.to_owned(),
            },
            person: None,
        })
    };
    State {
        is_connected: view.connected_since_ms.is_some(),
        out: view.out.as_ref().map(|entry| out(entry, now)).or_else(fell),
    }
}

fn out(entry: &OutView, now: Timestamp) -> Out {
    let OutView { holder, why, .. } = entry;
    let Some(until) = entry.until_ms else {
        let fell = *holder == Holder::Itself.to_string();
        return Out {
            why: match fell {
                true => why.clone(),
                false => format!("{why}, held by {holder}"),
            },
            person: None,
        };
    };
    // What is over by now is still held until somebody decides that.
    let left = until.since(now).max(Duration::from_secs(1));
    Out {
        why: why.clone(),
        person: Some(Person {
            by: holder.clone(),
            lasts: left.min(LONGEST_RESERVATION),
        }),
    }
}

/// A denial, that of a cell as one of its hosts: a rehearsal makes cells of its own. Nothing where none of them
/// is left.
fn denied(denial: DenialView, cells: &BTreeMap<&CellId, BTreeSet<HostId>>) -> Option<Denied> {
    Some(Denied {
        bits: denial.bits,
        hosts: match denial.place {
            Place::Fleet => None,
            Place::Cell { cell } => Some(cells.get(&cell)?.clone()),
            Place::Host { host } => Some(BTreeSet::from([host])),
        },
        by: denial.by,
        why: denial.reason,
    })
}
