//! The rules that a host must pass twice: before it is ordered, and again before it is disrupted, since what they
//! look at may have changed in between.
//!
//! What each looks at alone stands with it: before the order the host's own state, who has it, its groups' room and
//! the pace (`start`); before drain whether the order still stands and the room that it took is still there (`tend`).

use super::{Member, Work, decide::Draft, freeze, groups::Binding, window::Windows};
use crate::{hold::Reason, order::Direction, time::Timestamp};

/// A host that a work is to take out of service.
#[derive(Clone, Copy)]
pub(super) struct Taken<'a> {
    pub(super) work: &'a Work,
    pub(super) member: &'a Member,
    /// The places of its groups.
    pub(super) places: &'a [usize],
    pub(super) direction: Direction,
    /// Whether it is a casualty that is to be repaired, so that it is out already.
    pub(super) is_repaired: bool,
}

impl Draft<'_> {
    /// Why the bits must never go on it, as the denials stand. Nothing of what goes back.
    pub(super) fn denied(&self, of: Taken<'_>) -> Option<String> {
        let denied = || self.cell.denied(of.work, of.member);
        (of.direction == Direction::Patch).then(denied).flatten()
    }

    /// Since when neither a window nor a freeze keeps it, or which does.
    pub(super) fn in_its_time(
        &self,
        of: Taken<'_>,
        windows: &Windows<'_>,
    ) -> Result<Timestamp, Reason> {
        let (calendar, host) = (&self.cell.calendar, &of.member.host);
        let profile = of.work.assignment.profile;
        let thawed = freeze::allow(calendar, host, profile, of.direction, self.now)?;
        let opened = windows.allow(&host.id, of.direction)?;
        Ok(thawed.max(opened))
    }

    /// Which trouble of another zone keeps it. A repair is what ends the trouble of zones: who is out already may be
    /// repaired beside it.
    pub(super) fn beside_trouble(&self, of: Taken<'_>, binding: &Binding<'_>) -> Option<Reason> {
        if of.is_repaired {
            return None;
        }
        let (troubled, host) = (&self.ask.troubled, &of.member.host.id);
        troubled.held(self.cell, binding, host, of.places, of.direction)
    }
}
