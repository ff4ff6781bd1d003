//! What one job is to be looked at for, and when: worked out from the job, its host and the work alone.

use crate::{
    cell::{Cell, Job, Member, Work, brake, candidate, held::Held, line::InLine, stage, tend},
    id::HostId,
    order::Direction,
    time::Timestamp,
};

/// What one job is on the agenda for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::cell) struct Entry {
    /// Whether an order is out.
    pub(super) is_active: bool,
    /// When that is given up. Nothing: none is out, or nobody is there to give it up for.
    pub(super) late_at: Option<Timestamp>,
    /// Whether its host is to be told something about its order, whatever the time.
    pub(super) is_pending: bool,
    /// Whether it failed, as the brake counts it. Nothing: the brake does not count it.
    pub(super) attempted: Option<bool>,
    /// What there is to do before it is ordered. Boxed, since for most jobs of a rollout there is nothing any
    /// more, or nothing yet.
    before: Option<Box<Before>>,
}

/// What there is to do for a job that has no order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Before {
    /// When its host is to be asked to stage. Nothing: it need not, or cannot, be asked.
    pub(super) stage_at: Option<Timestamp>,
    /// Where it stands among those that the present warrant wants started. Nothing: it is none of them.
    pub(super) in_line: Option<InLine>,
    /// From when on nothing of its own keeps it from that. Nothing: something does until it changes.
    pub(super) ready_at: Option<Timestamp>,
    /// When it is held by something else, and when it may be left out for what holds it.
    pub(super) held: Held,
}

/// Of a job for which there is nothing to do before it is ordered.
static NOTHING: Before = Before {
    stage_at: None,
    in_line: None,
    ready_at: None,
    held: Held::NOTHING,
};

impl Entry {
    /// What there is to do before it is ordered.
    pub(super) fn before(&self) -> &Before {
        self.before.as_deref().unwrap_or(&NOTHING)
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.before().in_line.is_some()
    }

    pub(super) fn is_unready(&self) -> bool {
        self.is_wanted() && self.before().ready_at.is_none()
    }

    pub(super) fn of(cell: &Cell, work: &Work, host: &HostId, job: &Job) -> Self {
        let active = job.active();
        let attempted = brake::counted(work, host, job);
        let Some(member) = cell.members.get(host) else {
            // Nobody is there to be told or asked.
            return Self {
                is_active: active.is_some(),
                attempted,
                ..Self::default()
            };
        };
        let before = Before::of(cell, work, job, member);
        Self {
            is_active: active.is_some(),
            late_at: active.map(|active| tend::given_up_at(cell, work, active, member)),
            is_pending: active
                .is_some_and(|active| tend::is_pending(cell, work, host, active, member)),
            attempted,
            before: (before != NOTHING).then(|| Box::new(before)),
        }
    }
}

impl Before {
    fn of(cell: &Cell, work: &Work, job: &Job, member: &Member) -> Self {
        let host = &member.host.id;
        let direction = work.direction();
        let is_wanted = |direction| job.turn.is_some() && candidate::is_wanted(job, direction);
        let is_wanted = direction.is_some_and(is_wanted);
        Self {
            stage_at: stage::due(work, host, job, member),
            in_line: is_wanted.then(|| InLine::of(cell, member, job)),
            ready_at: candidate::ready_at(member, job, work).filter(|_| is_wanted),
            held: match (is_wanted, direction) {
                (true, Some(Direction::Patch)) => Held::of(member, job, work),
                (_, Some(Direction::Patch | Direction::Rollback) | None) => Held::default(),
            },
        }
    }
}
