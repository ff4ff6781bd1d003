//! What the control plane tells a cell about the capacity groups that reach beyond it.
//!
//! A cell decides alone how many of its hosts may be out: its own share of each group, counted from
//! the members present now and rounded down. Three things it cannot know, and so is told in an
//! [`Allotment`]: the tokens that it holds, of what rounding left over; how many hosts are out in other
//! cells beyond what those may have out; and that a group may have none out at all.
//!
//! An allotment belongs to the cell, not to one rollout: the cell's ledger is one for all actors, and
//! so two rollouts that are bound by one group draw from the same tokens, which cannot add up. It
//! allows nothing by itself: a host is started under a warrant, or reserved by a person, and the
//! allotment says how many may be out meanwhile. So it needs no end in time, and silence takes
//! nothing from a cell: a token is with another cell only after this one has taken an allotment
//! without it, and said after that how many are out (see [`Balance`]).
//!
//! ```text
//!   cells' standings --> Balance: free tokens, overdraft --> Allotment, only when it changes --> cell
//! ```

use crate::{
    floor::{Group, allowance, own_share},
    id::Generation,
    policy::FloorRule,
    share::Share,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// All that a cell is told about groups that reach beyond it. Each replaces the one before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Allotment {
    /// Rises with each allotment of the cell. 0: none was given.
    pub generation: Generation,
    /// Rules of rollouts that work in any cell: the cell counts its members by them too, for others
    /// to know. In order, each once.
    pub rules: Vec<FloorRule>,
    /// What it may not assume of its groups by itself, in order of rule and group.
    pub rights: Vec<Right>,
}

/// What a cell may have out of one group, beside its own share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Right {
    /// The rule that makes the group.
    pub rule: FloorRule,
    /// The group.
    pub group: Group,
    /// How many tokens of it the cell holds: so many more than its own share may be out.
    pub tokens: usize,
    /// How many of its own share the cell lends: so many fewer may be out here, and there are so many
    /// more tokens. Where a large cell's share is all of the allowance, a small one would have none.
    #[serde(default)]
    pub lent: usize,
    /// How many of the group are out in other cells beyond what there may be out: so many fewer may be
    /// out here.
    pub overdrawn: usize,
    /// Whether none of the whole group may ever be out, as in a group of one.
    pub is_closed: bool,
    /// Since when all that may be out of the whole group is out, and none of it comes back by itself. Absent: some
    /// room is left, or somebody is at work on what uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stranded_since: Option<Timestamp>,
}

impl Allotment {
    /// What it says of a group. Nothing: the cell has its own share and no more.
    pub fn right(&self, rule: &FloorRule, group: &Group) -> Option<&Right> {
        let is_it = |right: &&Right| right.group == *group && right.rule == *rule;
        self.rights.iter().find(is_it)
    }

    /// The numbers of what it says of a group.
    pub fn rights_of(&self, rule: &FloorRule, group: &Group) -> Rights {
        let right = self.right(rule, group);
        right.map_or_else(Rights::default, Right::rights)
    }

    /// Whether it says the same as another, whatever their generations.
    pub fn says_as(&self, other: &Self) -> bool {
        self.rules == other.rules && self.rights == other.rights
    }
}

/// The numbers of a [`Right`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rights {
    /// See [`Right::tokens`].
    pub tokens: usize,
    /// See [`Right::lent`].
    pub lent: usize,
    /// See [`Right::overdrawn`].
    pub overdrawn: usize,
    /// See [`Right::is_closed`].
    pub is_closed: bool,
    /// See [`Right::stranded_since`].
    #[serde(default)]
    pub stranded_since: Option<Timestamp>,
}

impl Rights {
    /// Whether they say more than that the cell has its own share.
    pub fn say_something(&self) -> bool {
        *self != Self::default()
    }
}

impl Right {
    /// What a cell may have out of a group.
    pub fn new(rule: &FloorRule, group: &Group, rights: Rights) -> Self {
        let Rights {
            tokens,
            lent,
            overdrawn,
            is_closed,
            stranded_since,
        } = rights;
        Self {
            rule: rule.clone(),
            group: group.clone(),
            tokens,
            lent,
            overdrawn,
            is_closed,
            stranded_since,
        }
    }

    /// Its numbers.
    pub fn rights(&self) -> Rights {
        Rights {
            tokens: self.tokens,
            lent: self.lent,
            overdrawn: self.overdrawn,
            is_closed: self.is_closed,
            stranded_since: self.stranded_since,
        }
    }
}

/// How one cell stands in a group, as it last said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// Its members of the group.
    pub members: usize,
    /// How many of them are out or may be.
    pub out: usize,
    /// How many of those do not come back by themselves: casualties, and hosts that are not heard of.
    #[serde(default)]
    pub lost: usize,
}

/// A cell's part of a group: what it last said, and what it may act upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// How the cell stands.
    pub standing: Standing,
    /// The most tokens of any allotment that it may have taken: of the one under which it said how it
    /// stands, and of every later one that it was sent.
    pub tokens: usize,
    /// The least that any of those lends of its share.
    pub lent: usize,
}

impl Part {
    /// A cell's part, as what it was told last says.
    pub fn of(standing: Standing, rights: Rights) -> Self {
        Self {
            standing,
            tokens: rights.tokens,
            lent: rights.lent,
        }
    }

    /// How many may be out without a token: the cell's own share, less what it lends of that.
    pub fn share(&self, min: Share) -> usize {
        own_share(self.standing.members, min).saturating_sub(self.lent)
    }

    /// How many tokens are in use: what is out beyond its share.
    pub fn used(&self, min: Share) -> usize {
        self.standing.out.saturating_sub(self.share(min))
    }

