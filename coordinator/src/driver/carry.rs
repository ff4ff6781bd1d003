//! How the driver carries out what waited for a turn's events to be durable.

use super::{
    Driver,
    outgoing::{Archive, messages},
    turn::Effect,
};
use crate::{metrics::ByAnswer, sessions::SessionNumber, store::Store, view::Situation};
use cofferdam_engine::{
    cell::CellCommand,
    fleet::FleetCommand,
    id::{CellId, HostId},
    order::ClaimAnswer,
    time::Timestamp,
};
use cofferdam_proto::session::ToAgent;

impl<S: Store> Driver<S> {
    /// Carries out what waited for the turn's events to be durable.
    pub(super) fn carry_out(&mut self, effect: Effect, now: Timestamp) {
        match effect {
            Effect::Welcome {
                host,
                number,
                want_packages,
            } => self.welcome(&host, number, want_packages),
            Effect::Tell { host, message } => self.sessions.send(&host, message),
            Effect::Simulate { host, wish, reply } => {
                let region = self.fleet.region_of_host(&host);
                self.sessions.simulate(host, region, wish, reply);
            }
            Effect::Act(act) => self.sessions.far.act(act),
            Effect::Acted(acted) => self.sessions.far.acted(acted),
            Effect::Query {
                query,
                within,
                reply,
            } => {
                // Who asked may have gone away; then nobody waits for the answers.
                reply.send(self.query(&query, within)).ok();
            }
            Effect::Acknowledge(host) => {
                if let Some((_, member)) = self.fleet.host(&host) {
                    let up_to = member.reported;
                    self.sessions.send(&host, ToAgent::Acknowledge { up_to });
                }
            }
            Effect::GuardNoted(host) => {
                let up_to = self.heard(&host).guard;
                self.sessions.send(&host, ToAgent::GuardNoted { up_to });
            }
            Effect::Reserved(host) => {
                let reservation = self.fleet.reservation(&host, now);
                self.sessions.reserved(&host, reservation);
            }
            Effect::RefuseClaim { host, key, point } => {
                let reason = "the order is not good any more".to_owned();
                let answer = ClaimAnswer::Refused { reason };
                self.sessions
                    .send(&host, ToAgent::ClaimAnswer { key, point, answer });
            }
            Effect::Command(FleetCommand::Cell { cell, command }) => self.command(&cell, command),
            // What a cell is told was delivered by the command's events.
            Effect::Command(
                FleetCommand::Rollout { .. }
                | FleetCommand::Allot { .. }
                | FleetCommand::Gather { .. },
            ) => {}
            Effect::Reply { reply, result } => {
                // Who asked may have gone away; the event stands.
                reply.send(result).ok();
            }
            Effect::Answer(question) => {
                let (fleet, kept) = (&self.fleet, &self.holds);
                let step = self.clock.wall_step();
                question(Situation {
                    fleet,
                    kept,
                    step,
                    now,
                });
            }
        }
    }

    /// Sends what a cell's decision says, with what others signed of its rollout.
    fn command(&mut self, cell: &CellId, command: CellCommand) {
        self.count(&command);
        let archive = Archive(self.fleet.cells().get(cell));
        for (host, message) in messages(command, &archive) {
            self.sessions.send(&host, message);
        }
    }

    fn welcome(&mut self, host: &HostId, number: SessionNumber, want_packages: bool) {
        let welcome = ToAgent::Welcome {
            epoch: self.fleet.epoch(),
            heartbeat: self.heartbeat,
            want_packages,
            heard: Some(self.heard(host)),
        };
        self.sessions.welcome(host, number, welcome);
    }

    fn count(&self, command: &CellCommand) {
        match command {
            CellCommand::Order(_) => {
                self.metrics.orders.inc();
            }
            CellCommand::AnswerClaim { answer, .. } => {
                let answer = match answer {
                    ClaimAnswer::Granted => "granted",
                    ClaimAnswer::Refused { .. } => "refused",
                };
                let claims = &self.metrics.claims;
                claims.get_or_create(&ByAnswer { answer }).inc();
            }
            CellCommand::Resend(_)
            | CellCommand::Stage { .. }
            | CellCommand::Withdraw { .. }
            | CellCommand::GiveUp { .. }
            | CellCommand::Brake { .. }
            | CellCommand::EndReservation { .. }
            | CellCommand::Summarise(_)
            | CellCommand::Release { .. } => {}
        }
    }
}
