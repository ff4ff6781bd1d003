//! The fleet of the demo on paper: 24 hosts of one service, in three zones of two regions.
//!
//! | zone | region | instance types              |
//! |------|--------|-----------------------------|
//! | a    | r1     | 7 `m7.large`, 1 `x2.metal`  |
//! | b    | r1     | 8 `c7.large`                |
//! | c    | r2     | 7 `r7.large`, 1 `x2.metal`  |
//!
//! `x2.metal` is the rare type that the third release is bad on.

use std::fmt;

/// How many hosts each zone has.
pub const HOSTS_PER_ZONE: usize = 8;

/// A type of machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceType(&'static str);

impl InstanceType {
    /// The one of which there are only two.
    pub const RARE: Self = Self("x2.metal");
    /// All.
    pub const ALL: [Self; 4] = [
        Self("m7.large"),
        Self("c7.large"),
        Self("r7.large"),
        Self::RARE,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for InstanceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// One host on paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name, as in `a-8`.
    pub name: String,
    /// Its region.
    pub region: &'static str,
    /// Its zone.
    pub zone: &'static str,
    /// Its type.
    pub instance_type: InstanceType,
}

struct Zone {
    name: &'static str,
    region: &'static str,
    common: InstanceType,
    rare: usize,
}

const ZONES: [Zone; 3] = [
    Zone {
        name: "a",
        region: "r1",
        common: InstanceType("m7.large"),
        rare: 1,
    },
    Zone {
        name: "b",
        region: "r1",
        common: InstanceType("c7.large"),
        rare: 0,
    },
    Zone {
        name: "c",
        region: "r2",
        common: InstanceType("r7.large"),
        rare: 1,
    },
];

/// All hosts of the demo, in order of their names. The rare ones are the last of their zones.
pub fn fleet() -> Vec<Host> {
    ZONES.iter().flat_map(Zone::hosts).collect()
}

impl Zone {
    fn hosts(&self) -> impl Iterator<Item = Host> {
        (1..=HOSTS_PER_ZONE).map(|number| Host {
            name: format!("{}-{number}", self.name),
            region: self.region,
            zone: self.name,
            instance_type: if number > HOSTS_PER_ZONE - self.rare {
                InstanceType::RARE
            } else {
                self.common
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_24_hosts_of_8_7_7_and_2_of_a_type() {
        let fleet = fleet();
        let count = |kind: &InstanceType| fleet.iter().filter(|h| h.instance_type == *kind).count();
        let mut counts: Vec<usize> = InstanceType::ALL.iter().map(count).collect();
        counts.sort_unstable();
        assert_eq!((fleet.len(), counts), (24, vec![2, 7, 7, 8]));
    }

    #[test]
    fn the_rare_hosts_are_in_zones_a_and_c() {
        let fleet = fleet();
        let rare = fleet
            .iter()
            .filter(|h| h.instance_type == InstanceType::RARE);
        assert_eq!(rare.map(|h| h.zone).collect::<Vec<_>>(), ["a", "c"]);
    }
}
