//! Finds names that two hosts of a fleet have, without writing down every name of numbered kinds.

use super::super::Names;
use crate::id::HostId;
use std::collections::{BTreeMap, BTreeSet};

/// Names that stand in a fleet twice, each with the index of a kind that has it: of two lists, or
/// two kinds of one prefix, the later; of a list and a prefix the list; of two prefixes the longer.
/// Two numbered kinds are found by the first name that they have in common.
pub(super) fn find<'n>(kinds: impl Iterator<Item = Option<&'n Names>>) -> Vec<(usize, HostId)> {
    let mut found = Vec::new();
    let mut listed = BTreeSet::new();
    let mut numbered: BTreeMap<&str, usize> = BTreeMap::new();
    // The first name of a longer prefix is the smallest number after a shorter one, so where any
    // of its names is among those of the shorter, that one is.
    let mut firsts: Vec<(usize, HostId, Option<&str>)> = Vec::new();
    for (index, names) in kinds.enumerate() {
        match names {
            None => {}
            Some(Names::Listed(names)) => {
                for name in names {
                    match listed.insert(name) {
                        true => firsts.push((index, name.clone(), None)),
                        false => found.push((index, name.clone())),
                    }
                }
            }
            Some(names @ Names::Numbered { prefix, count }) => {
                let is_new = !numbered.contains_key(prefix.as_str());
                let most = numbered.entry(prefix).or_default();
                *most = (*most).max(*count);
                for first in names.all().take(1) {
                    match is_new {
                        true => firsts.push((index, first, Some(prefix))),
                        false => found.push((index, first)),
                    }
                }
            }
        }
    }
    let is_taken = |name: &HostId, own: Option<&str>| {
        splits(name.as_str()).any(|(prefix, number)| {
            own != Some(prefix) && numbered.get(prefix).is_some_and(|most| number <= *most)
        })
    };
    firsts.retain(|(_, name, own)| is_taken(name, *own));
    found.extend(firsts.into_iter().map(|(index, name, _)| (index, name)));
    found
}

/// Every prefix and number that make a name together.
fn splits(name: &str) -> impl Iterator<Item = (&str, usize)> {
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
    (name.len() - digits..name.len()).filter_map(|at| {
        let (prefix, number) = name.split_at(at);
        let is_written_so = !number.starts_with('0');
        Some((prefix, number.parse().ok()?)).filter(|_| is_written_so)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbered(prefix: &str, count: usize) -> Names {
        let prefix = prefix.to_owned();
        Names::Numbered { prefix, count }
    }

    fn listed(names: &[&str]) -> Names {
        Names::Listed(names.iter().map(|n| HostId::new(*n).unwrap()).collect())
    }

    fn found(kinds: &[Names]) -> String {
        let found = find(kinds.iter().map(Some));
        let lines = found.iter().map(|(index, name)| format!("{index} {name}"));
        lines.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_name_that_two_hosts_have_is_found_with_the_kind_that_has_it() {
        for (kinds, twice) in [
            ([listed(&["a", "b"]), listed(&["b"])], "1 b"),
            ([listed(&["a", "a"]), listed(&["b"])], "0 a"),
            ([listed(&["a-3", "a-4"]), numbered("a-", 3)], "0 a-3"),
            ([listed(&["a-03", "a-0", "a-"]), numbered("a-", 3)], ""),
            ([numbered("a-", 1), numbered("a-", 2)], "1 a-1"),
            ([numbered("a-", 11), numbered("a-1", 5)], "1 a-11"),
            ([numbered("a-1", 5), numbered("a-", 11)], "0 a-11"),
            ([numbered("a-1", 5), numbered("a-", 10)], ""),
            ([numbered("a-0", 5), numbered("a-", 99)], ""),
            ([numbered("", 99), listed(&["99", "100"])], "1 99"),
        ] {
            assert_eq!(found(&kinds), twice, "{kinds:?}");
        }
    }

    fn any_names() -> impl Strategy<Value = Names> {
        prop_oneof![
            ("[a01]{1,2}", 1..120_usize).prop_map(|(prefix, count)| numbered(&prefix, count)),
            proptest::collection::vec("[a01]{1,3}", 1..3)
                .prop_map(|names| listed(&names.iter().map(String::as_str).collect::<Vec<_>>())),
        ]
    }

    proptest! {
        #[test]
        fn a_name_is_found_exactly_where_there_is_one_twice(
            kinds in proptest::collection::vec(any_names(), 1..4),
        ) {
            let names: Vec<HostId> = kinds.iter().flat_map(Names::all).collect();
            let apart: BTreeSet<&HostId> = names.iter().collect();
            prop_assert_eq!(found(&kinds).is_empty(), apart.len() == names.len());
        }
    }
}
