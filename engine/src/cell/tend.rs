//! Looks after the orders that are out: resend, withdraw, answer, give up.

use super::{
    Active, Cell, CellCommand, GivenUp, Link, Member, Work, decide::Draft, freeze,
    groups::OutCounts, late, window::Windows,
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

    /// Why an ordered host must not be disrupted after all, if it must not (promises 1, 2, 4).
    fn forbid_disruption(
        &self,
        work: &Work,
        counts: &OutCounts,
        host: &HostId,
        active: &Active,
    ) -> Option<String> {
        if let Some(reason) = self.cell.bar(work, self.now) {
            return Some(reason.to_string());
        }
        if work.jobs.get(host).is_none_or(|job| job.turn.is_none()) {
            return Some("the present warrant does not name the host".to_owned());
        }
        let direction = active.order.direction;
        if let Err(reason) = Windows::at(work, self.now).allow(host, direction) {
            return Some(reason.to_string());
        }
        if active.order.delta.is_some() && active.order.delta != work.assignment.delta_of(host) {
            return Some("the host has other packages than when it was ordered".to_owned());
        }
        let member = self.cell.members.get(host)?;
        if let Some(window) = member.window(self.now) {
            return Some(format!("the host is taken by {}", window.holder()));
        }
        if let Err(reason) = freeze::allow(
            &self.cell.calendar,
            &member.host,
            work.assignment.profile,
            direction,
            self.now,
        ) {
            return Some(reason.to_string());
        }
        let entry = self.cell.ledger.entry(host);
        if entry.is_none_or(|entry| entry.token != active.order.token) {
            return Some("the host's reservation is gone".to_owned());
        }
        if active.order.direction == Direction::Patch
            && let Some(denied) = self.cell.denied(work, self.cell.members.get(host)?)
        {
            return Some(denied);
        }
        let groups = &self.cell.groups;
        let (binding, places) = (groups.binding(&work.assignment), groups.places_of(host));
        if !active.from_casualty
            && let Some(reason) = self
                .ask
                .troubled
                .held(self.cell, &binding, host, places, direction)
        {
            return Some(reason.to_string());
        }
        let in_service = self.cell.members.get(host).is_some_and(|m| m.in_service);
        match (in_service, active.order.direction) {
            (true, _) => {}
            (false, Direction::Patch) if !work.assignment.repair => {
                return Some(Reason::NotInService.to_string());
            }
            (false, Direction::Patch) => return None,
            // Out by itself already: to go back, or to be repaired, costs its group nothing.
            (false, Direction::Rollback) => return None,
        }
        let group = groups.forbid_disrupting(counts, &work.assignment, host)?;
        Some(groups.reason(counts, group).to_string())
    }
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
