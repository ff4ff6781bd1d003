//! How the driver takes inputs in: each becomes events, and what is done once these are durable.

use super::{
    Driver,
    input::{Input, Said},
    turn::{Effect, Turn, package_events},
};
use crate::{
    sessions::{Outbound, SessionNumber, far},
    store::Store,
};
use cofferdam_engine::{
    cell::{self, Cell, CellEvent, Member},
    digest::Digest,
    fleet::{FleetError, FleetEvent},
    id::HostId,
    inventory::{Host, PackageSet},
    report::Report,
};
use cofferdam_proto::{
    error_chain,
    session::{Hello, ToAgent},
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
            Input::Simulate { host, wish, reply } => {
                turn.effects.push(Effect::Simulate { host, wish, reply })
            }
            Input::Tell { host, message } => turn.effects.push(Effect::Tell { host, message }),
            Input::Query {
                query,
                within,
                reply,
            } => turn.effects.push(Effect::Query {
                query,
                within,
                reply,
            }),
            Input::Act { event, reply } => self.act(turn, event, reply),
            Input::Link { heard, reply } => {
                let result = heard
                    .into_iter()
                    .try_for_each(|one| self.heard_far(turn, one));
                self.log_refused();
                turn.effects.push(Effect::Reply { reply, result });
            }
            Input::Linked { region, queue } => self.sessions.far.open(region, queue),
            Input::Ask(question) => turn.effects.push(Effect::Answer(question)),
        }
    }

    /// Notes that a host has no session any more.
    pub(super) fn disconnect(&mut self, turn: &mut Turn, host: &HostId) {
        let event = CellEvent::HostDisconnected { host: host.clone() };
        self.host_event(turn, host, event);
    }

    fn opened(
        &mut self,
        turn: &mut Turn,
        hello: Hello,
        number: SessionNumber,
        outbound: Outbound,
    ) -> Result<(), FleetError> {
        let host = hello.host.clone();
        let takes_reservations = hello.takes_reservations;
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
        turn.effects.push(Effect::Acknowledge(host.clone()));
        if takes_reservations {
            self.sessions.take_reservations(&host);
            turn.effects.push(Effect::Reserved(host));
        }
        Ok(())
    }

    /// Takes a package set in that its host's facts name, once: hosts that connect together are all
    /// asked for the same one, and what nobody has is kept for nobody.
    fn packages(&mut self, turn: &mut Turn, host: &HostId, set: &PackageSet) {
        let digest = set.digest();
        let named = |(_, member): (&Cell, &Member)| member.host.facts.packages == digest;
        let is_wanted = self.fleet.host(host).is_some_and(named)
            && !self.fleet.package_sets().contains_key(&digest);
        if !is_wanted {
            return;
        }
        for event in package_events(set) {
            if let Err(refusal) = turn.apply(&mut self.fleet, &event) {
                self.refuse(host, "packages", &refusal);
                return;
            }
        }
    }

    /// Takes in that a host has other packages than before, and asks for them unless they are known.
    fn packages_changed(&mut self, turn: &mut Turn, host: HostId, packages: Digest) {
        let had = self.fleet.host(&host);
        let had = had.map(|(_, member)| member.host.facts.packages);
        let event = CellEvent::PackagesChanged {
            host: host.clone(),
            packages,
        };
        if had != Some(packages) && !self.host_event(turn, &host, event) {
            return;
        }
        let want_packages = !self.fleet.package_sets().contains_key(&packages);
        let message = ToAgent::PackagesNoted { want_packages };
        turn.effects.push(Effect::Tell { host, message });
    }

    fn said(&mut self, turn: &mut Turn, host: HostId, said: Said) {
        match said {
            Said::Packages(set) => self.packages(turn, &host, &set),
            Said::PackagesChanged(packages) => self.packages_changed(turn, host, packages),
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
            Said::Simulated { request, .. } | Said::Queried { request, .. }
                if far::is_marked(request) =>
            {
                self.hand_up(host, said);
            }
            Said::Simulated { request, result } => {
                self.sessions.simulated(&host, request, result);
            }
            Said::Queried { request, result } => self.sessions.queried(&host, request, result),
            Said::GuardNews(news) => self.guard_told(turn, host, news),
            Said::Drift(drift) => self.drift_told(turn, &host, drift),
            Said::Effect(effect) => self.effect_told(turn, &host, effect),
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
    pub(super) fn host_event(&mut self, turn: &mut Turn, host: &HostId, event: CellEvent) -> bool {
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
}

/// A hello as the engine takes it.
fn known(hello: Hello) -> cell::Hello {
    cell::Hello {
        host: Host {
            id: hello.host,
            labels: hello.labels,
            facts: hello.facts.into(),
        },
        incarnation: hello.incarnation,
        boot_id: hello.boot_id,
        version: hello.version,
        in_service: hello.in_service,
        detail: hello.detail,
        open: hello.open,
        newest: hello.newest,
    }
}
