//! How much of a capacity group may be out: the allowance, defined once.

use crate::{
    inventory::{Host, REGION, ZONE},
    policy::FloorRule,
    share::Share,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How many of a whole group's members may be out at once, wherever they are.
///
/// What must stay in service is rounded up. A group of two or more may always have one out, unless
/// all of it must stay (`min` is 100 %).
pub fn allowance(members: usize, min: Share) -> usize {
    let share = own_share(members, min);
    match members >= 2 && min < Share::ALL {
        true => share.max(1),
        false => share,
    }
}

/// How many of the members that one cell has of a group may be out without asking anybody.
///
/// Rounded down, so that the cells' own shares together are never more than the allowance of the
/// whole. What is missing to that are the group's tokens.
pub fn own_share(members: usize, min: Share) -> usize {
    members.saturating_sub(min.of_rounded_up(members))
}

/// A capacity group: the hosts with the same values of a rule's labels.
///
/// Zones of two regions may have one name, so a rule that names `zone` and not `region` makes groups
/// within regions. A rule that names neither makes groups that span them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group {
    /// Its region, where the rule names zones only. Absent: the name says all.
    pub region: Option<String>,
    /// The labels' values in order of the rule, as in `service=web zone=a`. A label that a host has
    /// not stands as `?`, so that such hosts are a group of their own.
    pub name: String,
}

impl Group {
    /// The group that a rule puts a host in.
    pub fn of(rule: &FloorRule, host: &Host) -> Self {
        let value = |label: &str| host.value(label).unwrap_or("?");
        let mut name = String::new();
        for label in &rule.group_by {
            let gap = if name.is_empty() { "" } else { " " };
            name.extend([gap, label, "=", value(label)]);
        }
        Self {
            region: (rule.names(ZONE) && !rule.names(REGION)).then(|| value(REGION).to_owned()),
            name,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::homed;

    #[test]
    fn the_allowance_is_what_need_not_stay_and_one_of_two_or_more() {
        let cases = [
            // members, min in service, of the whole, of a part of it
            (8, 75, 2, 2),
            (8, 90, 1, 0),
            (20, 90, 2, 2),
            (19, 90, 1, 1),
            (1, 90, 0, 0),
            (1, 0, 1, 1),
            (2, 100, 0, 0),
            (0, 90, 0, 0),
        ];
        for (members, min, whole, part) in cases {
            let min = Share::percent(min);
            assert_eq!(allowance(members, min), whole, "{members} at {min}");
            assert_eq!(own_share(members, min), part, "part of {members} at {min}");
        }
    }

    #[test]
    fn the_cells_own_shares_are_never_more_than_the_whole() {
        for min in [0, 1, 33, 50, 75, 90, 99, 100] {
            let min = Share::percent(min);
            for (a, b) in (0..60).flat_map(|a| (0..60).map(move |b| (a, b))) {
                let shares = own_share(a, min) + own_share(b, min);
                assert!(shares <= allowance(a + b, min), "{a} and {b} at {min}");
            }
        }
    }

    #[test]
    fn a_zone_is_within_its_region_and_a_service_spans_regions() {
        let host = |region: &str| {
            let labels = [("service", "web"), ("region", region), ("zone", "a")];
            homed::host("web-1", &labels)
        };
        let cases: [(&[&str], &str, bool); 4] = [
            (&["service", "zone"], "service=web zone=a", false),
            (&["service", "region"], "service=web region=r1", false),
            (&["service"], "service=web", true),
            (&["rack"], "rack=?", true),
        ];
        for (labels, name, is_one) in cases {
            let rule = FloorRule {
                group_by: labels.iter().map(|label| (*label).to_owned()).collect(),
                min_in_service: Share::percent(90),
            };
            let (here, there) = (Group::of(&rule, &host("r1")), Group::of(&rule, &host("r2")));
            assert_eq!(here.to_string(), name);
            assert_eq!(here == there, is_one, "{labels:?}");
        }
    }
}
