//! Hosts that connect after a rollout's start, and hosts that a relabelling takes out of one.

use super::{Fleet, FleetError};
use crate::{
    cell::{CellEvent, GivenUp, Job, Member},
    denial::{Denial, Place},
    digest::Digest,
    id::{CellId, HostId, RolloutId},
    inventory::SERVICE,
    patch::Content,
    plan::LateHost,
    policy::LateJoin,
    rollout::Rollout,
    time::Timestamp,
    warrant::Outcome,
};

/// What a live rollout makes of a host that connected.
enum Verdict {
    /// It joins.
    Joins,
    /// It is of the rollout, and has other packages than was assumed.
    Differs,
    /// It stays as it is, and is listed with why.
    Stays(String),
    /// It is of the rollout, and no longer matches.
    Drops,
    /// It is not of the rollout, and does not match any more: as what it comes back, it is new.
    Parts,
    /// The rollout has nothing to do with it, or has it already.
    Nothing,
}

impl Fleet {
    /// Looks at a host that connected, or whose packages were heard of, for each live rollout.
    pub(super) fn consider_late(
        &mut self,
        host: &HostId,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let names: Vec<RolloutId> = self.rollouts.keys().cloned().collect();
        for name in names {
            let verdict = self.judge_late(&name, host);
            if !matches!(verdict, Verdict::Nothing) {
                self.changes.rollouts += 1;
            }
            match verdict {
                Verdict::Nothing => {}
                Verdict::Joins => {
                    self.join_late(&name, host, now);
                    self.ask_if_alone(&name, host, now);
                    self.tell_silence(&name);
                }
                Verdict::Differs => self.take_as_it_is(&name, host),
                Verdict::Stays(why) => {
                    if let Some(rollout) = self.rollouts.get_mut(&name) {
                        rollout.leave_late(host, why);
                    }
                }
                Verdict::Parts => {
                    if let Some(rollout) = self.rollouts.get_mut(&name) {
                        rollout.forget_left_alone(host);
                    }
                }
                Verdict::Drops => self.drop_relabelled(&name, host, now)?,
            }
        }
        Ok(())
    }

    /// Hosts whose packages have just become known are looked at again.
    pub(super) fn consider_late_with(
        &mut self,
        packages: &Digest,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let has_them = |member: &&Member| member.host.facts.packages == *packages;
        let members = self.cells.values().flat_map(|cell| cell.members().values());
        let hosts: Vec<HostId> = members
            .filter(has_them)
            .map(|member| member.host.id.clone())
            .collect();
        hosts
            .iter()
            .try_for_each(|host| self.consider_late(host, now))
    }

    fn judge_late(&self, name: &RolloutId, host: &HostId) -> Verdict {
        let (Some(rollout), Some((cell, member))) = (self.rollouts.get(name), self.host(host))
        else {
            return Verdict::Nothing;
        };
        let rules = rollout.plan().late.as_ref();
        let Some(rules) = rules.filter(|_| rollout.takes_more()) else {
            return Verdict::Nothing;
        };
        let is_gone = rollout.outcomes().get(host) == Some(&Outcome::Gone);
        let is_planned = rollout.plan().hosts.contains_key(host) && !is_gone;
        let is_left_alone = rollout.left_alone().contains(host);
        match (is_planned, rules.selection.matches(&member.host)) {
            (true, true) if self.differs(rollout, member) => Verdict::Differs,
            (true, true) => Verdict::Nothing,
            (true, false) => Verdict::Drops,
            (false, false) if is_left_alone => Verdict::Parts,
            (false, false) => Verdict::Nothing,
            (false, true) if is_left_alone => Verdict::Nothing,
            (false, true) if rules.repair => {
                Verdict::Stays("a repair takes hosts that were out when it was planned".to_owned())
            }
            (false, true) if rules.join == LateJoin::Skip => {
                Verdict::Stays("it came late (late_join = \"skip\")".to_owned())
            }
            (false, true) if rollout.failed_before_it_was_gone(host) => {
                Verdict::Stays("the host of its name failed here before it was deleted".to_owned())
            }
            (false, true) => match rollout.exceptions().get(host) {
                Some(word) if word.sets_aside() => Verdict::Stays(word.to_string()),
                Some(_) | None => self.judge_matching(rollout, cell.id(), member),
            },
        }
    }

    fn judge_matching(&self, rollout: &Rollout, cell: &CellId, member: &Member) -> Verdict {
        let host = &member.host.id;
        let Some(installed) = self.package_sets.get(&member.host.facts.packages) else {
            return Verdict::Nothing;
        };
        let plan = rollout.plan();
        let platform = &member.host.facts.platform;
        let Some(content) = plan.content_for(platform) else {
            return Verdict::Stays(format!("the lock file has nothing for {platform}"));
        };
        if let Some((place, denial)) = self.denied_on(&content, cell, host) {
            return Verdict::Stays(format!("its bits are for {place} {denial}"));
        }
        if content.is_nothing_for(platform, installed) {
            return Verdict::Nothing;
        }
        let mut rivals = self.rivals(plan).into_iter();
        match rivals.find(|rival| self.is_theirs(rival, host)) {
            Some(rival) => Verdict::Stays(rival.reason()),
            None => Verdict::Joins,
        }
    }

    pub(super) fn denied_on(
        &self,
        content: &Content,
        cell: &CellId,
        host: &HostId,
    ) -> Option<(Place, &Denial)> {
        self.denials.of(&content.bits()?, cell, host)
    }

    fn join_late(&mut self, name: &RolloutId, host: &HostId, now: Timestamp) {
        let Some((delta, strata)) = self.as_it_is(name, host) else {
            return;
        };
        let Self {
            cells,
            rollouts,
            homes,
            services,
            ..
        } = self;
        let (Some(home), Some(rollout)) = (homes.get(host), rollouts.get_mut(name)) else {
            return;
        };
        let Some(member) = cells.get(home).and_then(|cell| cell.members().get(host)) else {
            return;
        };
        let late = LateHost {
            host: &member.host,
            cell: home,
            strata,
            delta,
            dependencies: services
                .touching(|name| Some(name.as_str()) == member.host.value(SERVICE)),
        };
        rollout.join(&late, now);
    }

    /// A host that no longer matches is left out, unless its order is out already.
    fn drop_relabelled(
        &mut self,
        name: &RolloutId,
        host: &HostId,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let reason = "relabelled: it no longer matches the rollout".to_owned();
        let work = self.host(host).map(|(cell, _)| cell.work().get(name));
        let Some(Some(work)) = work else {
            if let Some(rollout) = self.rollouts.get_mut(name) {
                rollout.leave_out(host, reason);
            }
            return Ok(());
        };
        if !work.jobs.get(host).is_some_and(Job::waits_to_begin) {
            return Ok(());
        }
        let event = CellEvent::GaveUp {
            rollout: name.clone(),
            host: host.clone(),
            why: GivenUp::NotStarted { reason },
        };
        match self.homes.get(host).cloned() {
            None => Ok(()),
            Some(home) => self.cell_or_region(&home, &event, now),
        }
    }
}
