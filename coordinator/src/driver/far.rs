//! What the driver takes in over links: changes of the state, and answers of hosts and regions.

use super::{
    Driver,
    input::{FromLink, Said},
    turn::{Effect, Turn},
};
use crate::{
    sessions::{Act, far},
    store::Store,
};
use cofferdam_engine::{
    cell::CellEvent,
    fleet::{FleetError, FleetEvent, LinkEvent, News},
    id::HostId,
};
use cofferdam_proto::{error_chain, session::FromAgent};
use tokio::sync::oneshot;

impl<S: Store> Driver<S> {
    /// Takes in an operator's event, or has the region take it in that alone can.
    pub(super) fn act(
        &mut self,
        turn: &mut Turn,
        event: Box<FleetEvent>,
        reply: oneshot::Sender<Result<(), FleetError>>,
    ) {
        let result = match self.fleet.region_to_ask(&event) {
            Ok(Some(region)) => {
                let act = Act {
                    region,
                    event,
                    reply,
                };
                return turn.effects.push(Effect::Act(act));
            }
            Ok(None) => turn.apply(&mut self.fleet, &event),
            Err(refusal) => Err(refusal),
        };
        turn.effects.push(Effect::Reply { reply, result });
    }

    /// Takes in one thing that came by a link.
    pub(super) fn heard_far(&mut self, turn: &mut Turn, heard: FromLink) -> Result<(), FleetError> {
        match heard {
            FromLink::Event(event) => {
                self.end_questions(&event);
                turn.apply(&mut self.fleet, &FleetEvent::Link { event })
            }
            FromLink::Said { host, said } => {
                match said {
                    Said::Simulated { request, result } => {
                        self.sessions
                            .simulated(&host, far::unmarked(request), result);
                    }
                    Said::Queried { request, result } => {
                        self.sessions.queried(&host, far::unmarked(request), result);
                    }
                    Said::Packages(_)
                    | Said::PackagesChanged(_)
                    | Said::Report(_)
                    | Said::Claim { .. }
                    | Said::GuardNews(_)
                    | Said::Drift(_)
                    | Said::Effect(_) => {}
                }
                Ok(())
            }
            FromLink::Acted(acted) => {
                turn.effects.push(Effect::Acted(acted));
                Ok(())
            }
        }
    }

    /// Hosts that lost their session, or their region its link, answer nothing any more.
    fn end_questions(&mut self, event: &LinkEvent) {
        match event {
            LinkEvent::News { news, .. } => {
                if let News::Cell { event, .. } = news.as_ref()
                    && let CellEvent::HostDisconnected { host } = event.as_ref()
                {
                    self.sessions.forget_questions(host);
                }
            }
            LinkEvent::Silent { region, .. } => {
                self.sessions.far.close(region);
                let is_its = |host: &&HostId| self.fleet.region_of_host(host) == Some(region);
                let hosts: Vec<HostId> =
                    self.fleet.homes().keys().filter(is_its).cloned().collect();
                for host in hosts {
                    self.sessions.forget_questions(&host);
                }
            }
            LinkEvent::Joined { .. }
            | LinkEvent::Copied { .. }
            | LinkEvent::Summary { .. }
            | LinkEvent::ToldTaken { .. }
            | LinkEvent::Heard { .. }
            | LinkEvent::Met { .. }
            | LinkEvent::Told { .. }
            | LinkEvent::SummariesTaken { .. } => {}
        }
    }

    /// Hands a host's answer up to the control plane that asked. Where no link takes it, nobody waits.
    pub(super) fn hand_up(&self, host: HostId, said: Said) {
        let answer = match said {
            Said::Simulated { request, result } => FromAgent::Simulated { request, result },
            Said::Queried { request, result } => FromAgent::Queried { request, result },
            Said::Packages(_)
            | Said::PackagesChanged(_)
            | Said::Report(_)
            | Said::Claim { .. }
            | Said::GuardNews(_)
            | Said::Drift(_)
            | Said::Effect(_) => return,
        };
        self.answers.try_send((host, answer)).ok();
    }

    /// What was told over a link and not taken in: a cell that has heard newer things does so rightly.
    pub(super) fn log_refused(&mut self) {
        for refused in self.fleet.take_refused() {
            let refusal = error_chain(&refused);
            tracing::info!(refusal, "passed over what was told over a link");
        }
    }
}
