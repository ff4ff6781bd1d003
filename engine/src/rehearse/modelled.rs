//! A fleet's hosts as a scenario has them.

use super::{
    Does, Model, Moment, Spread, Step,
    reboots::Reboots,
    scenario::{Fault, FaultKind, Goes, Hosts, OtherTimes, Scenario},
};
use crate::{id::HostId, inventory::Host, seed, time::Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Says how each step goes, by a scenario and a seed: the same each time.
#[derive(Debug)]
pub struct Modelled {
    seed: String,
    times: BTreeMap<Step, Spread>,
    others: Vec<OtherTimes>,
    faults: Vec<Fault>,
    /// The hosts that anything special is said of.
    special: BTreeMap<HostId, Special>,
    /// Which hosts need a reboot after the patch.
    reboots: Reboots,
    /// The faults that struck a host, each with its place.
    tried: BTreeSet<(HostId, usize)>,
    /// The first time that each fault did something, in order of the faults.
    pub(super) struck: BTreeMap<usize, Timestamp>,
}

/// What is special about a host.
#[derive(Debug, Default)]
struct Special {
    /// Its times, by their place in the scenario.
    times: Option<usize>,
    /// The faults of its steps, by their place in the scenario.
    faults: Vec<usize>,
}

impl Modelled {
    /// The hosts of a fleet under a scenario; `reboots` is which of them need one after the patch.
    pub fn new(scenario: &Scenario, hosts: &[Host], seed: u64, reboots: Reboots) -> Self {
        let mut modelled = Self {
            seed: seed.to_string(),
            times: scenario.times.clone(),
            others: scenario.others.clone(),
            faults: scenario.faults.clone(),
            special: BTreeMap::new(),
            reboots,
            tried: BTreeSet::new(),
            struck: BTreeMap::new(),
        };
        for (place, other) in scenario.others.iter().enumerate() {
            for host in modelled.pick(&other.hosts, &format!("times {place}"), hosts) {
                let special = modelled.special.entry(host.clone()).or_default();
                special.times.get_or_insert(place);
            }
        }
        for (place, fault) in scenario.faults.iter().enumerate() {
            if matches!(fault.kind, FaultKind::Step { .. }) {
                for host in modelled.pick(&fault.hosts, &fault.name, hosts) {
                    let special = modelled.special.entry(host.clone()).or_default();
                    special.faults.push(place);
                }
            }
        }
        modelled
    }

    /// The hosts that something is about, in an order of chance.
    pub fn pick<'h>(&self, of: &Hosts, purpose: &str, hosts: &'h [Host]) -> Vec<&'h HostId> {
        let selection = of.selection.as_ref();
        let matched = hosts
            .iter()
            .filter(|host| selection.is_none_or(|s| s.matches(host)));
        let seeded = matched.map(|host| {
            let seed = seed::of(&[&self.seed, host.id.as_str(), purpose]);
            (seed, &host.id)
        });
        let mut picked: Vec<_> = seeded.filter(|(seed, _)| of.share.picks(*seed)).collect();
        picked.sort_unstable();
        picked.truncate(of.most.unwrap_or(usize::MAX));
        picked.into_iter().map(|(_, host)| host).collect()
    }

    /// How long a host's first run takes, from its drain on, when every step goes well.
    pub(super) fn run_lasts(&self, host: &Host) -> Duration {
        let special = self.special.get(&host.id);
        let steps = [
            Step::Drain,
            Step::Apply,
            Step::Reboot,
            Step::Verify,
            Step::Readmit,
        ];
        let steps = steps
            .into_iter()
            .filter(|step| *step != Step::Reboot || self.needs_reboot(host));
        let lasts = steps.map(|step| {
            let moment = Moment {
                host,
                step,
                attempt: 1,
                now: Timestamp::default(),
            };
            self.lasts(&moment, special)
        });
        lasts.sum()
    }

    fn needs_reboot(&self, host: &Host) -> bool {
        self.reboots.needs(host, &self.seed)
    }

    /// Whether a fault has done something to a host, by its place.
    pub(super) fn has_struck(&self, place: usize, host: &HostId) -> bool {
        match self.faults.get(place).map(|fault| fault.kind) {
            Some(FaultKind::Step { .. }) => self.tried.contains(&(host.clone(), place)),
            Some(FaultKind::Timed { .. }) => self.struck.contains_key(&place),
            None => false,
        }
    }

    fn lasts(&self, moment: &Moment<'_>, special: Option<&Special>) -> Duration {
        let others = special.and_then(|special| self.others.get(special.times?));
        let other = others.and_then(|others| others.times.get(&moment.step));
        let Some(spread) = other.or_else(|| self.times.get(&moment.step)) else {
            return Duration::ZERO;
        };
        let attempt = moment.attempt.to_string();
        let host = moment.host.id.as_str();
        spread.at(seed::of(&[&self.seed, host, moment.step.name(), &attempt]))
    }

    /// How a step goes where nothing is wrong.
    fn well(&self, moment: &Moment<'_>, lasts: Duration) -> Does {
        match moment.step == Step::Apply && self.needs_reboot(moment.host) {
            true => Does::NeedsReboot(lasts),
            false => Does::Well(lasts),
        }
    }

    /// How a fault has a step go. Nothing where it leaves it alone.
    fn wrong(&self, place: usize, moment: &Moment<'_>, lasts: Duration) -> Option<Does> {
        let fault = self.faults.get(place)?;
        let FaultKind::Step {
            step,
            goes,
            retry_cures,
        } = fault.kind
        else {
            return None;
        };
        let host = moment.host.id.as_str();
        let cured = || retry_cures.picks(seed::of(&[&self.seed, host, &fault.name, "cure"]));
        let is_again = self.tried.contains(&(moment.host.id.clone(), place));
        if step != moment.step || (is_again && cured()) {
            return None;
        }
        Some(match goes {
            Goes::Fails(kind) => Does::Fails(lasts, kind),
            Goes::Hangs => Does::Hangs,
            Goes::Slow(takes) => self.well(moment, takes),
            Goes::Dies => Does::Dies,
        })
    }
}

impl Model for Modelled {
    fn next(&mut self, moment: &Moment<'_>) -> Does {
        let special = self.special.get(&moment.host.id);
        let lasts = self.lasts(moment, special);
        let faults = special.map_or(&[][..], |special| &special.faults);
        let wrong = faults.iter().find_map(|place| {
            let does = self.wrong(*place, moment, lasts)?;
            Some((*place, does))
        });
        if let Some((place, does)) = wrong {
            self.struck.entry(place).or_insert(moment.now);
            self.tried.insert((moment.host.id.clone(), place));
            return does;
        }
        self.well(moment, lasts)
    }
}
