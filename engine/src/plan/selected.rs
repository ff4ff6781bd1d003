//! The hosts that a rollout is for, with what the planner needs to know of each.

use super::{PlanError, class::Known, denied::Denied, strata::Strata, unaffected::Unaffected};
use crate::{
    id::{CellId, HostId},
    inventory::{Host, PATCHER, Platform, REGION, SERVICE, VALIDATOR, ZONE},
    patch::{LockFile, Locked, Patch},
    seed,
    spec::Spec,
    stratum::Delta,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// The hosts that a rollout is for.
#[derive(Debug)]
pub(super) struct Chosen<'a> {
    /// The hosts, in order of their names.
    pub(super) hosts: Vec<Selected<'a>>,
    /// What those of each class have in common, in order of their first hosts.
    pub(super) classes: Vec<Rc<Common<'a>>>,
    /// Their cells, in order of their names.
    pub(super) cells: Vec<&'a CellId>,
}

/// A host that a rollout is for.
#[derive(Debug)]
pub(super) struct Selected<'a> {
    pub(super) host: &'a Host,
    /// What it has in common with all selected hosts of its class.
    pub(super) common: Rc<Common<'a>>,
    /// Orders hosts that are alike, differently for each rollout.
    pub(super) seed: u64,
    /// Whether it could be started now.
    pub(super) is_ready: bool,
}

/// What the selected hosts of a class have in common.
#[derive(Debug)]
pub(super) struct Common<'a> {
    /// One of the class, which shows what all are like.
    pub(super) host: &'a Host,
    /// The place of the class among those of the inventory.
    pub(super) class: usize,
    /// Its place among those of the selected hosts.
    pub(super) place: usize,
    /// How many of its hosts are selected. At least 1.
    pub(super) count: usize,
    pub(super) cell: &'a CellId,
    /// The place of the cell among those of the selected hosts.
    pub(super) cell_place: usize,
    pub(super) home: Place<'a>,
    /// What the patch changes on them. Nothing: no packages.
    pub(super) delta: Option<Delta>,
    /// Their strata, by their numbers in [`Strata`].
    pub(super) strata: Vec<u32>,
    /// How many selected hosts are of the rarest of these.
    pub(super) rarest: usize,
    /// Their place among the rollout's limits.
    pub(super) limit: usize,
    /// What they are made for, where that is not to serve.
    pub(super) mark: Option<Mark>,
}

/// What a marked host is made for. One with both marks is the patcher's own: those go last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// To try patches first.
    Validator,
    /// To patch the others.
    Patcher,
}

impl Mark {
    fn of(host: &Host) -> Option<Self> {
        let mark = |label, mark| host.is_marked(label).then_some(mark);
        mark(PATCHER, Self::Patcher).or_else(|| mark(VALIDATOR, Self::Validator))
    }
}

/// Where a capacity group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'a> {
    pub(super) region: &'a str,
    pub(super) zone: &'a str,
    pub(super) service: &'a str,
}

impl<'a> Place<'a> {
    /// The place of a host. Nothing when it lacks one of the three labels.
    pub(super) fn of(host: &'a Host) -> Option<Self> {
        Some(Self {
            region: host.value(REGION)?,
            zone: host.value(ZONE)?,
            service: host.value(SERVICE)?,
        })
    }

    /// The value of one of its three labels, without a search. Nothing for another label.
    pub(super) fn value(&self, label: &str) -> Option<&'a str> {
        match label {
            REGION => Some(self.region),
            ZONE => Some(self.zone),
            SERVICE => Some(self.service),
            _ => None,
        }
    }
}

/// What hosts are chosen by.
pub(super) struct Chooser<'c, 'a> {
    pub(super) spec: &'c Spec,
    pub(super) lock: &'c LockFile,
    pub(super) known: &'c Known<'a>,
    pub(super) denied: &'c Denied<'a>,
    /// The hosts that could not be started now.
    pub(super) unready: &'c BTreeSet<HostId>,
    /// Whether a rollout may take a host at all, whatever its file says.
    pub(super) may_be_taken: &'c dyn Fn(&HostId) -> bool,
}

