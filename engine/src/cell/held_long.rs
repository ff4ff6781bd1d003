//! Hosts that a person has, by a reservation or at their keyboard. Both come to an end, but perhaps only in a week.
//!
//! A rollout waits for such a host for a while and then goes on without it: the host is left out, with who has it, and
//! counts against `hosts_left_out`. Once nobody has it, it has its turn after all. A rollback, whose wish stands,
//! waits.

use super::{GivenUp, Work, candidate, decide::Draft, turn::Wanted, window::Windows};
use crate::{id::HostId, ledger::Entry, order::Direction, policy::PERSON_WAIT, time::Timestamp};

impl Draft<'_> {
    /// Leaves out the hosts that a person has had for too long.
    pub(super) fn go_on_without_held(&mut self, work: &Work, windows: &Windows<'_>) {
        if work.direction() != Some(Direction::Patch) {
            return;
        }
        let wanted = self.cell.agenda(work).wanted();
        let entries = self.cell.ledger.entries().iter();
        let held =
            entries.filter(|(host, entry)| entry.holder.is_person() && wanted.contains(*host));
        for (host, entry) in held {
            let Some(since) = self.waits_for_person(work, host, entry, windows) else {
                continue;
            };
            let ends = since.after(PERSON_WAIT);
            if self.now < ends {
                self.wake_at(ends);
                continue;
            }
            let reason = candidate::held_by(entry).to_string();
            self.give_up(work, host, GivenUp::Held { reason });
        }
    }

    /// Since when nothing but a person keeps a host from being started. Nothing: something else does.
    fn waits_for_person(
        &self,
        work: &Work,
        host: &HostId,
        entry: &Entry,
        windows: &Windows<'_>,
    ) -> Option<Timestamp> {
        let one = Wanted::of(self.cell, work, host)?;
        let taken = one.taken(work, Direction::Patch);
        let opened = self.in_its_time(taken, windows).ok()?;
        let ready = candidate::ready_at(one.member, one.job, work);
        let ready = ready.filter(|at| *at <= self.now)?;
        let granted = one.job.granted_at?;
        Some(granted.max(opened).max(ready).max(entry.since))
    }
}
