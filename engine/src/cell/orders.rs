//! Orders a host that may start.

use super::{CellCommand, Job, Member, Work, decide::Draft};
use crate::{
    id::{OrderKey, ReservationToken},
    order::{Direction, Grant, Order},
    warrant::Warrant,
};

impl Draft<'_> {
    /// Orders a host, or leaves it out where no order can be made; returns whether it is ordered.
    pub(super) fn order_or_leave_out(
        &mut self,
        work: &Work,
        warrant: &Warrant,
        job: &Job,
        member: &Member,
    ) -> bool {
        let host = &member.host.id;
        let Some(key) = member.next_key(self.cell.epoch) else {
            let reason = "it says that it has seen the last order that there can be";
            self.leave_out(work, host, reason.to_owned());
            return false;
        };
        let is_ordered = self.order(work, warrant, job, member, key);
        if !is_ordered {
            let platform = &member.host.facts.platform;
            let reason = format!("the lock file has nothing for {platform}");
            self.leave_out(work, host, reason);
        }
        is_ordered
    }

    /// Orders a host; returns whether it could.
    fn order(
        &mut self,
        work: &Work,
        warrant: &Warrant,
        job: &Job,
        member: &Member,
        key: OrderKey,
    ) -> bool {
        let Some(mut order) = new_order(work, warrant, job, member, key, self.next_token) else {
            return false;
        };
        let is_lifted = || self.cell.lifts_denial(work, member);
        order.asked_again |= order.direction == Direction::Patch && is_lifted();
        self.next_token = self.next_token.next();
        self.push(CellCommand::Order(Box::new(order)));
        true
    }
}

fn new_order(
    work: &Work,
    warrant: &Warrant,
    job: &Job,
    member: &Member,
    key: OrderKey,
    token: ReservationToken,
) -> Option<Order> {
    let assignment = &work.assignment;
    let content = assignment.content_for(&member.host.facts.platform)?;
    let health = &assignment.health;
    let stable_for = match warrant.wave.0 {
        0 => health.stable_for_canary,
        _ => health.stable_for,
    };
    Some(Order {
        key,
        host: member.host.id.clone(),
        token,
        grant: Grant {
            rollout: assignment.rollout.clone(),
            rollout_digest: assignment.rollout_digest,
            lock_digest: work.lock_digest(),
            wave: warrant.wave,
            cell: assignment.cell.clone(),
            generation: warrant.generation,
        },
        direction: warrant.direction,
        attempt: job.attempts + 1,
        asked_again: job.is_asked_again() && warrant.direction == Direction::Patch,
        content,
        delta: match warrant.direction {
            Direction::Patch => assignment.delta_of(&member.host.id),
            Direction::Rollback => None,
        },
        reboot: assignment.reboot,
        restart: assignment.restart,
        kernel_fallback: assignment.kernel_fallback,
        conffiles: assignment.conffiles.clone(),
        one_way: assignment.one_way,
        deadlines: assignment.deadlines.clone(),
        stable_for,
        first_answer: health.first_answer,
        traffic: assignment.traffic.clone(),
    })
}
