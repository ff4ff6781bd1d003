//! The second opinion: which strata are proved, suspect, convicted, and who is asked next.
//!
//! A stratum is *proved* when one of its hosts has passed with this lock file. When a host fails,
//! its strata that are not proved are *suspects*: nothing else of them starts, but one host at a
//! time, chosen to be of as few suspects as can be. A pass proves, so clears, all strata of that
//! host. A suspect whose second host fails too is *convicted*.

use super::Rollout;
use crate::{
    id::{CellId, HostId},
    stratum::Stratum,
    warrant::Outcome,
};
use std::collections::{BTreeMap, BTreeSet};

/// How the strata of a rollout stand.
pub(super) struct Docket<'a> {
    rollout: &'a Rollout,
    /// Strata with a failed host that nobody has judged, and no host that passed.
    pub(super) suspects: BTreeSet<u32>,
    /// Strata that are not proved and have a host whose outcome is awaited, and that host.
    pub(super) awaited: BTreeMap<u32, HostId>,
}

/// Why a host may not be granted, by its strata.
pub(super) enum Barred {
    /// The stratum failed its second opinion.
    Convicted(u32),
    /// The stratum waits for the outcome of a host.
    Awaits(u32, HostId),
    /// The stratum is suspect, and another host was chosen for the second opinion.
    Suspect(u32),
}

impl<'a> Docket<'a> {
    /// Reads how the strata stand. Costs nothing to speak of once all are proved.
    pub(super) fn of(rollout: &'a Rollout) -> Self {
        let mut docket = Self {
            rollout,
            suspects: BTreeSet::new(),
            awaited: BTreeMap::new(),
        };
        if rollout.all_proved() {
            return docket;
        }
        let unjudged = rollout
            .failures()
            .filter(|(host, _)| !rollout.judged.contains(*host));
        for (host, _) in unjudged {
            docket.suspects.extend(rollout.unproved(host));
        }
        for host in rollout.outcomes.running() {
            docket.awaits(host);
        }
        for host in rollout
            .granted_and_awaited()
            .chain(rollout.awaited_unheard())
        {
            docket.awaits(host);
        }
        docket
    }

    /// Notes that a host is granted and its outcome awaited.
    pub(super) fn awaits(&mut self, host: &HostId) {
        for stratum in self.rollout.unproved(host) {
            self.awaited.entry(stratum).or_insert_with(|| host.clone());
        }
    }

    /// Why a host may not be granted now, unless it is the chosen second opinion. One whose own outcome is
    /// awaited may: its order is out since before a pause.
    pub(super) fn bar(&self, host: &HostId, opinion: Option<&HostId>) -> Option<Barred> {
        for stratum in self.rollout.unproved(host) {
            if self.rollout.convicted.contains(&stratum) {
                return Some(Barred::Convicted(stratum));
            }
            if let Some(other) = self.awaited.get(&stratum).filter(|other| *other != host) {
                return Some(Barred::Awaits(stratum, other.clone()));
            }
            if self.suspects.contains(&stratum) && opinion != Some(host) {
                return Some(Barred::Suspect(stratum));
            }
        }
        None
    }

    /// The host whose opinion is asked next: of all whose part is not over and that are of a suspect,
    /// one whose cell is heard of, and that is none of the patcher's own, of the fewest suspects; then one of the rarest stratum, then of the
    /// earliest wave. Nothing while no suspect is left, or an outcome that speaks for one is awaited.
    pub(super) fn next_opinion(&self) -> Option<HostId> {
        let open: BTreeSet<u32> = self
            .suspects
            .difference(&self.rollout.convicted)
            .copied()
            .collect();
        if open.is_empty()
            || open
                .iter()
                .any(|stratum| self.awaited.contains_key(stratum))
        {
            return None;
        }
        let sizes = self.rollout.stratum_sizes();
        let plan = &self.rollout.plan;
        let behind = plan.waves.last().map(|wave| &wave.order.behind);
        let untaken = plan.hosts.iter().filter(|(host, planned)| {
            !self.rollout.is_over(host)
                && self.rollout.awaits_approval(host).is_none()
                && !planned
                    .strata
                    .iter()
                    .any(|stratum| self.rollout.convicted.contains(stratum))
        });
        untaken
            .filter_map(|(host, planned)| {
                let of = planned
                    .strata
                    .iter()
                    .filter(|stratum| open.contains(stratum))
                    .count();
                let rarest = planned.strata.iter().filter_map(|s| sizes.get(s)).min()?;
                let is_silent = self.rollout.is_silent(&planned.cell);
                let is_behind = behind.is_some_and(|behind| behind.contains(host));
                (of > 0).then_some((is_silent, is_behind, of, *rarest, planned.wave, host))
            })
            .min()
            .map(|(.., host)| host.clone())
    }

