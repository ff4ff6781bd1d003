//! Hosts that come from another cell of the same owner.

use super::Cell;
use crate::id::HostId;

impl Cell {
    /// Takes hosts over from another cell: each as it was known there. They are in no ledger and no
    /// rollout has a job on them.
    ///
    /// Both cells have one owner, so it has been the owner here as long as there: whoever it has not
    /// heard of counts as out no later than before. No token of a reservation is given out again to a
    /// host that had it in its old cell.
    pub(crate) fn take_over(&mut self, from: &mut Self, hosts: &[HostId]) {
        self.owner_since = self.owner_since.min(from.owner_since);
        self.ledger.go_on_from(&from.ledger);
        for cell in [&mut *self, &mut *from] {
            cell.revision += 1;
            cell.starts_revision.step();
        }
        for host in hosts {
            if let Some(member) = from.members.remove(host) {
                self.members.insert(host.clone(), member);
                from.count_host(host, true);
                self.count_host(host, true);
            }
        }
    }
}
