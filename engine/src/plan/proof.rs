//! What the first wave proves: whether it has a host of every stratum, and which it need not have.

use super::{
    PlanError, Warning,
    planned::Planned,
    selected::Mark,
    strata::{Strata, place},
};
use crate::{
    coverage::Coverage,
    date::Date,
    id::{HostId, WaveIndex},
    inventory::REGION,
    patch::Patch,
    spec::{Spec, Waiver},
    stratum::{DELTA, Stratum},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A stratum that the first wave has no host of, by an operator's waiver. Later waves try one host
/// of it before they try more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waived {
    /// The stratum.
    pub stratum: Stratum,
    /// How many planned hosts are of it.
    pub hosts: usize,
    /// Why it is waived, as the rollout file says.
    pub reason: String,
    /// The last day of the waiver.
    pub expires: Date,
}

/// A stratum that the first wave has no host of. Displays as `kernel=6.1 (8 hosts)`, or as
/// `delta=26cc7931841b (2 hosts, as web-1)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncovered {
    /// The stratum.
    pub stratum: Stratum,
    /// How many planned hosts are of it.
    pub hosts: usize,
    /// One of them, where the stratum's name says nothing to people: of a package delta.
    pub such_as: Option<HostId>,
}

impl fmt::Display for Uncovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stratum,
            hosts,
            such_as,
        } = self;
        let plural = if *hosts == 1 { "" } else { "s" };
        let such_as = such_as.as_ref().map(|host| format!(", as {host}"));
        let such_as = such_as.unwrap_or_default();
        write!(f, "{stratum} ({hosts} host{plural}{such_as})")
    }
}

/// What the first wave proves of the planned hosts' strata.
#[derive(Debug)]
pub(super) struct Proof<'p> {
    spec: &'p Spec,
    now: Timestamp,
    planned: &'p Planned<'p, 'p>,
    /// The strata of the planned hosts, in order.
    strata: Vec<Counted>,
}

/// A stratum of planned hosts.
#[derive(Debug)]
struct Counted {
    stratum: Stratum,
    /// Its number among [`Strata`].
    number: u32,
    count: Count,
}

/// How many hosts are of a stratum.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// In all waves.
    all: usize,
    /// In the first one.
    first: usize,
    /// The patcher's own, which the last wave takes.
    patchers: usize,
}

impl<'p> Proof<'p> {
    pub(super) fn of(
        spec: &'p Spec,
        now: Timestamp,
        planned: &'p Planned<'p, 'p>,
        strata: &Strata<'_>,
    ) -> Self {
        let mut counts = vec![Count::default(); strata.count()];
        for (host, wave) in &planned.hosts {
            let is_own = host.common.mark == Some(Mark::Patcher);
            for stratum in &host.common.strata {
                let count = &mut counts[place(*stratum)];
                count.all += 1;
                count.first += usize::from(*wave == WaveIndex(0));
                count.patchers += usize::from(is_own);
            }
        }
        let named = strata.named(|number| counts[place(number)].all > 0);
        let strata = named.into_iter().map(|(stratum, number)| Counted {
            stratum,
            number,
            count: counts[place(number)],
        });
        Self {
            spec,
            now,
            planned,
            strata: strata.collect(),
        }
    }

    /// Refuses what is uncovered without a waiver, and waivers that are over.
    pub(super) fn refuse(&self, errors: &mut Vec<PlanError>) {
        let strata: Vec<Uncovered> = self
            .uncovered()
            .filter(|uncovered| self.waiver(&uncovered.stratum).is_none())
            .collect();
        if let (Some(wave), false) = (self.spec.waves().first(), strata.is_empty()) {
            errors.push(PlanError::NotCovered {
                wave: wave.name.clone(),
                strata,
            });
        }
        for (place, waiver) in self.spec.waivers().iter().enumerate() {
            if waiver.expires.end() <= self.now {
                errors.push(PlanError::WaiverExpired {
                    place,
                    stratum: waiver.stratum.clone(),
                    expires: waiver.expires,
                });
            }
        }
    }

