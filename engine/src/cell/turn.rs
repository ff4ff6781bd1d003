//! Which hosts of a slice are to be started, and in which order: as their warrant names them, but hosts
//! that are tried again last, among each other those with fewer failed runs first, and round the
//! zones where a cell has several, so that no zone is worn down before the next is touched.

use super::{
    Cell, Job, Member, Work,
    line::{self, Turn},
    permit::Taken,
};
use crate::{id::HostId, inventory::ZONE, ledger::Entry, order::Direction};
use std::collections::BTreeMap;

/// A host that is to be started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) member: &'a Member,
    pub(super) job: &'a Job,
    /// Its entry in the ledger.
    pub(super) entry: Option<&'a Entry>,
    /// The places of its groups.
    pub(super) places: &'a [usize],
}

impl<'a> Wanted<'a> {
    /// A host of a work, if it is a member.
    pub(super) fn of(cell: &'a Cell, work: &'a Work, host: &HostId) -> Option<Self> {
        Some(Self {
            member: cell.members.get(host)?,
            job: work.jobs.get(host)?,
            entry: cell.ledger.entry(host),
            places: cell.groups.places_of(host),
        })
    }

    /// The same as one that a work is to take.
    pub(super) fn taken(&self, work: &'a Work, direction: Direction) -> Taken<'a> {
        let is_casualty = self.entry.is_some_and(Entry::is_casualty);
        Taken {
            work,
            member: self.member,
            places: self.places,
            direction,
            is_repaired: work.assignment.repair && is_casualty,
        }
    }

    /// When it has its turn.
    pub(super) fn turn(&self) -> Turn {
        line::turn(self.member, self.job)
    }

    /// Whether it is tried again, and how many of its runs failed.
    fn trouble(&self) -> (bool, u32) {
        let (is_again, failed_runs, _) = self.turn();
        (is_again, failed_runs)
    }

    fn zone(&self) -> Option<&'a str> {
        self.member.host.value(ZONE)
    }
}

/// Hosts of a work, each in its turn, where all are of one zone.
pub(super) fn in_turn<'a>(cell: &'a Cell, work: &'a Work, hosts: Vec<&HostId>) -> Vec<Wanted<'a>> {
    let hosts = hosts.into_iter();
    let wanted = hosts.filter_map(|host| Wanted::of(cell, work, host));
    let mut wanted: Vec<Wanted<'_>> = wanted.collect();
    wanted.sort_by_key(Wanted::turn);
    wanted
}

/// The hosts that a rollout's warrant wants started in a cell, in their order.
pub(super) fn wanted<'a>(cell: &'a Cell, work: &'a Work) -> Vec<Wanted<'a>> {
    let hosts = cell.agenda(work).wanted().iter();
    let wanted = hosts.filter_map(|host| Wanted::of(cell, work, host));
    let mut wanted = wanted.collect();
    sort(&mut wanted);
    wanted
}

fn sort(wanted: &mut Vec<Wanted<'_>>) {
    wanted.sort_by_cached_key(Wanted::turn);
    let mut zones = wanted.iter().map(Wanted::zone);
    let first = zones.next();
    let has_several = zones.any(|zone| Some(zone) != first);
    if !has_several {
        return;
    }
    let mut rounds = BTreeMap::new();
    let mut turns: Vec<_> = wanted
        .drain(..)
        .map(|one| {
            let round: &mut usize = rounds.entry((one.trouble(), one.zone())).or_default();
            *round += 1;
            (one.trouble(), *round, one)
        })
        .collect();
    turns.sort_by_key(|(trouble, round, _)| (*trouble, *round));
    wanted.extend(turns.into_iter().map(|(_, _, one)| one));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cell::{Again, Hello, JobState},
        digest::Digest,
        failure::{Failure, FailureKind},
        id::Incarnation,
        inventory::{Facts, Host, Platform},
        order::Direction,
        time::Timestamp,
    };

    fn member(name: &str, zone: &str, failed_runs: u32) -> Member {
        let id = HostId::new(name).unwrap();
        let platform = Platform {
            os_release: "debian-12".to_owned(),
            architecture: "amd64".to_owned(),
        };
        let hello = Hello {
            host: Host {
                id,
                labels: [(ZONE.to_owned(), zone.to_owned())].into(),
                facts: Facts {
                    platform,
                    kernel: "6.1".to_owned(),
                    packages: Digest::of(""),
                }
                .into(),
            },
            incarnation: Incarnation(1),
            boot_id: String::new(),
            version: String::new(),
            in_service: true,
            detail: String::new(),
            open: None,
            newest: None,
        };
        let mut member = Member::new(&hello, Timestamp(0));
        member.failed_runs = failed_runs;
        member
    }

    fn again() -> Job {
        Job {
            state: JobState::Again(Again {
                at: Timestamp(0),
                failure: Failure::new(FailureKind::Network, "x"),
                direction: Direction::Patch,
            }),
            ..Job::default()
        }
    }

    /// The order in which hosts of some zones have their turns.
    fn sorted(members: &[Member], jobs: &[Job]) -> Vec<String> {
        let wanted = members.iter().zip(jobs).rev();
        let wanted = wanted.map(|(member, job)| Wanted {
            member,
            job,
            entry: None,
            places: &[],
        });
        let mut wanted: Vec<_> = wanted.collect();
        sort(&mut wanted);
        let names = wanted.iter().map(|one| one.member.host.id.to_string());
        names.collect()
    }

    fn in_turn(members: &[Member]) -> Vec<Job> {
        let turns = (0..).zip(members).map(|(turn, _)| Job {
            turn: Some(turn),
            ..Job::default()
        });
        turns.collect()
    }

    #[test]
    fn turns_go_round_also_where_the_first_is_alone_in_its_zone() {
        let zones = [("a1", "a"), ("b1", "b"), ("b2", "b"), ("c1", "c")];
        let members = zones.map(|(name, zone)| member(name, zone, 0));
        let order = sorted(&members, &in_turn(&members));
        assert_eq!(order, ["a1", "b1", "c1", "b2"]);
    }

    #[test]
    fn turns_go_round_the_zones_and_troubled_hosts_come_last() {
        let members = [
            member("a1", "a", 0),
            member("a2", "a", 0),
            member("a3", "a", 2),
            member("a4", "a", 1),
            member("b1", "b", 0),
            member("b2", "b", 1),
            member("b3", "b", 0),
        ];
        let mut jobs = in_turn(&members);
        jobs[0] = Job {
            turn: Some(0),
            ..again()
        };
        let order = sorted(&members, &jobs);
        assert_eq!(order, ["a2", "b1", "b3", "a4", "b2", "a3", "a1"]);
    }
}
