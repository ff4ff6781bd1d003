//! When a wave is over, and the bake after it.

use super::{End, Rollout, RolloutCommand, RolloutDecision, host_turn::HostTurn, suspect::Docket};
use crate::{
    hold::{Hold, Reason, Subject},
    id::{CellId, HostId, WaveIndex},
    plan::PlannedWave,
    time::Timestamp,
};
use std::time::Duration;

impl Rollout {
    pub(super) fn bake(
        &self,
        wave: &PlannedWave,
        since: Timestamp,
        decision: &mut RolloutDecision,
        now: Timestamp,
    ) {
        let until = since.after(self.bake_of(wave));
        if now < until && !self.is_promoted() {
            decision.wake_at(until);
            let reason = Reason::Bake { until };
            decision.holds.push(Hold {
                subject: self.wave_subject(),
                reason,
                since,
            });
            return;
        }
        if self.is_canary_unknown(wave, now) {
            return;
        }
        let next = WaveIndex(self.wave.0 + 1);
        let has_next = usize::try_from(next.0).is_ok_and(|next| next < self.plan.waves.len());
        if !has_next && self.is_standing() {
            decision.holds.push(self.stands(until));
            return;
        }
        decision.commands.push(match has_next {
            true => RolloutCommand::PassWave { wave: self.wave },
            false => RolloutCommand::End { end: End::Done },
        });
    }

    /// When the present bake ends by time. Nothing while its wave is not over.
    pub fn bake_ends(&self) -> Option<Timestamp> {
        let wave = self.present()?;
        Some(self.bake_since?.after(self.bake_of(wave)))
    }

    /// How long the present wave bakes: where it has no host, nothing is to be watched, and it passes at
    /// once.
    fn bake_of(&self, wave: &PlannedWave) -> Duration {
        match self.wave_size() {
            (0, _) => Duration::ZERO,
            _ => wave.bake,
        }
    }

    /// A wave is over when each of its hosts is over, is held for good with its stratum, is put off
    /// until somebody approves it, or is left out because its cell is unknown; and so is each host that
    /// an earlier wave put off.
    pub(super) fn is_wave_over(
        &self,
        wave: &PlannedWave,
        docket: &Docket<'_>,
        now: Timestamp,
    ) -> bool {
        let open = self.open_hosts().map(|(_, host)| host);
        let mut hosts = open.chain(self.put_off());
        let is_done = |host: &HostId| {
            self.is_held_for_good(host) || self.is_put_off(host) || self.is_left_unknown(host, now)
        };
        hosts.all(is_done)
            && self.too_many_unknown(wave, now).is_none()
            && docket
                .next_opinion()
                .is_none_or(|host| self.is_left_unknown(&host, now))
    }

    pub(super) fn finish_wave(
        &self,
        wave: &PlannedWave,
        decision: &mut RolloutDecision,
        now: Timestamp,
    ) {
        let (wrong, allowed) = self.left_out(now);
        if wrong > allowed {
            // Its hosts say what they wait for; people are needed, and no brake.
            if wrong.saturating_sub(self.left_out_unapproved()) <= allowed {
                self.hold_convicted(wave, HostTurn::Others, &[], &mut decision.holds);
                return;
            }
            let finding = Reason::LeftOut {
                count: wrong,
                allowed,
            }
            .to_string();
            decision.commands.push(RolloutCommand::Brake { finding });
            return;
        }
        decision
            .commands
            .push(RolloutCommand::BeginBake { wave: self.wave });
    }

    pub(super) fn hold_wave(&self, decision: &mut RolloutDecision) {
        let (of, open) = self.wave_size();
        let done = of - open;
        let reason = Reason::Slices { done, of };
        let subject = self.wave_subject();
        decision.holds.push(Hold {
            subject,
            reason,
            since: self.wave_since,
        });
    }

    /// Says why a host of the present wave is held.
    pub(super) fn host_hold(&self, host: &HostId, reason: Reason) -> Hold {
        Hold {
            subject: Subject::Host {
                rollout: self.plan.rollout.clone(),
                host: host.clone(),
            },
            reason,
            since: self.wave_since,
        }
    }

    /// Says why a cell of the present wave is held.
    pub(super) fn cell_hold(&self, cell: &CellId, reason: Reason) -> Hold {
        Hold {
            subject: Subject::Slice {
                rollout: self.plan.rollout.clone(),
                cell: cell.clone(),
            },
            reason,
            since: self.wave_since,
        }
    }

    pub(super) fn wave_subject(&self) -> Subject {
        Subject::Wave {
            rollout: self.plan.rollout.clone(),
            wave: self.wave,
        }
    }
}
