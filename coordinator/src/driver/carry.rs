//! How the driver takes inputs in, and carries out what they led to.

use super::{
    Driver,
    input::{Input, Said},
    turn::{Effect, Turn, package_events},
};
use crate::{
    metrics::ByAnswer,
    sessions::{Outbound, SessionNumber},
    store::Store,
    view::Situation,
};
use cofferdam_engine::{
    cell::{self, CellCommand, CellEvent},
    fleet::{FleetCommand, FleetError, FleetEvent},
    id::HostId,
    inventory::Host,
    order::{ClaimAnswer, Report},
    time::Timestamp,
};
use cofferdam_proto::{
    error_chain,
    session::{Hello, StageRequest, ToAgent},
};

impl<S: Store> Driver<S> {
    /// Takes one input in.
    pub(super) fn take(&mut self, turn: &mut Turn, input: Input) {
        match input {
            Input::Opened {
                hello,
                number,
                outbound,
                reply,
            } => {
                let result = self.opened(turn, *hello, number, outbound);
                turn.effects.push(Effect::Reply { reply, result });
            }
            Input::Said { host, number, said } => {
                if self.sessions.is_live(&host, number) {
                    self.said(turn, host, said);
                }
            }
            Input::Closed { host, number } => {
                if self.sessions.is_live(&host, number) {
                    self.sessions.close(&host);
                    self.disconnect(turn, &host);
                }
            }
            Input::Simulate {
                host,
                packages,
                reply,
            } => turn.effects.push(Effect::Simulate {
                host,
                packages,
                reply,
            }),
            Input::Act { event, reply } => {
                let result = turn.apply(&mut self.fleet, &event);
                turn.effects.push(Effect::Reply { reply, result });
            }
            Input::Ask(question) => turn.effects.push(Effect::Answer(question)),
        }
    }

    /// Notes that a host has no session any more.
    pub(super) fn disconnect(&mut self, turn: &mut Turn, host: &HostId) {
        let event = CellEvent::HostDisconnected { host: host.clone() };
        self.host_event(turn, host, event);
    }

    /// Carries out what waited for the turn's events to be durable.
    pub(super) fn carry_out(&mut self, effect: Effect, now: Timestamp) {
        match effect {
            Effect::Welcome {
                host,
                number,
                want_packages,
            } => {
                let welcome = ToAgent::Welcome {
                    epoch: self.fleet.epoch(),
                    heartbeat: self.heartbeat,
                    want_packages,
                };
                self.sessions.welcome(&host, number, welcome);
            }
            Effect::Simulate {
                host,
                packages,
                reply,
            } => self.sessions.simulate(host, packages, reply),
            Effect::Acknowledge(host) => {
                if let Some((_, member)) = self.fleet.host(&host) {
                    let up_to = member.reported;
                    self.sessions.send(&host, ToAgent::Acknowledge { up_to });
                }
            }
            Effect::RefuseClaim { host, key, point } => {
                let reason = "the order is not good any more".to_owned();
                let answer = ClaimAnswer::Refused { reason };
                self.sessions
                    .send(&host, ToAgent::ClaimAnswer { key, point, answer });
            }
            Effect::Command(FleetCommand::Cell { command, .. }) => self.send(command),
            // What a rollout asks of a cell was delivered by the command's events.
            Effect::Command(FleetCommand::Rollout { .. }) => {}
            Effect::Reply { reply, result } => {
                // Who asked may have gone away; the event stands.
                reply.send(result).ok();
            }
            Effect::Answer(question) => question(Situation {
                fleet: &self.fleet,
                holds: &self.holds,
                now,
            }),
        }
    }

    fn opened(
        &mut self,
        turn: &mut Turn,
        hello: Hello,
        number: SessionNumber,
        outbound: Outbound,
    ) -> Result<(), FleetError> {
        let host = hello.host.clone();
        let want_packages = !self
            .fleet
            .package_sets()
            .contains_key(&hello.facts.packages);
        let event = FleetEvent::HostConnected {
            hello: Box::new(known(hello)),
        };
        turn.apply(&mut self.fleet, &event)
            .inspect_err(|refusal| self.refuse(&host, "a hello", refusal))?;
        self.sessions.open(&host, number, outbound);
        turn.effects.push(Effect::Welcome {
            host: host.clone(),
            number,
            want_packages,
        });
        turn.effects.push(Effect::Acknowledge(host));
        Ok(())
    }