    /// How many tokens it holds and does not use.
    pub fn idle(&self, min: Share) -> usize {
        self.tokens.saturating_sub(self.used(min))
    }

    /// How many are out beyond its share and its tokens.
    pub fn over(&self, min: Share) -> usize {
        self.used(min).saturating_sub(self.tokens)
    }

    /// How many tokens are not free because of it: those that it may use, or what is out without any,
    /// as after a host fell by itself.
    fn charge(&self, min: Share) -> usize {
        self.tokens.max(self.used(min))
    }
}

/// A whole group, as its cells say that they stand.
///
/// With `W` the allowance of the whole group, a cell starts a host only while no more are out there
/// than its own share and its tokens, less the overdraft. The shares, what is lent taken off, and every cell's charge (its
/// tokens, or what is out beyond its share where that is more) come to `W` and the overdraft, so with
/// the host that is started no more than `W` are out, whatever the other cells do meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// How many of the whole group may be out.
    pub allowance: usize,
    /// How many of it are out or may be.
    pub out: usize,
    /// How many of those do not come back by themselves.
    pub lost: usize,
    /// How many tokens there are: what of the allowance is no cell's share.
    pub tokens: usize,
    /// Tokens that no cell holds or needs.
    pub free: usize,
    /// How many tokens more than there are the cells hold or need.
    pub short: usize,
}

impl Balance {
    /// The balance of a group that keeps the share `min` in service.
    pub fn of<'p>(parts: impl Iterator<Item = &'p Part>, min: Share) -> Self {
        let (mut members, mut shares, mut charge) = (0_usize, 0_usize, 0_usize);
        let (mut out, mut lost) = (0_usize, 0_usize);
        for part in parts {
            members += part.standing.members;
            out += part.standing.out;
            lost += part.standing.lost;
            shares += part.share(min);
            charge += part.charge(min);
        }
        let allowance = allowance(members, min);
        let tokens = allowance.saturating_sub(shares);
        Self {
            allowance,
            out,
            lost,
            tokens,
            free: tokens.saturating_sub(charge),
            short: charge.saturating_sub(tokens),
        }
    }

    /// Whether all that may be out is, and none of it comes back by itself: who waits for room may wait for ever.
    pub fn is_stranded(&self) -> bool {
        self.allowance > 0 && self.out >= self.allowance && self.lost == self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(members: usize, out: usize, tokens: usize) -> Part {
        let standing = Standing {
            members,
            out,
            lost: 0,
        };
        Part {
            standing,
            tokens,
            lent: 0,
        }
    }

    #[test]
    fn tokens_are_what_rounding_leaves_over_and_nobody_holds_or_needs() {
        type Found = (usize, usize, usize);
        let cases: [(&[Part], Found); 9] = [
            // parts at 90 %: members, out, tokens; allowance, free, short
            (&[part(8, 0, 0)], (1, 1, 0)),
            (&[part(8, 1, 1)], (1, 0, 0)),
            (&[part(1, 0, 0)], (0, 0, 0)),
            (&[part(8, 0, 0), part(8, 0, 0), part(8, 0, 0)], (2, 2, 0)),
            (&[part(8, 0, 1), part(8, 0, 0), part(8, 0, 0)], (2, 1, 0)),
            // Out without a token, as after a fall.
            (&[part(8, 1, 0), part(8, 0, 1), part(8, 0, 0)], (2, 0, 0)),
            (&[part(8, 1, 0), part(8, 0, 1), part(8, 1, 0)], (2, 0, 1)),
            // Hosts went: there are fewer tokens than are held.
            (&[part(8, 1, 1), part(2, 0, 1)], (1, 0, 1)),
            (&[part(15, 1, 0), part(15, 2, 1)], (3, 0, 0)),
        ];
        for (parts, (allowance, free, short)) in cases {
            let balance = Balance::of(parts.iter(), Share::percent(90));
            let found = (balance.allowance, balance.free, balance.short);
            assert_eq!(found, (allowance, free, short), "{parts:?}");
        }
    }

    #[test]
    fn a_share_that_is_lent_is_a_token_once_the_lender_has_so_few_out() {
        let lender = |members, out| Part {
            lent: 1,
            ..part(members, out, 0)
        };
        for (members, out, tokens, free) in [(100, 10, 1, 0), (100, 9, 1, 1), (9, 0, 1, 1)] {
            let parts = [lender(members, out), part(4, 0, 0)];
            let balance = Balance::of(parts.iter(), Share::percent(90));
            assert_eq!(
                (balance.tokens, balance.free),
                (tokens, free),
                "{members} {out}"
            );
            assert_eq!(balance.short, 0);
        }
    }

    #[test]
    fn a_group_is_stranded_once_its_allowance_is_out_and_nobody_is_at_work_on_any_of_it() {
        for (members, out, lost, expected) in [
            ((8, 8), (1, 0), (1, 0), true),
            ((8, 8), (1, 0), (0, 0), false),
            ((8, 8), (0, 0), (0, 0), false),
            ((20, 20), (1, 1), (1, 1), false),
            ((10, 10), (1, 1), (1, 0), false),
            ((10, 10), (1, 1), (1, 1), true),
            ((1, 0), (1, 0), (1, 0), false),
        ] {
            let part = |members, out, lost| Part {
                standing: Standing { members, out, lost },
                ..part(0, 0, 0)
            };
            let parts = [
                part(members.0, out.0, lost.0),
                part(members.1, out.1, lost.1),
            ];
            let balance = Balance::of(parts.iter(), Share::percent(90));
            assert_eq!(
                balance.is_stranded(),
                expected,
                "{members:?} {out:?} {lost:?}"
            );
        }
    }
}
