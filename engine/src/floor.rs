//! How much of a capacity group may be out: the allowance, defined once.

use crate::{inventory::Host, policy::FloorRule, share::Share};
use serde::{Deserialize, Serialize};

/// Whether a cell has a whole capacity group, or a part of one that it shares with other cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Membership {
    /// All members of the group are in this cell.
    Whole,
    /// Other cells have members too, so the cell may only use its own share, rounded down.
    Split,
}

/// How many of a group's members may be out at once.
///
/// What must stay in service is rounded up, so the allowance is rounded down and the sum over the
/// cells of a split group is safe. A whole group of two or more may always have one out, unless all
/// of it must stay (`min` is 100 %).
pub fn allowance(members: usize, min: Share, membership: Membership) -> usize {
    let share = members.saturating_sub(min.of_rounded_up(members));
    match membership {
        Membership::Whole if members >= 2 && min < Share::ALL => share.max(1),
        Membership::Whole | Membership::Split => share,
    }
}

/// The name of the group that a rule puts a host in, as in `service=web zone=a`.
///
/// A label that the host has not stands as `?`, so that such hosts are a group of their own.
pub fn group_name(rule: &FloorRule, host: &Host) -> String {
    let parts: Vec<String> = rule
        .group_by
        .iter()
        .map(|label| format!("{label}={}", host.value(label).unwrap_or("?")))
        .collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowance_is_what_need_not_stay_and_one_of_a_whole_group() {
        use Membership::{Split, Whole};
        let cases = [
            // members, min in service, membership, may be out
            (8, 75, Whole, 2),
            (8, 90, Whole, 1),
            (8, 90, Split, 0),
            (20, 90, Split, 2),
            (19, 90, Split, 1),
            (1, 90, Whole, 0),
            (1, 0, Whole, 1),
            (2, 100, Whole, 0),
            (0, 90, Whole, 0),
        ];
        for (members, min, membership, expected) in cases {
            let out = allowance(members, Share::percent(min), membership);
            assert_eq!(out, expected, "{members} members at {min} % {membership:?}");
        }
    }
}
