//! Finds services that depend on themselves through others.

use super::Service;
use crate::id::ServiceName;
use std::collections::{BTreeMap, BTreeSet, btree_set};

/// Cycles of dependencies, each as its services in order, the first not repeated. Every cycle
/// shares a dependency with one of these, so none is missed as a whole.
///
/// Goes deep without recursion: the file is an operator's, and may be one long chain.
pub(super) fn cycles(services: &BTreeMap<ServiceName, Service>) -> Vec<Vec<ServiceName>> {
    let mut cycles = Vec::new();
    let mut seen: BTreeSet<&ServiceName> = BTreeSet::new();
    for start in services.keys() {
        if !seen.insert(start) {
            continue;
        }
        let mut path = vec![(start, needs(services, start))];
        while let Some((_, left)) = path.last_mut() {
            let Some(next) = left.next() else {
                path.pop();
                continue;
            };
            if seen.insert(next) {
                path.push((next, needs(services, next)));
            } else if let Some(from) = path.iter().position(|(on_path, _)| *on_path == next) {
                let members = path.iter().skip(from);
                cycles.push(members.map(|(member, _)| (*member).clone()).collect());
            }
        }
    }
    cycles
}

/// What a service depends on. Nothing of one that is not declared.
fn needs<'a>(
    services: &'a BTreeMap<ServiceName, Service>,
    name: &ServiceName,
) -> btree_set::Iter<'a, ServiceName> {
    static NOTHING: BTreeSet<ServiceName> = BTreeSet::new();
    let service = services.get(name);
    service.map_or(NOTHING.iter(), |service| service.depends_on.iter())
}
