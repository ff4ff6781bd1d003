//! Makes up a fleet like a real one: regions and services of uneven size, a long tail of small
//! services in few places, several machines and images, and one instance type that is rare.

mod catalogue;
mod split;
#[cfg(test)]
mod tests;

use super::{Kind, MAX_HOSTS, ModelledFleet, Names, State};
use crate::{
    inventory::{INSTANCE_TYPE, PackageSet, Platform, REGION, SERVICE, ZONE},
    seed,
};
use catalogue::{EVERYWHERE, Image, RARE_TYPE, SERVICES, Service, WIDE};
use split::split;
use std::collections::BTreeMap;

/// The most regions of a made-up fleet: three times as many as the largest provider has (guess);
/// the file of such a fleet is short enough to be read back.
pub const MAX_REGIONS: usize = 100;

/// Of how many hosts one is of the rare type: 200 of 25,000.
const RARE_ONE_IN: usize = 125;
/// How many groups the rare hosts are spread over, as far as there are as many.
const RARE_GROUPS: usize = 200;
/// From how many hosts on a group has some on another machine or image (guess: fewer would make
/// the file long for little).
const MIXED_FROM: usize = 40;
/// How many regions a service is in that is not everywhere, about, beside its home.
const WIDE_REGIONS: u64 = 6;
const NARROW_REGIONS: u64 = 2;
/// How many of the largest regions are homes of services that are not everywhere.
const HOMES: u64 = 4;
/// The hosts of the zones of a region, each as a share of all.
const ZONES: [(char, usize); 3] = [('a', 38), ('b', 34), ('c', 28)];

/// What fleet to make up. A value outside its range is taken as the nearest in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generated {
    /// How many hosts, from 1 to [`MAX_HOSTS`].
    pub hosts: usize,
    /// How many regions, from 1 to [`MAX_REGIONS`], and at most one a host.
    pub regions: usize,
    /// Which of all fleets of that size: the same number makes the same fleet.
    pub seed: u64,
}

/// Makes up a fleet of exactly so many hosts, in 47 services where there is room for all.
///
/// A zone has no more services than leave each of them two hosts, unless it has only one host: a
/// host that is alone in its capacity group could not be taken without an approval.
pub fn generate(asked: &Generated) -> ModelledFleet {
    let seed = Seed(asked.seed.to_string());
    let zones = zones(asked);
    let groups: Vec<Group<'_>> = zones.iter().flat_map(|zone| zone.groups(&seed)).collect();
    let rare = rare(&groups, &seed);
    let kinds = groups
        .iter()
        .zip(rare)
        .flat_map(|(g, rare)| g.kinds(rare, &seed));
    ModelledFleet {
        kinds: kinds.collect(),
        denied: Vec::new(),
    }
}

/// Where draws come from.
struct Seed(String);

impl Seed {
    fn draw(&self, what: &str, of: &[&str]) -> u64 {
        seed::of(&[&[&self.0, what], of].concat())
    }
}

/// A zone, with its share of the fleet.
struct Zone {
    region: String,
    /// The place of its region among all, from 0, in order of size.
    region_index: u64,
    /// How many regions there are.
    regions: u64,
    /// Its place in its region, from 0.
    index: u64,
    name: String,
    hosts: usize,
}

fn zones(asked: &Generated) -> Vec<Zone> {
    let hosts = asked.hosts.clamp(1, MAX_HOSTS);
    let regions = asked.regions.clamp(1, MAX_REGIONS).min(hosts);
    // From the first to the last the weights fall to about a sixth, steeply at first.
    let weights: Vec<usize> = (0..regions)
        .map(|i| 1_000_000 / (regions + 5 * i))
        .collect();
    let mut zones = Vec::new();
    for ((region_index, hosts), place) in (0..).zip(split(hosts, &weights, 1)).zip(0..) {
        let region = catalogue::region(place);
        let used = &ZONES[..(hosts / 2).clamp(1, ZONES.len())];
        let shares: Vec<usize> = used.iter().map(|(_, share)| *share).collect();
        let least = hosts.min(2);
        for ((index, hosts), (letter, _)) in (0..).zip(split(hosts, &shares, least)).zip(used) {
            zones.push(Zone {
                name: format!("{region}{letter}"),
                region: region.clone(),
                region_index,
                regions: regions as u64,
                index,
                hosts,
            });
        }
    }
    zones
}

