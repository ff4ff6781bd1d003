//! What hosts tell of their guards, their drift and the effect of what is installed: stored once, and an alarm is said and counted.

use super::{
    Driver,
    turn::{Effect, Turn},
};
use crate::{metrics::ByFate, store::Store};
use cofferdam_engine::{
    cell::{CellEvent, Member},
    drift::DriftSummary,
    effect::EffectSummary,
    guard::{GuardEvent, GuardNews, Seen},
    id::HostId,
};
use cofferdam_proto::session::Heard;

impl<S: Store> Driver<S> {
    /// What is stored of what a host told beside its reports.
    pub(super) fn heard(&self, host: &HostId) -> Heard {
        let heard = |member: &Member| Heard {
            guard: member
                .guard
                .as_ref()
                .map(|guard| guard.heard)
                .unwrap_or_default(),
            drift: member.drift.as_ref().map(|drift| drift.at),
            takes_effect: true,
        };
        let known = self.fleet.host(host);
        let nothing = Heard {
            takes_effect: true,
            ..Heard::default()
        };
        known.map_or(nothing, |(_, member)| heard(member))
    }

    /// Takes in what a host told of its guard. What was known before is noted again and not stored again.
    pub(super) fn guard_told(&mut self, turn: &mut Turn, host: HostId, news: Box<GuardNews>) {
        let before = self.heard(&host).guard;
        let known = self.fleet.host(&host);
        let known = known.and_then(|(_, member)| member.guard.as_ref());
        if !known.is_some_and(|guard| guard.knows(&news)) {
            let is_new =
                |event: &&GuardEvent| before.log != news.log || before.number < event.number;
            for event in news.events.iter().filter(is_new) {
                self.count_event(&host, event);
            }
            let event = CellEvent::GuardTold {
                host: host.clone(),
                news,
            };
            if !self.host_event(turn, &host, event) {
                return;
            }
        }
        turn.effects.push(Effect::GuardNoted(host));
    }

    /// Takes in what changed on a host without an order. The same summary is not stored again.
    pub(super) fn drift_told(&mut self, turn: &mut Turn, host: &HostId, drift: Box<DriftSummary>) {
        let known = self.fleet.host(host);
        let known = known.and_then(|(_, member)| member.drift.as_ref());
        if known == Some(&drift) {
            return;
        }
        if drift.changes() > 0 {
            let (packages, files) = (drift.packages, drift.files);
            tracing::warn!(%host, packages, files, "the host has drifted");
        }
        let event = CellEvent::DriftTold {
            host: host.clone(),
            drift,
        };
        self.host_event(turn, host, event);
    }

    /// Takes in how far what is installed on a host is in effect. The same is not stored again.
    pub(super) fn effect_told(
        &mut self,
        turn: &mut Turn,
        host: &HostId,
        effect: Box<EffectSummary>,
    ) {
        let known = self.fleet.host(host);
        let known = known.and_then(|(_, member)| member.effect.as_ref());
        if known == Some(&effect) {
            return;
        }
        let event = CellEvent::EffectTold {
            host: host.clone(),
            effect,
        };
        self.host_event(turn, host, event);
    }

    fn count_event(&self, host: &HostId, event: &GuardEvent) {
        if event.alarms() {
            tracing::warn!(%host, "its guard: {event}");
        }
        match &event.seen {
            Seen::Tried(tried) => {
                let fate = tried.fate.name();
                self.metrics
                    .guard_tries
                    .get_or_create(&ByFate { fate })
                    .inc();
            }
            Seen::ControlLost { .. } => {
                self.metrics.guard_losses.inc();
            }
            Seen::Opened { .. } | Seen::Closed { .. } | Seen::ControlRegained => {}
        }
    }
}
