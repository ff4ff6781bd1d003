//! What holds a cell's hosts by groups that reach beyond it: a cell can only say how it stands itself.

use super::{
    Fleet,
    census::{Census, Whole},
};
use crate::{
    cell::Lacking,
    hold::{Hold, Reason, Subject},
    id::CellId,
};
use std::collections::BTreeMap;

impl Census {
    /// Says of groups with members in several cells how the whole stands.
    pub(super) fn explain(&self, holds: &mut [Hold], lacking: &BTreeMap<CellId, Vec<Lacking>>) {
        for hold in holds {
            let (Subject::Slice { cell, .. }, Reason::Floor { group, .. }) =
                (&hold.subject, &hold.reason)
            else {
                continue;
            };
            let lacked = lacking.get(cell).map_or(&[][..], Vec::as_slice);
            let lacked = lacked.iter().filter_map(|of| self.place_of(cell, *of));
            let lacked: Vec<usize> = lacked.collect();
            let is_meant = |place: &&usize| {
                self.groups[**place].group.name == *group || lacked.contains(place)
            };
            let meant = self.groups_of(cell).iter().filter(is_meant);
            let tightest = meant.map(|place| &self.groups[*place]).min_by_key(|of| {
                let balance = of.balance();
                balance.allowance.saturating_sub(balance.out)
            });
            if let Some(of) = tightest {
                hold.reason = reason(of);
            }
        }
    }
}

impl Fleet {
    /// Says since when neighbours are at work, in whichever cell they are.
    pub(super) fn date_neighbours(&self, holds: &mut [Hold]) {
        for hold in holds {
            let Reason::Dependency { host, .. } = &hold.reason else {
                continue;
            };
            let cell = self.host(host).map(|(cell, _)| cell);
            let works = cell.into_iter().flat_map(|cell| cell.work().values());
            let active = works.filter_map(|work| work.jobs.get(host)?.active());
            let began = active.map(|active| active.ordered_at).min();
            hold.since = hold.since.max(began.unwrap_or_default());
        }
    }
}

/// Says how a whole group stands.
fn reason(of: &Whole) -> Reason {
    let balance = of.balance();
    let (out, allowance) = (balance.out, balance.allowance);
    let group = of.group.to_string();
    if of.parts.len() == 1 {
        return Reason::Floor {
            group,
            out,
            allowance,
        };
    }
    let holders = of.parts.iter().filter(|(_, of)| of.part.tokens > 0);
    Reason::Token {
        group,
        out,
        allowance,
        with: holders.map(|(cell, _)| cell.clone()).collect(),
    }
}