    /// The strata that are uncovered by a waiver.
    pub(super) fn waived(&self) -> Vec<Waived> {
        let waived = self.uncovered().filter_map(|uncovered| {
            let waiver = self.waiver(&uncovered.stratum)?;
            Some(Waived {
                stratum: uncovered.stratum,
                hosts: uncovered.hosts,
                reason: waiver.reason.clone(),
                expires: waiver.expires,
            })
        });
        waived.collect()
    }

    /// What makes strata after the first wave too: what the file names, and regions where that wave has no host
    /// of one, since later waves try one host of it before they try more.
    pub(super) fn judged(&self) -> Coverage {
        let coverage = self.spec.coverage().clone();
        let is_region =
            |Uncovered { stratum, .. }| stratum.label == REGION && stratum.with.is_none();
        match self.uncovered().any(is_region) {
            true => coverage.with_regions(),
            false => coverage,
        }
    }

    /// Waivers that waive nothing, and package deltas that are not told apart; `unknown` hosts have
    /// a delta that is not known.
    pub(super) fn warnings(&self, unknown: usize) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let coverage = self.spec.coverage();
        let installs_packages = match self.spec.patch() {
            Patch::Packages { .. } | Patch::Security | Patch::Advisory(_) => true,
            Patch::Config(_) | Patch::Noop => false,
        };
        if installs_packages && !coverage.tells_deltas_apart() {
            warnings.push(Warning::DeltasNotCovered);
        } else if unknown > 0 && coverage.tells_deltas_apart() {
            warnings.push(Warning::DeltasNotKnown { hosts: unknown });
        }
        let strata: Vec<Uncovered> = self.not_first(true).collect();
        if let (Some(wave), false) = (self.spec.waves().first(), strata.is_empty()) {
            warnings.push(Warning::OnlyPatcher {
                wave: wave.name.clone(),
                strata: strata.into_iter().map(|one| one.stratum).collect(),
            });
        }
        for (place, waiver) in self.spec.waivers().iter().enumerate() {
            let stratum = waiver.stratum.clone();
            match self.in_first_wave(&waiver.stratum) {
                None => warnings.push(Warning::WaiverOfNobody { place, stratum }),
                Some(0) => {}
                Some(_) => warnings.push(Warning::WaiverNotNeeded { place, stratum }),
            }
        }
        warnings
    }

    fn uncovered(&self) -> impl Iterator<Item = Uncovered> {
        self.not_first(false)
    }

    /// The strata that the first wave has no host of: those that only the patcher's own hosts are
    /// of, or the others.
    fn not_first(&self, of_patcher: bool) -> impl Iterator<Item = Uncovered> {
        let lacking = self.strata.iter().filter(move |counted| {
            let Count {
                all,
                first,
                patchers,
            } = counted.count;
            first == 0 && (all == patchers) == of_patcher
        });
        lacking.map(|counted| Uncovered {
            stratum: counted.stratum.clone(),
            hosts: counted.count.all,
            such_as: self.delta_of(counted),
        })
    }

    /// The first host of a package delta. Nothing of another stratum.
    fn delta_of(
        &self,
        Counted {
            stratum, number, ..
        }: &Counted,
    ) -> Option<HostId> {
        let with = stratum.with.as_ref().map(|with| with.label.as_str());
        let is_delta = stratum.label == DELTA || with == Some(DELTA);
        let mut hosts = self.planned.hosts().filter(|_| is_delta);
        let first = hosts.find(|host| host.common.strata.contains(number));
        first.map(|host| host.host.id.clone())
    }

    fn waiver(&self, stratum: &Stratum) -> Option<&'p Waiver> {
        let name = stratum.to_string();
        let mut waivers = self.spec.waivers().iter();
        waivers.find(|waiver| waiver.stratum == name)
    }

    /// How many hosts of a stratum the first wave has. Nothing when no planned host is of it.
    fn in_first_wave(&self, name: &str) -> Option<usize> {
        let mut strata = self.strata.iter();
        let counted = strata.find(|counted| counted.stratum.to_string() == name)?;
        Some(counted.count.first)
    }
}
