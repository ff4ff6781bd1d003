//! Which hosts of a slice are to be started, and in which order: as their warrant names them, but hosts
//! that are tried again last, among each other those with fewer failed runs first, and round the
//! zones where a cell has several, so that no zone is worn down before the next is touched.

use super::{Cell, Job, JobState, Member, Work, along::Along, candidate};
use crate::{inventory::ZONE, ledger::Entry, order::Direction};
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
    /// Whether it is tried again, and how many of its runs failed.
    fn trouble(&self) -> (bool, u32) {
        let is_again = matches!(self.job.state, JobState::Again(_)) || self.job.is_asked_again();
        (is_again, self.member.failed_runs)
    }

    fn zone(&self) -> Option<&'a str> {
        self.member.host.value(ZONE)
    }
}

/// The hosts that a rollout's warrant wants started in a cell, in their order.
pub(super) fn wanted<'a>(cell: &'a Cell, work: &'a Work, direction: Direction) -> Vec<Wanted<'a>> {
    let is_wanted = |job: &Job| job.turn.is_some() && candidate::is_wanted(job, direction);
    let mut members = Along::new(&cell.members);
    let mut entries = Along::new(cell.ledger.entries());
    let mut seats = cell.groups.along();
    let jobs = work.jobs.iter().filter(|(_, job)| is_wanted(job));
    let wanted = jobs.filter_map(|(host, job)| {
        Some(Wanted {
            member: members.get(host)?,
            job,
            entry: entries.get(host),
            places: seats.get(host),
        })
    });
    let mut wanted = wanted.collect();
    sort(&mut wanted);
    wanted
}

fn sort(wanted: &mut Vec<Wanted<'_>>) {
    wanted.sort_by_cached_key(|one| (one.trouble(), one.job.turn));
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
        cell::{Again, Hello},
        digest::Digest,
        failure::{Failure, FailureKind},
        id::{HostId, Incarnation},
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
                },
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
        let mut jobs: Vec<Job> = members.iter().map(|_| Job::default()).collect();
        jobs[0] = again();
        (0..)
            .zip(&mut jobs)
            .for_each(|(turn, job)| job.turn = Some(turn));
        let wanted = members.iter().zip(&jobs).rev();
        let wanted = wanted.map(|(member, job)| Wanted {
            member,
            job,
            entry: None,
            places: &[],
        });
        let mut wanted: Vec<_> = wanted.collect();
        sort(&mut wanted);

        let order: Vec<_> = wanted
            .iter()
            .map(|one| one.member.host.id.as_str())
            .collect();
        assert_eq!(order, ["a2", "b1", "b3", "a4", "b2", "a3", "a1"]);
    }
}