    /// Suspects that no host is left to speak for: closed with their casualty.
    pub(super) fn closed(&self) -> Vec<&'a Stratum> {
        let plan = &self.rollout.plan;
        let has_other = |stratum: &u32| {
            plan.hosts.iter().any(|(host, planned)| {
                planned.strata.contains(stratum) && !self.rollout.is_over(host)
            })
        };
        let open = self
            .suspects
            .difference(&self.rollout.convicted)
            .filter(|s| !has_other(s));
        open.filter_map(|stratum| self.rollout.stratum(*stratum))
            .collect()
    }
}

impl Rollout {
    /// A stratum by its place in the plan.
    pub(super) fn stratum(&self, place: u32) -> Option<&Stratum> {
        self.plan.strata.get(usize::try_from(place).ok()?)
    }

    /// Suspect strata that no other host can speak for, so that they stop nothing.
    pub fn closed_suspects(&self) -> Vec<&Stratum> {
        Docket::of(self).closed()
    }

    /// The strata that no host has passed and two have failed.
    pub fn convicted_strata(&self) -> Vec<&Stratum> {
        self.convicted
            .iter()
            .filter_map(|&place| self.stratum(place))
            .collect()
    }

    /// Works out which strata are convicted, after outcomes changed. Hosts that waves went on without,
    /// since they were held with one that is no more, get their turn.
    pub(super) fn convict(&mut self) {
        let before = std::mem::take(&mut self.convicted);
        let mut failed: BTreeMap<u32, usize> = BTreeMap::new();
        if !self.all_proved() {
            let wrong = self.failures();
            for stratum in wrong.flat_map(|(host, _)| self.unproved(host)) {
                *failed.entry(stratum).or_default() += 1;
            }
        }
        self.convicted = failed
            .into_iter()
            .filter(|&(_, n)| n >= 2)
            .map(|(s, _)| s)
            .collect();
        if !before.is_subset(&self.convicted) {
            let heard = |cell: &&CellId| !self.is_silent(cell);
            let heard: BTreeSet<CellId> = self.cells.keys().filter(heard).cloned().collect();
            self.take_missed_in(|cell| heard.contains(cell));
        }
    }

    /// Whether a host is held for good with a convicted stratum, and not out.
    pub(super) fn is_held_for_good(&self, host: &HostId) -> bool {
        !self.convicted.is_empty()
            && self
                .unproved(host)
                .any(|stratum| self.convicted.contains(&stratum))
            && !matches!(self.outcomes.get(host), Some(Outcome::Running))
    }

    /// The convicted stratum that holds a host for good. Nothing when none does.
    pub(super) fn conviction_of(&self, host: &HostId) -> Option<&Stratum> {
        let mut unproved = self.unproved(host);
        let place = unproved.find(|stratum| self.convicted.contains(stratum))?;
        self.stratum(place).filter(|_| self.is_held_for_good(host))
    }

    pub(super) fn all_proved(&self) -> bool {
        self.proved.len() == self.plan.strata.len()
    }

    pub(super) fn unproved(&self, host: &HostId) -> impl Iterator<Item = u32> {
        let strata = self
            .plan
            .hosts
            .get(host)
            .into_iter()
            .flat_map(|planned| &planned.strata);
        strata
            .copied()
            .filter(|stratum| !self.proved.contains(stratum))
    }

    fn stratum_sizes(&self) -> BTreeMap<u32, usize> {
        let mut sizes = BTreeMap::new();
        for stratum in self.plan.hosts.values().flat_map(|planned| &planned.strata) {
            *sizes.entry(*stratum).or_default() += 1;
        }
        sizes
    }

    /// Hosts that a cell has leave to start and whose outcome is not known yet. A cell that is over
    /// may have leave to start hosts that go after all others.
    fn granted_and_awaited(&self) -> impl Iterator<Item = &HostId> {
        self.granted().flat_map(move |(cell, hosts)| {
            let progress = self.cells.get(cell);
            let is_closed = progress.is_some_and(|progress| progress.closed_at.is_some());
            hosts.iter().filter(move |host| {
                !is_closed || (self.is_behind(host) && !self.is_held_for_good(host))
            })
        })
    }

    /// Whether a host's part is over: it passed, failed, was left out or set aside, went back, or
    /// is gone.
    pub(super) fn is_over(&self, host: &HostId) -> bool {
        is_over(self.outcomes.get(host))
    }
}

/// Whether the part of a host with this outcome is over.
pub(super) fn is_over(outcome: Option<&Outcome>) -> bool {
    match outcome {
        None | Some(Outcome::Running | Outcome::Waiting) => false,
        Some(
            Outcome::Passed
            | Outcome::Failed { .. }
            | Outcome::LeftOut { .. }
            | Outcome::Skipped { .. }
            | Outcome::RolledBack
            | Outcome::Gone,
        ) => true,
    }
}
