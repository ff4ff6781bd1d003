//! Whether the bits of a rollout are denied to a host.

use super::{Cell, Member, Work};
use crate::{denial::Denials, digest::Digest};

impl Cell {
    /// What is denied to its hosts, as the cell was told.
    pub fn denials(&self) -> &Denials {
        &self.denials
    }

    /// Why a rollout must not patch a host, by the denials, if it must not.
    pub(super) fn denied(&self, work: &Work, member: &Member) -> Option<String> {
        if self.denials.is_empty() {
            return None;
        }
        let bits = bits(work, member)?;
        let (place, denial) = self.denials.of(&bits, &self.id, &member.host.id)?;
        Some(format!("its bits ({bits}) are for {place} {denial}"))
    }

    /// Whether an operator lifted what denied the bits to the host: its agent may still deny them.
    pub(super) fn lifts_denial(&self, work: &Work, member: &Member) -> bool {
        if self.denials.is_empty() {
            return false;
        }
        bits(work, member)
            .is_some_and(|bits| self.denials.is_lifted(&bits, &self.id, &member.host.id))
    }
}

fn bits(work: &Work, member: &Member) -> Option<Digest> {
    let platform = &member.host.facts.platform;
    work.assignment.content_for(platform)?.bits()
}
