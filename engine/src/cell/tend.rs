//! Looks after the orders that are out: resend, withdraw, answer, give up.

use super::{
    Active, Cell, CellCommand, GivenUp, Link, Member, Work, decide::Draft, groups::OutCounts, late,
    permit::Taken, window::Windows,
};
use crate::{
    hold::Reason,
    id::HostId,
    order::{ClaimAnswer, ClaimPoint, Direction},
    policy::MARGIN,
    time::Timestamp,
};

impl Draft<'_> {
    /// Looks after one order that is out.
    pub(super) fn tend(
        &mut self,
        work: &Work,
        counts: &OutCounts,
        host: &HostId,
        active: &Active,
        finding: Option<&str>,
    ) {
        let Some(member) = self.cell.members.get(host) else {
            return;
        };
        let withdrawal = self
            .cell
            .withdrawal(work, host, active.order.direction)
            .or_else(|| finding.map(ToOwned::to_owned));
        if work.is_skipped(host, active) && (active.disrupted || !member.is_connected()) {
            self.withdraw(work, host, active, member, withdrawal.as_deref());
            self.give_up(work, host, GivenUp::Skipped);
            return;
        }
        let at = given_up_at(self.cell, work, active, member);
        if self.now >= at {
            self.give_up(work, host, late::given_up(active));
            return;
        }
        if !member.is_connected() {
            return;
        }
        self.withdraw(work, host, active, member, withdrawal.as_deref());
        if let Some(point) = active.claim {
            self.answer(work, counts, host, active, point, withdrawal);
        } else if active.unsent && is_named_no_more(work, host, active) {
            self.give_up(work, host, GivenUp::NotNamed);
        } else if active.unsent {
            self.push(CellCommand::Resend(active.order.clone()));
        }
    }

    /// Tells a host once that its order must not go on, while its change has not begun.
    fn withdraw(
        &mut self,
        work: &Work,
        host: &HostId,
        active: &Active,
        member: &Member,
        withdrawal: Option<&str>,
    ) {
        if let Some(reason) = withdrawal
            && may_be_withdrawn(active, member)
        {
            self.push(CellCommand::Withdraw {
                rollout: work.assignment.rollout.clone(),
                host: host.clone(),
                key: active.order.key,
                reason: reason.to_owned(),
            });
        }
    }

    fn answer(
        &mut self,
        work: &Work,
        counts: &OutCounts,
        host: &HostId,
        active: &Active,
        point: ClaimPoint,
        withdrawal: Option<String>,
    ) {
        let settle = work.assignment.deadlines.settle;
        let is_first = point == ClaimPoint::BeforeDrain && !active.disrupted;
        let settling = self.cell.settles_until(settle, self.now);
        if let (true, None, Some(until)) = (is_first, &withdrawal, settling) {
            self.hold_host(work, host, Reason::Settle { until });
            return;
        }
        let refusal = withdrawal.or_else(|| match (point, active.disrupted) {
            (ClaimPoint::BeforeDrain, false) => self.forbid_disruption(work, counts, host, active),
            (ClaimPoint::BeforeDrain | ClaimPoint::BeforeApply, true) => None,
            (ClaimPoint::BeforeApply, false) => Some("drained without leave".to_owned()),
        });
        let answer = match refusal {
            None => ClaimAnswer::Granted,
            Some(reason) => ClaimAnswer::Refused { reason },
        };
        let rollout = work.assignment.rollout.clone();
        let (host, key) = (host.clone(), active.order.key);
        self.push(CellCommand::AnswerClaim {
            rollout,
            host,
            key,
            point,
            answer,
        });
    }

    /// Why an ordered host must not be disrupted after all, if it must not (promises 1, 2, 4, 9).
    fn forbid_disruption(
        &self,
        work: &Work,
        counts: &OutCounts,
        host: &HostId,
        active: &Active,
    ) -> Option<String> {
        let member = self.cell.members.get(host)?;
        let taken = Taken {
            work,
            member,
            places: self.cell.groups.places_of(host),
            direction: active.order.direction,
            is_repaired: active.from_casualty,
        };
        let stands = self.stands_no_more(work, member, active);
        let bars = || self.barred_again(taken);
        stands
            .or_else(bars)
            .or_else(|| self.without_room(taken, counts))
    }

    /// Why an order that nobody withdrew is good no more.
    fn stands_no_more(&self, work: &Work, member: &Member, active: &Active) -> Option<String> {
        let host = &member.host.id;
        if let Some(reason) = self.cell.bar(work, self.now) {
            return Some(reason.to_string());
        }
        if !has_turn(work, host) {
            return Some("the present warrant does not name the host".to_owned());
        }
        let delta = active.order.delta;
        if delta.is_some() && delta != work.assignment.delta_of(host) {
            return Some("the host has other packages than when it was ordered".to_owned());
        }
        if let Some(window) = member.window(self.now) {
            return Some(format!("the host is taken by {}", window.holder()));
        }
        let entry = self.cell.ledger.entry(host);
        let is_its = entry.is_some_and(|entry| entry.token == active.order.token);
        (!is_its).then(|| "the host's reservation is gone".to_owned())
    }

    /// What bars a host now that did not when it was ordered.
    fn barred_again(&self, taken: Taken<'_>) -> Option<String> {
        if let Some(denied) = self.denied(taken) {
            return Some(denied);
        }
        let windows = Windows::at(taken.work, self.now);
        if let Err(reason) = self.in_its_time(taken, &windows) {
            return Some(reason.to_string());
        }
        let binding = self.cell.groups.binding(&taken.work.assignment);
        let reason = self.beside_trouble(taken, &binding)?;
        Some(reason.to_string())
    }

    /// Why its groups cannot spare it now, or nobody would.
    fn without_room(&self, taken: Taken<'_>, counts: &OutCounts) -> Option<String> {
        let assignment = &taken.work.assignment;
        match (taken.member.in_service, taken.direction) {
            (true, _) => {}
            (false, Direction::Patch) if !assignment.repair => {
                return Some(Reason::NotInService.to_string());
            }
            // Out by itself already: to go back, or to be repaired, costs its group nothing.
            (false, Direction::Patch | Direction::Rollback) => return None,
        }
        let groups = &self.cell.groups;
        let group = groups.forbid_disrupting(counts, assignment, &taken.member.host.id)?;
        Some(groups.reason(counts, group).to_string())
    }
}

