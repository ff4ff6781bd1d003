//! The regions of the selected hosts, and the order in which the regions of each wave open.

use super::{
    PlanError,
    selected::{Chosen, Common},
};
use crate::{
    inventory::Host,
    policy::CellOrder,
    spec::{Fan, FanRegion, Spec},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// How many selected hosts are in each region and zone.
#[derive(Debug)]
pub(super) struct Regions<'a> {
    sizes: BTreeMap<&'a str, usize>,
    zones: BTreeMap<(&'a str, &'a str), usize>,
    /// How many strata each region has; counted only where sizes are equal.
    strata: BTreeMap<&'a str, usize>,
}

/// The order in which the regions of a wave open.
#[derive(Debug)]
pub(super) enum RegionOrder<'a> {
    /// None: all cells side by side.
    None,
    /// Turns of regions.
    Turns(Vec<Vec<&'a str>>),
}

impl<'a> Regions<'a> {
    pub(super) fn of(selected: &Chosen<'a>) -> Self {
        Self::of_those(selected, |_| true)
    }

    /// Those of the selected hosts alone that a wave is for.
    fn of_those(selected: &Chosen<'a>, is_for: impl Fn(&Host) -> bool) -> Self {
        let mut sizes = BTreeMap::new();
        let mut zones = BTreeMap::new();
        let classes = selected.classes.iter().filter(|class| is_for(class.host));
        let classes: Vec<&Common<'a>> = classes.map(Rc::as_ref).collect();
        for class in &classes {
            let home = class.home;
            *sizes.entry(home.region).or_default() += class.count;
            *zones.entry((home.region, home.zone)).or_default() += class.count;
        }
        let strata = varieties(&classes, &sizes);
        Self {
            sizes,
            zones,
            strata,
        }
    }

    /// The zones of a region among these, the one with the fewest selected hosts first.
    pub(super) fn zone_rank(&self, region: &'a str, zone: &'a str) -> (usize, &'a str) {
        let size = self.zones.get(&(region, zone)).copied();
        (size.unwrap_or_default(), zone)
    }

    /// The order of each wave. What its fan gets wrong is noted once: of these regions, or, where the
    /// wave is for some of their hosts and has its own fan, of theirs.
    pub(super) fn orders(
        &self,
        spec: &Spec,
        selected: &Chosen<'a>,
        errors: &mut Vec<PlanError>,
    ) -> Vec<RegionOrder<'a>> {
        let waves = spec.waves().iter().enumerate();
        let orders = waves.map(|(place, wave)| match (&wave.fan, spec.pace().order) {
            (Some(fan), _) => match &wave.selection {
                Some(some) => {
                    let own = Self::of_those(selected, |host| some.matches(host));
                    own.by_fan(self, fan, Some(place), errors)
                }
                None => self.by_fan(self, fan, Some(place), errors),
            },
            (None, CellOrder::FanOut) => self.by_fan(self, spec.fan(), None, errors),
            (None, CellOrder::Regions) => {
                let by_size = self.by_size(&BTreeSet::new());
                RegionOrder::Turns(by_size.into_iter().map(|region| vec![region]).collect())
            }
            (None, CellOrder::None) => RegionOrder::None,
        });
        orders.collect()
    }

    /// The order by the fan of a wave, or of the file. It may name every region of the rollout, and must
    /// open those of the wave. Where no host is selected at all, that is the mistake, and not the fan.
    fn by_fan(
        &self,
        all: &Self,
        fan: &Fan,
        wave: Option<usize>,
        errors: &mut Vec<PlanError>,
    ) -> RegionOrder<'a> {
        let mut found = Vec::new();
        let mut taken = BTreeSet::new();
        for region in fan.turns().iter().flatten() {
            let FanRegion::Named(name) = region else {
                continue;
            };
            match self.sizes.get_key_value(name.as_str()) {
                Some((known, _)) => drop(taken.insert(*known)),
                None if all.sizes.is_empty() || all.sizes.contains_key(name.as_str()) => {}
                None => found.push(PlanError::NoRegion {
                    wave,
                    region: name.clone(),
                    known: all.sizes.keys().map(ToString::to_string).collect(),
                }),
            }
        }
        let has = |wanted: FanRegion| fan.turns().iter().flatten().any(|r| *r == wanted);
        let first = self.by_size(&taken).first().copied();
        let first = first.filter(|_| has(FanRegion::First));
        taken.extend(first);
        let largest = self.largest(&taken).filter(|_| has(FanRegion::Largest));
        taken.extend(largest);
        let rest = self.by_size(&taken);
        if !rest.is_empty() && !has(FanRegion::Rest) {
            let regions = rest.iter().map(ToString::to_string).collect();
            found.push(PlanError::NotInFan { wave, regions });
        }
        for error in found {
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        let regions = |region: &FanRegion| -> Vec<&'a str> {
            match region {
                FanRegion::First => first.into_iter().collect(),
                FanRegion::Largest => largest.into_iter().collect(),
                FanRegion::Rest => rest.clone(),
                FanRegion::Named(name) => {
                    let known = self.sizes.get_key_value(name.as_str());
                    known.map(|(known, _)| *known).into_iter().collect()
                }
            }
        };
        let turns = fan.turns().iter();
        let turns = turns.map(|turn| turn.iter().flat_map(regions).collect());
        RegionOrder::Turns(turns.collect())
    }

    /// The regions that are not taken, the one with the fewest selected hosts first.
    fn by_size(&self, taken: &BTreeSet<&str>) -> Vec<&'a str> {
        let left = self
            .sizes
            .iter()
            .filter(|(region, _)| !taken.contains(*region));
        let mut left: Vec<_> = left.map(|(region, size)| (*size, *region)).collect();
        left.sort_unstable();
        left.into_iter().map(|(_, region)| region).collect()
    }

    fn largest(&self, taken: &BTreeSet<&str>) -> Option<&'a str> {
        let left = self
            .sizes
            .iter()
            .filter(|(region, _)| !taken.contains(*region));
        let variety = |region: &str| self.strata.get(region).copied().unwrap_or_default();
        let ranked = left.map(|(region, size)| (*size, variety(region), Reverse(*region)));
        ranked.max().map(|(_, _, Reverse(region))| region)
    }
}

/// How many strata each region has of those that are as large as another.
fn varieties<'a>(
    classes: &[&Common<'a>],
    sizes: &BTreeMap<&'a str, usize>,
) -> BTreeMap<&'a str, usize> {
    let mut of_size: BTreeMap<usize, usize> = BTreeMap::new();
    sizes
        .values()
        .for_each(|size| *of_size.entry(*size).or_default() += 1);
    let is_tied = |region: &str| sizes.get(region).is_some_and(|size| of_size[size] > 1);
    let mut strata: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    let classes = classes.iter();
    for class in classes.filter(|class| is_tied(class.home.region)) {
        let strata = strata.entry(class.home.region).or_default();
        strata.extend(&class.strata);
    }
    let counts = strata.into_iter();
    counts
        .map(|(region, strata)| (region, strata.len()))
        .collect()
}