impl Zone {
    /// The services that are there, with their hosts.
    fn groups(&self, seed: &Seed) -> Vec<Group<'_>> {
        let has = |(place, service): &(usize, &Service)| self.has(*place, service, seed);
        let services = SERVICES.iter().enumerate().filter(has);
        let services: Vec<_> = services.take((self.hosts / 2).max(1)).collect();
        // A service has half as many hosts as one that is twice as far down the list.
        let weights: Vec<usize> = services
            .iter()
            .map(|(place, _)| 10_000 / (place + 2))
            .collect();
        let hosts = split(self.hosts, &weights, self.hosts.min(2));
        let group = |((_, service), hosts)| Group {
            service,
            zone: self,
            hosts,
        };
        services.into_iter().zip(hosts).map(group).collect()
    }

    /// Whether a service is there, by its place in the list.
    fn has(&self, place: usize, service: &Service, seed: &Seed) -> bool {
        if place < EVERYWHERE {
            return true;
        }
        let regions = if place < WIDE {
            WIDE_REGIONS
        } else {
            NARROW_REGIONS
        };
        let is_home =
            seed.draw("home", &[service.name]) % HOMES.min(self.regions) == self.region_index;
        let here = [service.name, self.region.as_str()];
        let is_in_region = is_home || seed.draw("region", &here) % self.regions < regions;
        let is_left_out = place >= WIDE && seed.draw("zone", &here) % 3 == self.index;
        is_in_region && !is_left_out
    }
}

/// The hosts of a service in a zone.
struct Group<'z> {
    service: &'static Service,
    zone: &'z Zone,
    hosts: usize,
}

impl Group<'_> {
    fn draw(&self, what: &str, seed: &Seed) -> u64 {
        seed.draw(what, &[self.service.name, &self.zone.name])
    }

    /// Its hosts, of which so many are of the rare type.
    fn kinds(&self, rare: usize, seed: &Seed) -> Vec<Kind> {
        let common = self.hosts - rare;
        let other = if common < MIXED_FROM { 0 } else { common / 4 };
        let image = catalogue::image(self.draw("image", seed) % 100);
        let other_image = catalogue::image(self.draw("other image", seed) % 100);
        let parts = [
            ('a', self.service.usual, image, common - other),
            ('b', self.service.other, other_image, other),
            ('r', RARE_TYPE, image, rare),
        ];
        let parts = parts.into_iter().filter(|(_, _, _, count)| *count > 0);
        parts
            .map(|(letter, kind, image, count)| self.kind(letter, kind, image, count))
            .collect()
    }

    fn kind(&self, letter: char, instance_type: &str, image: &Image, count: usize) -> Kind {
        let Zone {
            region, name: zone, ..
        } = self.zone;
        let service = self.service.name;
        let labels = [
            (SERVICE, service),
            (REGION, region),
            (ZONE, zone),
            (INSTANCE_TYPE, instance_type),
        ];
        let architecture = catalogue::architecture(instance_type);
        let image = match architecture {
            "arm64" => &catalogue::NEWEST,
            _ => image,
        };
        let kernel = format!("{}-{architecture}", image.kernel);
        let kernel_package = (format!("linux-image-{kernel}"), image.kernel_package);
        let packages = image
            .packages
            .map(|(name, version)| (name.to_owned(), version));
        Kind {
            names: Names::Numbered {
                prefix: format!("{service}-{zone}-{letter}"),
                count,
            },
            labels: owned(labels).into(),
            platform: Platform {
                os_release: image.os_release.to_owned(),
                architecture: architecture.to_owned(),
            },
            kernel,
            packages: PackageSet(owned(packages.into_iter().chain([kernel_package]))).into(),
            state: State::default(),
        }
    }
}

fn owned<'v, K: Into<String>>(
    entries: impl IntoIterator<Item = (K, &'v str)>,
) -> BTreeMap<String, String> {
    let owned = entries
        .into_iter()
        .map(|(key, value)| (key.into(), value.to_owned()));
    owned.collect()
}

/// How many hosts of each group are of the rare type: a few here and there.
fn rare(groups: &[Group<'_>], seed: &Seed) -> Vec<usize> {
    let all: usize = groups.iter().map(|group| group.hosts).sum();
    let mut left = all / RARE_ONE_IN;
    let each = 1 + left / RARE_GROUPS;
    let mut drawn: Vec<usize> = (0..groups.len()).collect();
    drawn.sort_by_key(|index| groups[*index].draw("rare", seed));
    let mut rare = vec![0; groups.len()];
    // Ends, since the rare hosts are fewer than all.
    while left > 0 {
        for index in &drawn {
            let more = each.min(left).min(groups[*index].hosts - rare[*index]);
            rare[*index] += more;
            left -= more;
        }
    }
    rare
}
