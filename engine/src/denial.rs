//! Denials: bits that are not installed again until an operator lifts that.
//!
//! A rollback leaves one, and so does a host on which a patch failed for good. Bits are named by
//! [`Content::bits`](crate::patch::Content::bits): by what is installed, whatever rollout brings it.

use crate::{
    digest::Digest,
    id::{CellId, HostId, OperatorId, RolloutId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// Where a denial holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "where", rename_all = "kebab-case")]
pub enum Place {
    /// Everywhere.
    Fleet,
    /// On the hosts of one cell.
    Cell {
        /// Which.
        cell: CellId,
    },
    /// On one host.
    Host {
        /// Which.
        host: HostId,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fleet => f.write_str("the fleet"),
            Self::Cell { cell } => write!(f, "cell {cell}"),
            Self::Host { host } => write!(f, "host {host}"),
        }
    }
}

/// How far the denial reaches that an operator's rollback leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The whole fleet.
    #[default]
    Fleet,
    /// The cells in which the rollout took a host.
    Cell,
    /// The hosts that it took.
    Host,
}

/// Which bits an operator means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "bits", rename_all = "kebab-case")]
pub enum Named {
    /// Those of this digest.
    Digest {
        /// The digest.
        digest: Digest,
    },
    /// Those of this rollout, for every platform; to lift: those that it was denied with.
    Rollout {
        /// The rollout.
        rollout: RolloutId,
    },
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest { digest } => digest.fmt(f),
            Self::Rollout { rollout } => write!(f, "rollout {rollout}"),
        }
    }
}

/// One denial: who, when, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Who denied the bits. Absent: the host itself, on which they failed for good.
    pub by: Option<OperatorId>,
    /// The rollout that brought them. Absent: an operator named them by their digest.
    pub rollout: Option<RolloutId>,
    /// Why, for people. May be empty.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Who lifted it. Absent: it holds.
    pub lifted: Option<Lift>,
}

/// The end of a denial. It is kept, since the agents' own denials end with their next order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lift {
    /// Who.
    pub by: OperatorId,
    /// Why, for people. May be empty.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Denial {
    fn holds(&self) -> bool {
        self.lifted.is_none()
    }
}

/// Says who denied the bits, and why.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.by, &self.rollout) {
            (Some(by), Some(rollout)) => write!(f, "denied by {by} with rollout {rollout}")?,
            (Some(by), None) => write!(f, "denied by {by}")?,
            (None, Some(rollout)) => write!(f, "denied by the host since rollout {rollout}")?,
            (None, None) => f.write_str("denied by the host")?,
        }
        match self.reason.as_str() {
            "" => Ok(()),
            reason => write!(f, ": {reason}"),
        }
    }
}

/// All denials of one digest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct OfBits {
    fleet: Option<Denial>,
    cells: BTreeMap<CellId, Denial>,
    hosts: BTreeMap<HostId, Denial>,
}

impl OfBits {
    /// What was ever denied or lifted for a host, widest first.
    fn covering(&self, cell: &CellId, host: &HostId) -> impl Iterator<Item = (Place, &Denial)> {
        let fleet = self.fleet.as_ref().map(|denial| (Place::Fleet, denial));
        let in_cell = self.cells.get(cell).map(|denial| {
            let cell = cell.clone();
            (Place::Cell { cell }, denial)
        });
        let on_host = self.hosts.get(host).map(|denial| {
            let host = host.clone();
            (Place::Host { host }, denial)
        });
        [fleet, in_cell, on_host].into_iter().flatten()
    }

    fn iter(&self) -> impl Iterator<Item = (Place, &Denial)> {
        let fleet = self.fleet.iter().map(|denial| (Place::Fleet, denial));
        let cells = self.cells.iter().map(|(cell, denial)| {
            let cell = cell.clone();
            (Place::Cell { cell }, denial)
        });
        let hosts = self.hosts.iter().map(|(host, denial)| {
            let host = host.clone();
            (Place::Host { host }, denial)
        });
        fleet.chain(cells).chain(hosts)
    }

