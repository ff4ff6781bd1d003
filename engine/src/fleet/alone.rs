//! Who is alone in a group, and so is not taken before somebody approved it: it follows the fleet, as
//! hosts come to groups and leave them.

use super::Fleet;
use crate::{
    exception::Word,
    floor::{Group, allowance},
    id::{HostId, OperatorId, RolloutId},
    inventory::{Host, SERVICE},
    plan::NeededApproval,
    policy::FloorRule,
    rollout::{Rollout, RolloutEvent},
    time::Timestamp,
    warrant::Outcome,
};
use std::collections::BTreeSet;

impl Fleet {
    /// Looks again at who is alone in the groups that a host came to or left.
    pub(super) fn look_who_is_alone(&mut self, came_or_left: &Host, now: Timestamp) {
        let mut found = BTreeSet::new();
        for (name, rollout) in self.rollouts.iter().filter(|(_, r)| may_ask(r)) {
            let assignments = rollout.plan().assignments.values();
            let floors = assignments.flat_map(|assignment| &assignment.floors);
            let rules: BTreeSet<&FloorRule> = floors.map(|floor| &floor.rule).collect();
            for rule in rules {
                let hosts = self.one_or_two(rule, &Group::of(rule, came_or_left));
                found.extend(hosts.into_iter().map(|host| (name.clone(), host)));
            }
            // It may have come to a large group.
            found.insert((name.clone(), came_or_left.id.clone()));
        }
        for (rollout, host) in found {
            self.ask_if_alone(&rollout, &host, now);
        }
    }

    /// Looks again at hosts that come back into play by what a rollout heard: while they were over nobody
    /// asked who stands in for them.
    pub(super) fn look_who_is_back(
        &mut self,
        rollout: &RolloutId,
        event: &RolloutEvent,
        now: Timestamp,
    ) {
        let mut back = BTreeSet::new();
        if let RolloutEvent::Excepted {
            word: Word::Retry,
            hosts,
            ..
        } = event
        {
            back.extend(hosts);
        }
        if let RolloutEvent::Summarised { summary } = event {
            let waits = |(_, outcome): &(_, &Outcome)| **outcome == Outcome::Waiting;
            let waiting = summary.changed.iter().filter(waits);
            back.extend(waiting.map(|(host, _)| host));
        }
        for host in back {
            self.ask_if_alone(rollout, host, now);
        }
    }

    /// Looks again at all hosts: other people may answer for their services now.
    pub(super) fn ask_all_anew(&mut self, now: Timestamp) {
        let asking = self.rollouts.iter().filter(|(_, rollout)| may_ask(rollout));
        let hosts = asking.flat_map(|(name, rollout)| {
            let hosts = rollout.plan().hosts.keys();
            hosts.map(move |host| (name.clone(), host.clone()))
        });
        for (rollout, host) in hosts.collect::<Vec<_>>() {
            self.ask_if_alone(&rollout, &host, now);
        }
    }

    /// Lets a rollout ask for an approval of a host that is alone, and not ask for one that is not.
    pub(super) fn ask_if_alone(&mut self, rollout: &RolloutId, host: &HostId, now: Timestamp) {
        let asking = self.rollouts.get(rollout).filter(|known| may_ask(known));
        let Some(asking) = asking else { return };
        let needed = self.needed_approval(asking, host, now);
        if let Some(asking) = self.rollouts.get_mut(rollout) {
            asking.need_approval(host, needed, now);
        }
    }

    /// The hosts of a group that has one or two: only those become alone, or are so no longer, when one
    /// host comes or goes.
    fn one_or_two(&self, rule: &FloorRule, group: &Group) -> Vec<HostId> {
        let sizes = self
            .cells
            .values()
            .map(|cell| (cell, cell.members_of(rule, group)));
        let parts: Vec<_> = sizes.filter(|(_, size)| *size > 0).collect();
        if parts.iter().map(|(_, size)| size).sum::<usize>() > 2 {
            return Vec::new();
        }
        let members = parts.iter().flat_map(|(cell, _)| cell.members().values());
        let hosts = members.map(|member| &member.host);
        let is_of_it = |host: &&Host| Group::of(rule, host) == *group;
        hosts.filter(is_of_it).map(|host| host.id.clone()).collect()
    }

    /// The approval that a host needs now: it is alone in a group that lets none out, and somebody may
    /// approve it.
    fn needed_approval(
        &self,
        rollout: &Rollout,
        host: &HostId,
        now: Timestamp,
    ) -> Option<NeededApproval> {
        let plan = rollout.plan();
        let planned = plan.hosts.get(host)?;
        let (_, member) = self.host(host)?;
        let floors = plan.assignments.get(&planned.cell)?.floors.iter();
        let is_bound = floors.filter(|floor| floor.hosts.contains(host));
        let mut keeps_one = is_bound.filter(|floor| allowance(1, floor.rule.min_in_service) == 0);
        let group = keeps_one.find_map(|floor| {
            let group = Group::of(&floor.rule, &member.host);
            let sizes = self
                .cells
                .values()
                .map(|c| c.members_of(&floor.rule, &group));
            let is_alone = floor.may_be_approved() && sizes.sum::<usize>() == 1;
            is_alone.then_some(group)
        })?;
        let service = self.services.get(member.host.value(SERVICE)?);
        let owners = service.into_iter().flat_map(|service| &service.owners);
        let by: BTreeSet<OperatorId> = plan.approvers.iter().chain(owners).cloned().collect();
        (!by.is_empty()).then(|| NeededApproval {
            group: format!("{group} in {}", planned.cell),
            by,
            since: now,
        })
    }
}

/// Whether a rollout may still take hosts that need an approval: what a repair takes is out already.
fn may_ask(rollout: &Rollout) -> bool {
    rollout.takes_more() && !rollout.plan().is_repair()
}
