//! What a rollout does next, by its phase.

use super::{CellProgress, End, PauseCause, Phase, Rollout, RolloutCommand, Wish, suspect::Docket};
use crate::{
    hold::{Hold, Reason, Subject},
    id::{CellId, HostId, WaveIndex},
    order::Direction,
    plan::PlannedWave,
    policy::WARRANT,
    time::Timestamp,
    warrant::{FailedEnd, Outcome, Stop, StopKind, Warrant},
};

/// What a rollout wants done, what holds what it does not, and when to ask again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct RolloutDecision {
    /// To be recorded, then carried out, in this order.
    pub commands: Vec<RolloutCommand>,
    /// Why the rest is not moving.
    pub holds: Vec<Hold>,
    /// When time alone changes the decision. Nothing: only an event does.
    pub wake: Option<Timestamp>,
}

impl Rollout {
    /// Decides what to do now.
    pub fn decide(&self, now: Timestamp) -> RolloutDecision {
        let mut decision = RolloutDecision::default();
        match &self.phase {
            Phase::Running => self.run(&mut decision, now),
            Phase::Paused { cause } => self.pause(cause, &mut decision),
            Phase::Aborting => self.abort(&mut decision),
            Phase::RollingBack => self.roll_back(&mut decision, now),
            Phase::Ended { .. } => {
                self.stop_all(StopKind::End, "the rollout is over", &mut decision)
            }
        }
        decision
    }

    fn run(&self, decision: &mut RolloutDecision, now: Timestamp) {
        self.assign(decision, |_| true);
        let Some(wave) = self.present() else {
            decision
                .commands
                .push(RolloutCommand::End { end: End::Done });
            return;
        };
        let mut docket = Docket::of(self);
        if let Some(finding) = self.brake_finding(&docket) {
            decision.commands.push(RolloutCommand::Brake { finding });
            return;
        }
        // Not asked once for all: a late report may clear a stratum while the wave bakes.
        if self.is_wave_over(wave, &docket) {
            match self.bake_since {
                Some(since) => self.bake(wave, since, decision, now),
                None => self.finish_wave(decision),
            }
            return;
        }
        let grants = self.grants(wave, &mut docket, now);
        for until in grants.holds.iter().filter_map(|hold| hold.reason.until()) {
            wake_at(decision, until);
        }
        decision.holds.extend(grants.holds);
        for (cell, hosts) in grants.cells {
            decision
                .commands
                .push(self.warrant(&cell, hosts, Direction::Patch));
        }
        self.renew(decision, now);
        self.hold_wave(decision);
    }

    fn assign(&self, decision: &mut RolloutDecision, has_part: impl Fn(&CellId) -> bool) {
        for (cell, assignment) in &self.plan.assignments {
            let progress = self.cells.get(cell);
            if progress.is_some_and(|progress| !progress.assigned) && has_part(cell) {
                decision
                    .commands
                    .push(RolloutCommand::Assign(Box::new(assignment.clone())));
            }
        }
    }

    fn bake(
        &self,
        wave: &PlannedWave,
        since: Timestamp,
        decision: &mut RolloutDecision,
        now: Timestamp,
    ) {
        let until = since.after(wave.bake);
        if now < until {
            wake_at(decision, until);
            let reason = Reason::Bake { until };
            decision.holds.push(Hold {
                subject: self.wave_subject(),
                reason,
                since,
            });
            return;
        }
        let next = WaveIndex(self.wave.0 + 1);
        let has_next = usize::try_from(next.0).is_ok_and(|next| next < self.plan.waves.len());
        decision.commands.push(match has_next {
            true => RolloutCommand::PassWave { wave: self.wave },
            false => RolloutCommand::End { end: End::Done },
        });
    }

    /// A wave is over when each of its hosts is over, or is held for good with its stratum.
    fn is_wave_over(&self, wave: &PlannedWave, docket: &Docket<'_>) -> bool {
        let joined = self.joined.values().flatten();
        let mut hosts = wave.slices.values().flatten().chain(joined);
        hosts.all(|host| self.is_over(host) || self.is_held_for_good(host))
            && docket.next_opinion().is_none()
    }