    fn at(&mut self, place: &Place) -> Option<&mut Denial> {
        match place {
            Place::Fleet => self.fleet.as_mut(),
            Place::Cell { cell } => self.cells.get_mut(cell),
            Place::Host { host } => self.hosts.get_mut(host),
        }
    }
}

/// Every denial, held or lifted: of a fleet, or of one cell what concerns its hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Denials(BTreeMap<Digest, OfBits>);

impl Denials {
    /// Denies bits at a place. What was denied there already stays as it was first denied.
    pub fn deny(&mut self, bits: Digest, place: Place, denial: Denial) {
        let of_bits = self.0.entry(bits).or_default();
        if of_bits.at(&place).is_some_and(|present| present.holds()) {
            return;
        }
        match place {
            Place::Fleet => of_bits.fleet = Some(denial),
            Place::Cell { cell } => drop(of_bits.cells.insert(cell, denial)),
            Place::Host { host } => drop(of_bits.hosts.insert(host, denial)),
        }
    }

    /// Lifts what holds of some bits, everywhere or at one place. How many denials that ends.
    pub fn lift(&mut self, named: &Named, only_at: Option<&Place>, lift: &Lift) -> usize {
        let mut lifted = 0;
        for (digest, of_bits) in &mut self.0 {
            let is_meant = |place: &Place, denial: &Denial| {
                let is_named = match named {
                    Named::Digest { digest: named } => named == digest,
                    Named::Rollout { rollout } => denial.rollout.as_ref() == Some(rollout),
                };
                denial.holds() && is_named && only_at.is_none_or(|only| only == place)
            };
            let meant: Vec<Place> = of_bits
                .iter()
                .filter(|(place, denial)| is_meant(place, denial))
                .map(|(place, _)| place)
                .collect();
            for place in meant {
                if let Some(denial) = of_bits.at(&place) {
                    denial.lifted = Some(lift.clone());
                    lifted += 1;
                }
            }
        }
        lifted
    }

    /// What denies bits to a host, widest first. Nothing: they may be installed.
    pub fn of(&self, bits: &Digest, cell: &CellId, host: &HostId) -> Option<(Place, &Denial)> {
        let mut covering = self.0.get(bits)?.covering(cell, host);
        covering.find(|(_, denial)| denial.holds())
    }

    /// What denies bits to the whole fleet.
    pub fn for_fleet(&self, bits: &Digest) -> Option<&Denial> {
        let denial = self.0.get(bits)?.fleet.as_ref();
        denial.filter(|denial| denial.holds())
    }

    /// Whether an operator lifted what denied bits to a host, and nothing else does.
    pub fn is_lifted(&self, bits: &Digest, cell: &CellId, host: &HostId) -> bool {
        let Some(of_bits) = self.0.get(bits) else {
            return false;
        };
        let mut covering = of_bits.covering(cell, host).peekable();
        covering.peek().is_some() && covering.all(|(_, denial)| !denial.holds())
    }

    /// Whether nothing was ever denied.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every denial, held or lifted, in order of digests, widest first.
    pub fn iter(&self) -> impl Iterator<Item = (&Digest, Place, &Denial)> {
        let all = self.0.iter();
        all.flat_map(|(bits, of_bits)| of_bits.iter().map(move |(at, denial)| (bits, at, denial)))
    }

    /// Drops what was denied to a host that was deleted from the inventory: another of its name is
    /// another host.
    pub fn forget(&mut self, host: &HostId) {
        for of_bits in self.0.values_mut() {
            of_bits.hosts.remove(host);
        }
        self.drop_empty();
    }

    /// What concerns a cell and the hosts of it that are named.
    #[must_use]
    pub fn within(&self, cell: &CellId, has_host: impl Fn(&HostId) -> bool) -> Self {
        let mut part = self.clone();
        for of_bits in part.0.values_mut() {
            of_bits.cells.retain(|other, _| other == cell);
            of_bits.hosts.retain(|host, _| has_host(host));
        }
        part.drop_empty();
        part
    }