/// Whether the present warrant names a host.
fn has_turn(work: &Work, host: &HostId) -> bool {
    let job = work.jobs.get(host);
    job.is_some_and(|job| job.turn.is_some())
}

/// Whether an order to patch a host is not to be sent again: no warrant that could go with it names the host.
fn is_named_no_more(work: &Work, host: &HostId, active: &Active) -> bool {
    let is_forward = active.order.direction == Direction::Patch;
    is_forward && !active.disrupted && !has_turn(work, host)
}

/// When an order is given up.
pub(super) fn given_up_at(cell: &Cell, work: &Work, active: &Active, member: &Member) -> Timestamp {
    let deadlines = &work.assignment.deadlines;
    let at = late::deadline(active, deadlines, cell.owner_since);
    at.max(hears_from(cell, member, work))
}

/// Until when an owner that just started, or a host that just came back, is given time to be heard
/// before an order is given up (promise 11).
fn hears_from(cell: &Cell, member: &Member, work: &Work) -> Timestamp {
    match (member.heard, member.link) {
        (false, _) => cell.owner_since.after(work.assignment.deadlines.settle),
        (true, Link::Connected { since }) => since.after(MARGIN),
        (true, Link::Silent { .. }) => Timestamp::default(),
    }
}

/// Whether something is to be said of an order whatever the time: its host waits for an answer or for
/// the order itself, it is not to go on, or an operator set it aside.
pub(super) fn is_pending(
    cell: &Cell,
    work: &Work,
    host: &HostId,
    active: &Active,
    member: &Member,
) -> bool {
    let is_asked = member.is_connected() && (active.claim.is_some() || active.unsent);
    let is_stopped = || {
        let withdrawal = cell.withdrawal(work, host, active.order.direction);
        withdrawal.is_some()
    };
    is_asked || work.is_skipped(host, active) || (may_be_withdrawn(active, member) && is_stopped())
}

/// Whether a host can be told that its order must not go on: once, while its change has not begun.
fn may_be_withdrawn(active: &Active, member: &Member) -> bool {
    member.is_connected() && !active.withdrawn && !active.has_begun_change()
}
