//! In which order the targets of an SRV record are tried.

use std::collections::BTreeMap;

/// One target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Lower ones are tried first.
    pub(super) priority: u16,
    /// Its part of those of its priority.
    pub(super) weight: u16,
    /// Where it is, `HOST:PORT`.
    pub(super) address: String,
}

/// The addresses in the order of RFC 2782: by priority, and within one drawn by weight. `draw` gives a number
/// from 0 up to the one that it is given.
pub(super) fn order(targets: &[Target], mut draw: impl FnMut(u64) -> u64) -> Vec<String> {
    let mut priorities: BTreeMap<u16, Vec<&Target>> = BTreeMap::new();
    for target in targets {
        priorities.entry(target.priority).or_default().push(target);
    }
    let mut ordered = Vec::new();
    for mut left in priorities.into_values() {
        // Those without a weight first, so that they have the little chance that the RFC gives them.
        left.sort_by_key(|target| (target.weight, target.address.clone()));
        while !left.is_empty() {
            let sum = left.iter().map(|target| u64::from(target.weight)).sum();
            let chosen = chosen(&left, draw(sum));
            ordered.push(left.remove(chosen).address.clone());
        }
    }
    ordered
}

/// The first whose weight, with those before it, reaches what was drawn. Not of none.
fn chosen(left: &[&Target], drawn: u64) -> usize {
    let mut sum = 0;
    let reaches = |target: &&Target| {
        sum += u64::from(target.weight);
        sum >= drawn
    };
    left.iter().position(reaches).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::digest::Digest;

    fn target(priority: u16, weight: u16, address: &str) -> Target {
        let address = address.to_owned();
        Target {
            priority,
            weight,
            address,
        }
    }

    #[test]
    fn a_lower_priority_comes_first_whatever_the_weights_are() {
        let targets = [
            target(20, 65_535, "c:1"),
            target(10, 0, "a:1"),
            target(10, 0, "b:1"),
        ];
        let mut first = order(&targets, |most| most);
        let last = first.split_off(2);
        first.sort();
        assert_eq!(
            (first, last),
            (vec!["a:1".into(), "b:1".into()], vec!["c:1".to_owned()])
        );
    }

    #[test]
    fn within_a_priority_each_is_first_by_its_weight() {
        let targets = [
            target(1, 0, "none:1"),
            target(1, 30, "some:1"),
            target(1, 70, "most:1"),
        ];
        let mut first: BTreeMap<String, u32> = BTreeMap::new();
        for round in 0..1_000 {
            let drawn = |most: u64| {
                let bytes = *Digest::of(format!("{round} {most}")).as_bytes();
                u64::from(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])) % (most + 1)
            };
            let order = order(&targets, drawn);
            assert_eq!(order.len(), 3);
            *first.entry(order[0].clone()).or_default() += 1;
        }
        let share = |address: &str| first.get(address).copied().unwrap_or(0);
        assert!((650..750).contains(&share("most:1")), "{first:?}");
        assert!((250..350).contains(&share("some:1")), "{first:?}");
        assert!(share("none:1") < 30, "{first:?}");
    }
}