    fn drop_empty(&mut self) {
        self.0.retain(|_, of_bits| *of_bits != OfBits::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(name: &str) -> CellId {
        CellId::new(name).unwrap()
    }

    fn host(name: &str) -> HostId {
        HostId::new(name).unwrap()
    }

    fn denial(rollout: &str) -> Denial {
        Denial {
            by: Some(OperatorId::new("anna").unwrap()),
            rollout: Some(RolloutId::new(rollout).unwrap()),
            reason: String::new(),
            at: Timestamp(1),
            lifted: None,
        }
    }

    fn lift() -> Lift {
        Lift {
            by: OperatorId::new("ben").unwrap(),
            reason: "the cause is found".to_owned(),
            at: Timestamp(2),
        }
    }

    #[test]
    fn a_denial_holds_at_its_place_and_nowhere_else() {
        let bits = Digest::of("bits");
        let at_host = Place::Host { host: host("w1") };
        let in_cell = Place::Cell { cell: cell("a") };
        let cases = [
            (Place::Fleet, [true, true, true]),
            (in_cell, [true, true, false]),
            (at_host, [true, false, false]),
        ];
        for (place, expected) in cases {
            let mut denials = Denials::default();
            denials.deny(bits, place.clone(), denial("ssl"));
            let asked = [("a", "w1"), ("a", "w2"), ("b", "w3")];
            let found = asked.map(|(c, h)| denials.of(&bits, &cell(c), &host(h)).is_some());
            assert_eq!(found, expected, "{place}");
            assert!(
                denials
                    .of(&Digest::of("others"), &cell("a"), &host("w1"))
                    .is_none()
            );
        }
    }

    #[test]
    fn a_lift_ends_what_it_names_and_is_remembered() {
        let bits = Digest::of("bits");
        let mut denials = Denials::default();
        let at_host = Place::Host { host: host("w1") };
        denials.deny(bits, Place::Fleet, denial("ssl"));
        denials.deny(bits, at_host.clone(), denial("ssl"));
        let named = Named::Rollout {
            rollout: RolloutId::new("ssl").unwrap(),
        };
        let is_lifted = |denials: &Denials| denials.is_lifted(&bits, &cell("a"), &host("w1"));

        assert_eq!(denials.lift(&named, Some(&Place::Fleet), &lift()), 1);
        assert!(!is_lifted(&denials), "the host denies them still");
        assert_eq!(denials.lift(&named, None, &lift()), 1);
        assert!(is_lifted(&denials));
        assert_eq!(denials.lift(&named, None, &lift()), 0, "nothing is left");

        denials.deny(bits, at_host, denial("again"));
        assert!(!is_lifted(&denials), "denied anew");
    }

    #[test]
    fn a_forgotten_host_takes_its_denials_along() {
        let bits = Digest::of("bits");
        let mut denials = Denials::default();
        denials.deny(bits, Place::Host { host: host("w1") }, denial("ssl"));
        denials.forget(&host("w1"));
        assert!(denials.is_empty());
    }

    #[test]
    fn a_cell_is_told_what_concerns_it() {
        let bits = Digest::of("bits");
        let mut denials = Denials::default();
        let places = [
            Place::Fleet,
            Place::Cell { cell: cell("a") },
            Place::Cell { cell: cell("b") },
            Place::Host { host: host("w1") },
            Place::Host { host: host("w9") },
        ];
        for place in places {
            denials.deny(bits, place, denial("ssl"));
        }
        let part = denials.within(&cell("a"), |other| *other == host("w1"));
        let told: Vec<String> = part.iter().map(|(_, at, _)| at.to_string()).collect();
        assert_eq!(told, ["the fleet", "cell a", "host w1"]);
    }
}