impl<'a> Chooser<'_, 'a> {
    /// Finds the hosts of a rollout, and notes why it cannot be for some.
    pub(super) fn select(
        &self,
        strata: &mut Strata<'a>,
        unaffected: &mut Unaffected<'a>,
        errors: &mut Vec<PlanError>,
    ) -> Chosen<'a> {
        let matched = self.matched(errors);
        check_platforms(self.spec, self.lock, &matched, errors);
        let (classes, cells) = self.classes(&matched, strata, unaffected);
        if classes.is_empty() && unaffected.count > 0 {
            let hosts = unaffected.count;
            errors.push(PlanError::NothingToDo { hosts });
        }
        self.refuse_homeless(&matched, errors);
        let mut of_class = vec![None; self.known.classes.len()];
        for common in &classes {
            of_class[common.class] = Some(common);
        }
        let hosts = matched.iter().filter_map(|(host, class)| {
            Some(Selected {
                host,
                common: Rc::clone(of_class[*class]?),
                seed: seed::of(&[host.id.as_str(), self.spec.name().as_str(), "order"]),
                is_ready: !self.unready.contains(&host.id),
            })
        });
        let hosts = hosts.collect();
        Chosen {
            hosts,
            classes,
            cells,
        }
    }

    /// The hosts that may be taken and to which the bits are not denied, each with its class.
    fn matched(&self, errors: &mut Vec<PlanError>) -> Vec<(&'a Host, usize)> {
        let may_be_taken = |host: &Host| (self.may_be_taken)(&host.id);
        let hosts = self.known.hosts.iter().copied();
        let mut matched: Vec<_> = hosts
            .filter(|(host, class)| self.known.classes[*class].is_matched && may_be_taken(host))
            .collect();
        let selection = self.spec.selection();
        if matched.is_empty() && self.spec.is_repair() {
            let selection = selection.clone();
            errors.push(PlanError::NothingToRepair { selection });
        } else if matched.is_empty() {
            let known = self
                .known
                .hosts
                .iter()
                .filter(|(host, _)| may_be_taken(host));
            errors.push(PlanError::NothingSelected {
                selection: selection.clone(),
                known: known.count(),
            });
        }
        matched.retain(|(host, _)| !self.denied.contains(&host.id));
        matched
    }

    /// Refuses hosts that no cell holds.
    fn refuse_homeless(&self, matched: &[(&Host, usize)], errors: &mut Vec<PlanError>) {
        let is_homeless = |class: usize| self.known.classes[class].home.is_none();
        let nowhere = matched.iter().filter(|(_, class)| is_homeless(*class));
        let hosts: Vec<HostId> = nowhere.map(|(host, _)| host.id.clone()).collect();
        if !hosts.is_empty() {
            errors.push(PlanError::NoCell { hosts });
        }
    }

    /// What the matched hosts of each class have in common, but of those that it has nothing for; and
    /// their cells.
    fn classes(
        &self,
        matched: &[(&Host, usize)],
        strata: &mut Strata<'a>,
        unaffected: &mut Unaffected<'a>,
    ) -> (Vec<Rc<Common<'a>>>, Vec<&'a CellId>) {
        let mut counts = vec![0; self.known.classes.len()];
        for (_, class) in matched {
            counts[*class] += 1;
        }
        let counted = self.known.classes.iter().zip(counts).enumerate();
        let mut found = Vec::new();
        for (class, (of, count)) in counted.filter(|(_, (_, count))| *count > 0) {
            let Some((cell, home)) = of.home else {
                continue;
            };
            if unaffected.take(of.host, count) {
                continue;
            }
            found.push(Common {
                host: of.host,
                class,
                place: found.len(),
                count,
                cell,
                cell_place: 0,
                home,
                delta: strata.delta(of.host),
                strata: strata.add(of.host, count),
                rarest: 0,
                limit: limit_of(self.spec, of.host),
                mark: Mark::of(of.host),
            });
        }
        let cells: BTreeSet<&CellId> = found.iter().map(|common| common.cell).collect();
        let cells: Vec<&CellId> = cells.into_iter().collect();
        for common in &mut found {
            common.cell_place = cells.binary_search(&common.cell).unwrap_or_default();
            let sizes = common.strata.iter().map(|stratum| strata.size(*stratum));
            common.rarest = sizes.min().unwrap_or(0);
        }
        (found.into_iter().map(Rc::new).collect(), cells)
    }
}

/// The first limit that matches: the last one matches every host.
fn limit_of(spec: &Spec, host: &Host) -> usize {
    let last = spec.limits().len().saturating_sub(1);
    let first = spec.limits().iter().position(|limit| limit.matches(host));
    first.unwrap_or(last)
}

/// Every platform of the hosts is in the lock file, when it has platforms.
fn check_platforms(
    spec: &Spec,
    lock: &LockFile,
    hosts: &[(&Host, usize)],
    errors: &mut Vec<PlanError>,
) {
    let (
        Patch::Packages { .. } | Patch::Security | Patch::Advisory(_),
        Locked::Packages { platforms },
    ) = (spec.patch(), &lock.content)
    else {
        return;
    };
    let locked: BTreeSet<&Platform> = platforms.iter().map(|entry| &entry.platform).collect();
    let mut missing: BTreeMap<&Platform, Vec<HostId>> = BTreeMap::new();
    for (host, _) in hosts {
        let platform = &host.facts.platform;
        if !locked.contains(platform) {
            missing.entry(platform).or_default().push(host.id.clone());
        }
    }
    errors.extend(
        missing
            .into_iter()
            .map(|(platform, hosts)| PlanError::NotLocked {
                platform: platform.clone(),
                hosts,
            }),
    );
}
