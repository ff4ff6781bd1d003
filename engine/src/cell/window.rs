//! The rule of windows: a host that windows bind is started, and drained, in one of them.
//!
//! The windows travel in the assignment, so a cell that is cut off keeps to them. Time does not run
//! out on a host while its windows are closed: what it is given to come back, or to stage, counts
//! from their opening at the earliest.

use super::Work;
use crate::{hold::Reason, id::HostId, order::Direction, time::Timestamp, window::WindowState};

/// The windows of a rollout's work as they are at a moment.
pub(super) struct Windows<'a> {
    work: &'a Work,
    states: Vec<WindowState>,
}

impl<'a> Windows<'a> {
    pub(super) fn at(work: &'a Work, now: Timestamp) -> Self {
        let windows = work.assignment.windows.iter();
        Self {
            work,
            states: windows.map(|bound| bound.window.at(now)).collect(),
        }
    }

    /// Whether a host may be started and drained: since when, or why not. What goes back is not
    /// bound.
    pub(super) fn allow(&self, host: &HostId, direction: Direction) -> Result<Timestamp, Reason> {
        if direction == Direction::Rollback {
            return Ok(Timestamp::default());
        }
        let mut answer = Ok(Timestamp::default());
        let mut until: Option<Timestamp> = None;
        let windows = self.work.assignment.windows.iter().zip(&self.states);
        for (_, state) in windows.filter(|(bound, _)| bound.binds(host)) {
            match *state {
                WindowState::Open { since, .. } => return Ok(since),
                WindowState::Closed { opens } => {
                    until = until.into_iter().chain(opens).min();
                    answer = Err(Reason::Window { until });
                }
            }
        }
        answer
    }

    /// The next moment at which a window that is open closes. Nothing when none does.
    pub(super) fn next_end(&self) -> Option<Timestamp> {
        let ends = self.states.iter().filter_map(|state| match state {
            WindowState::Open { until, .. } => *until,
            WindowState::Closed { .. } => None,
        });
        ends.min()
    }
}

/// When the last window closed that a host of a work may start in. Nothing: none has, as far back as it is
/// looked.
pub(super) fn last_close(work: &Work, host: &HostId, now: Timestamp) -> Option<Timestamp> {
    let windows = work.assignment.windows.iter();
    let bound = windows.filter(|bound| bound.binds(host));
    bound.filter_map(|bound| bound.window.last_close(now)).max()
}