    fn said(&mut self, turn: &mut Turn, host: HostId, said: Said) {
        match said {
            Said::Packages(set) => {
                for event in package_events(&set) {
                    if let Err(refusal) = turn.apply(&mut self.fleet, &event) {
                        self.refuse(&host, "packages", &refusal);
                        return;
                    }
                }
            }
            Said::Report(report) => self.reported(turn, &host, report),
            Said::Claim { key, token, point } => {
                let event = CellEvent::Claimed {
                    host: host.clone(),
                    key,
                    token,
                    point,
                };
                if !self.host_event(turn, &host, event) {
                    turn.effects.push(Effect::RefuseClaim { host, key, point });
                }
            }
            Said::Simulated { request, result } => {
                self.sessions.simulated(&host, request, result);
            }
        }
    }

    /// A report that was taken in before is acknowledged again and not stored again.
    fn reported(&mut self, turn: &mut Turn, host: &HostId, report: Report) {
        let known = self.fleet.host(host).is_some_and(|(_, member)| {
            member.incarnation == report.incarnation && report.sequence <= member.reported
        });
        let event = CellEvent::Reported {
            host: host.clone(),
            report,
        };
        if known {
            turn.acknowledge(host);
        } else if self.host_event(turn, host, event) {
            turn.acknowledge(host);
            self.metrics.reports.inc();
        }
    }

    /// Applies an event of a host's cell; returns whether the state took it.
    fn host_event(&mut self, turn: &mut Turn, host: &HostId, event: CellEvent) -> bool {
        let event = FleetEvent::Host {
            host: host.clone(),
            event,
        };
        let applied = turn.apply(&mut self.fleet, &event);
        if let Err(refusal) = &applied {
            self.refuse(host, "a message", refusal);
        }
        applied.is_ok()
    }

    fn refuse(&self, host: &HostId, what: &str, refusal: &(dyn std::error::Error + 'static)) {
        tracing::warn!(%host, refusal = error_chain(refusal), "refused {what}");
        self.metrics.refused.inc();
    }

    fn send(&mut self, command: CellCommand) {
        let (host, message) = match command {
            CellCommand::Stage {
                rollout,
                host,
                lock_digest,
                content,
                one_way,
            } => {
                let request = StageRequest {
                    rollout,
                    lock_digest,
                    content,
                    one_way,
                };
                (host, ToAgent::Stage(request))
            }
            CellCommand::Order(order) => {
                self.metrics.orders.inc();
                (order.host.clone(), ToAgent::Order(order))
            }
            CellCommand::Resend(order) => (order.host.clone(), ToAgent::Order(order)),
            CellCommand::AnswerClaim {
                host,
                key,
                point,
                answer,
                ..
            } => {
                let name = match answer {
                    ClaimAnswer::Granted => "granted",
                    ClaimAnswer::Refused { .. } => "refused",
                };
                self.metrics
                    .claims
                    .get_or_create(&ByAnswer { answer: name })
                    .inc();
                (host, ToAgent::ClaimAnswer { key, point, answer })
            }
            CellCommand::Withdraw {
                host, key, reason, ..
            } => (host, ToAgent::Withdraw { key, reason }),
            CellCommand::Release { rollout, hosts } => {
                for host in &hosts {
                    let rollout = rollout.clone();
                    self.sessions.send(host, ToAgent::Release { rollout });
                }
                return;
            }
            CellCommand::GiveUp { .. } | CellCommand::Brake { .. } | CellCommand::Summarise(_) => {
                return;
            }
        };
        self.sessions.send(&host, message);
    }
}

/// A hello as the engine takes it.
fn known(hello: Hello) -> cell::Hello {
    cell::Hello {
        host: Host {
            id: hello.host,
            labels: hello.labels,
            facts: hello.facts,
        },
        incarnation: hello.incarnation,
        boot_id: hello.boot_id,
        version: hello.version,
        in_service: hello.in_service,
        open: hello.open,
        newest: hello.newest,
    }
}
