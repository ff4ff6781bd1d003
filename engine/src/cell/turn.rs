//! In which order the wanted hosts of a slice are started: as their warrant names them, but hosts
//! that are tried again last, among each other those with fewer failed runs first, and round the
//! zones where a cell has several, so that no zone is worn down before the next is touched.

use super::{Job, JobState, Member};
use crate::inventory::ZONE;
use std::collections::BTreeMap;

/// A host that is to be started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) member: &'a Member,
    pub(super) job: &'a Job,
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

/// Sorts wanted hosts, which stand in the order of their warrant.
pub(super) fn sort(wanted: &mut Vec<Wanted<'_>>) {
    wanted.sort_by_key(Wanted::trouble);
    let has_several = wanted.windows(2).any(|two| two[0].zone() != two[1].zone());
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
        let (fresh, again) = (Job::default(), again());
        let wanted = |member| Wanted {
            member,
            job: &fresh,
        };
        let mut wanted: Vec<_> = members.iter().map(wanted).collect();
        wanted[0].job = &again;
        sort(&mut wanted);

        let order: Vec<_> = wanted
            .iter()
            .map(|one| one.member.host.id.as_str())
            .collect();
        assert_eq!(order, ["a2", "b1", "b3", "a4", "b2", "a3", "a1"]);
    }
}
