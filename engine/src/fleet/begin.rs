//! The start of a rollout, and the hosts that it is not for although they match.

use super::Fleet;
use crate::{
    id::{CellId, HostId, OperatorId},
    inventory::Host,
    plan::Plan,
    rollout::Rollout,
    time::Timestamp,
};
use std::collections::BTreeSet;

impl Fleet {
    /// The hosts that match and that a plan is not for. A standing rollout takes those later that come
    /// to need it, or that it is no longer denied to.
    fn left_alone_by(&self, plan: &Plan) -> BTreeSet<HostId> {
        let Some(rules) = &plan.late else {
            return BTreeSet::new();
        };
        let may_join_yet = |cell: &CellId, host: &Host| {
            let platform = &host.facts.platform;
            let content = plan.content_for(platform);
            let installed = self.package_sets.get(&host.facts.packages);
            content.is_some_and(|content| {
                self.denied_on(&content, cell, &host.id).is_some()
                    || installed
                        .is_some_and(|installed| content.is_nothing_for(platform, installed))
            })
        };
        let mut left = BTreeSet::new();
        for (id, cell) in self.cells.iter() {
            let hosts = cell.members().values().map(|member| &member.host);
            let others = hosts.filter(|host| {
                !plan.hosts.contains_key(&host.id)
                    && rules.selection.matches(host)
                    && !(rules.standing && may_join_yet(id, host))
            });
            left.extend(others.map(|host| host.id.clone()));
        }
        left
    }

    /// Begins a rollout, that of a variant too.
    pub(super) fn begin(&mut self, plan: &Plan, by: &OperatorId, now: Timestamp) {
        let mut rollout = Rollout::start(plan.clone(), by.clone(), now);
        rollout.leave_alone(self.left_alone_by(plan));
        self.rollouts.insert(plan.rollout.clone(), rollout);
        self.tell_silence(&plan.rollout);
    }

    /// A host was deleted: one of its name is another.
    pub(super) fn forget_left_alone(&mut self, host: &HostId) {
        for rollout in self.rollouts.values_mut() {
            rollout.forget_left_alone(host);
        }
    }
}