    fn finish_wave(&self, decision: &mut RolloutDecision) {
        let (wrong, allowed) = self.left_out();
        if wrong > allowed {
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

    fn pause(&self, cause: &PauseCause, decision: &mut RolloutDecision) {
        let reason = match cause {
            PauseCause::Operator { by, reason } if reason.is_empty() => {
                Reason::Paused { by: by.to_string() }
            }
            PauseCause::Operator { by, reason } => Reason::Paused {
                by: format!("{by} ({reason})"),
            },
            PauseCause::Brake { finding } => Reason::Braked {
                finding: finding.clone(),
            },
        };
        self.stop_all(StopKind::Pause, &reason.to_string(), decision);
        let subject = Subject::Rollout {
            rollout: self.plan.rollout.clone(),
        };
        decision.holds.push(Hold {
            subject,
            reason,
            since: self.phase_since,
        });
    }

    fn abort(&self, decision: &mut RolloutDecision) {
        self.stop_all(StopKind::End, "the rollout was aborted", decision);
        let running = self.count(&Outcome::Running);
        if running == 0 {
            decision
                .commands
                .push(RolloutCommand::End { end: End::Aborted });
            return;
        }
        let done = self.outcomes.len() - running;
        let reason = Reason::Slices {
            done,
            of: self.outcomes.len(),
        };
        let subject = Subject::Rollout {
            rollout: self.plan.rollout.clone(),
        };
        decision.holds.push(Hold {
            subject,
            reason,
            since: self.phase_since,
        });
    }

    /// Takes back what was changed: no ladder; cells and floors set the pace.
    fn roll_back(&self, decision: &mut RolloutDecision, now: Timestamp) {
        // A cell without hosts to take back would stage for a patch that never comes.
        self.assign(decision, |cell| self.changed_hosts(cell).next().is_some());
        for (cell, progress) in &self.cells {
            let mut targets: Vec<HostId> = self
                .changed_hosts(cell)
                .map(|(host, _)| host.clone())
                .collect();
            if !targets.is_empty() {
                targets.extend(self.going_back(progress));
            }
            match &progress.wish {
                Wish::Start {
                    direction: Direction::Rollback,
                    hosts,
                    ..
                } if targets.iter().all(|host| hosts.contains(host)) => {}
                Wish::Nothing | Wish::Start { .. } | Wish::Stop { .. } if !targets.is_empty() => {
                    decision
                        .commands
                        .push(self.warrant(cell, targets, Direction::Rollback));
                }
                Wish::Start {
                    direction: Direction::Patch,
                    ..
                } => {
                    let reason = "the rollout is rolling back";
                    decision
                        .commands
                        .push(self.stop(cell, progress, StopKind::Pause, reason));
                }
                Wish::Nothing | Wish::Start { .. } | Wish::Stop { .. } => {}
            }
        }
        self.renew(decision, now);
        let left = self
            .outcomes
            .values()
            .filter(|outcome| may_have_it(outcome))
            .count();
        if left == 0 {
            decision.commands.push(RolloutCommand::End {
                end: End::RolledBack,
            });
            return;
        }
        let of = self.plan.hosts.len();
        let reason = Reason::Slices {
            done: of.saturating_sub(left),
            of,
        };
        let subject = Subject::Rollout {
            rollout: self.plan.rollout.clone(),
        };
        decision.holds.push(Hold {
            subject,
            reason,
            since: self.phase_since,
        });
    }

    /// Hosts of a cell that are on their way back.
    fn going_back(&self, progress: &CellProgress) -> impl Iterator<Item = HostId> {
        let granted = match &progress.wish {
            Wish::Start {
                direction: Direction::Rollback,
                hosts,
                ..
            } => hosts.as_slice(),
            Wish::Nothing | Wish::Start { .. } | Wish::Stop { .. } => &[],
        };
        let is_running = |host: &&HostId| self.outcomes.get(*host) == Some(&Outcome::Running);
        granted.iter().filter(is_running).cloned()
    }

    /// The hosts of a cell that still have the patch.
    fn changed_hosts(&self, cell: &CellId) -> impl Iterator<Item = (&HostId, &Outcome)> {
        let in_cell = move |host: &HostId| {
            self.plan
                .hosts
                .get(host)
                .is_some_and(|planned| planned.cell == *cell)
        };
        self.outcomes
            .iter()
            .filter(|(_, outcome)| **outcome == Outcome::Passed)
            .filter(move |(host, _)| in_cell(host))
    }

    /// Renews warrants that have hosts left, well before they end.
    fn renew(&self, decision: &mut RolloutDecision, now: Timestamp) {
        for (cell, progress) in &self.cells {
            let Wish::Start {
                direction,
                hosts,
                at,
            } = &progress.wish
            else {
                continue;
            };
            let is_left = |host: &&HostId| match direction {
                Direction::Patch => !self.is_over(host),
                Direction::Rollback => self.outcomes.get(host) != Some(&Outcome::RolledBack),
            };
            let is_told_anew = decision.commands.iter().any(|command| match command {
                RolloutCommand::Warrant(warrant) => warrant.cell == *cell,
                RolloutCommand::Stop(stop) => stop.cell == *cell,
                RolloutCommand::Assign(_)
                | RolloutCommand::Brake { .. }
                | RolloutCommand::BeginBake { .. }
                | RolloutCommand::PassWave { .. }
                | RolloutCommand::End { .. } => false,
            });
            if is_told_anew || !hosts.iter().any(|host| is_left(&host)) {
                continue;
            }
            let due = at.after(WARRANT / 2);
            if now < due {
                wake_at(decision, due);
                continue;
            }
            decision
                .commands
                .push(self.warrant(cell, hosts.clone(), *direction));
        }
    }

    fn stop_all(&self, kind: StopKind, reason: &str, decision: &mut RolloutDecision) {
        for (cell, progress) in &self.cells {
            let is_stopped = match &progress.wish {
                Wish::Stop { kind: present } => *present == kind || *present == StopKind::End,
                Wish::Nothing => kind == StopKind::Pause,
                Wish::Start { .. } => false,
            };
            if progress.assigned && !is_stopped {
                decision
                    .commands
                    .push(self.stop(cell, progress, kind, reason));
            }
        }
    }

    fn stop(
        &self,
        cell: &CellId,
        progress: &CellProgress,
        kind: StopKind,
        reason: &str,
    ) -> RolloutCommand {
        RolloutCommand::Stop(Stop {
            rollout: self.plan.rollout.clone(),
            cell: cell.clone(),
            generation: progress.generation.next(),
            reason: reason.to_owned(),
            kind,
        })
    }

    fn warrant(&self, cell: &CellId, hosts: Vec<HostId>, direction: Direction) -> RolloutCommand {
        let generation = self.cells.get(cell).map(|progress| progress.generation);
        RolloutCommand::Warrant(Warrant {
            rollout: self.plan.rollout.clone(),
            cell: cell.clone(),
            wave: self.wave,
            generation: generation.unwrap_or_default().next(),
            direction,
            hosts,
            starts_for: WARRANT,
            signature: Vec::new(),
        })
    }

    fn hold_wave(&self, decision: &mut RolloutDecision) {
        let hosts: Vec<&HostId> = self
            .cells
            .keys()
            .flat_map(|cell| self.wave_hosts(cell))
            .collect();
        let done = hosts.iter().filter(|host| self.is_over(host)).count();
        let reason = Reason::Slices {
            done,
            of: hosts.len(),
        };
        let subject = self.wave_subject();
        decision.holds.push(Hold {
            subject,
            reason,
            since: self.wave_since,
        });
    }

    fn wave_subject(&self) -> Subject {
        Subject::Wave {
            rollout: self.plan.rollout.clone(),
            wave: self.wave,
        }
    }

    fn count(&self, outcome: &Outcome) -> usize {
        self.outcomes
            .values()
            .filter(|present| *present == outcome)
            .count()
    }
}

/// Whether a host has the patch, or may have it for all that is known.
fn may_have_it(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Passed | Outcome::Running => true,
        Outcome::Failed { end, .. } => *end == FailedEnd::Silent,
        Outcome::Waiting | Outcome::LeftOut { .. } | Outcome::RolledBack | Outcome::Gone => false,
    }
}

fn wake_at(decision: &mut RolloutDecision, at: Timestamp) {
    decision.wake = Some(decision.wake.map_or(at, |earlier| earlier.min(at)));
}
