//! What hosts tell of their guards, their drift and the effect of what is installed, and what operators see of it.

use super::{
    bounds::{MAX_GUARD_EVENTS, MAX_GUARD_LINES},
    enumerated::Enumerated,
    field::{At, FieldError, Problem},
    read, write,
};
use crate::{
    operator::{Alarm, GuardView, GuardWindowView},
    session::Heard,
    v1::{self, guard_event::Seen as Wire},
};
use cofferdam_engine::{
    drift::{DRIFT_LINES, DriftSummary},
    effect::{EFFECT_UNITS, EffectSummary},
    guard::{
        Fate, GuardEvent, GuardMode, GuardNews, GuardPosition, GuardState, LONGEST_WINDOW,
        LostChannel, Seen, Tried, WindowLeft,
    },
    time::{Timestamp, millis},
};
use std::time::Duration;

impl From<GuardPosition> for v1::GuardPosition {
    fn from(position: GuardPosition) -> Self {
        Self {
            log: position.log,
            number: position.number,
            times: position.times,
        }
    }
}

impl TryFrom<v1::GuardPosition> for GuardPosition {
    type Error = FieldError;
    fn try_from(wire: v1::GuardPosition) -> Result<Self, FieldError> {
        Ok(Self {
            log: wire.log,
            number: wire.number,
            times: wire.times,
        })
    }
}

impl From<Heard> for v1::Heard {
    fn from(heard: Heard) -> Self {
        Self {
            guard: Some(heard.guard.into()),
            drift_at_ms: heard.drift.map(|at| at.0),
            takes_effect: heard.takes_effect,
        }
    }
}

impl TryFrom<v1::Heard> for Heard {
    type Error = FieldError;
    fn try_from(wire: v1::Heard) -> Result<Self, FieldError> {
        Ok(Self {
            guard: read::message(wire.guard).at("guard")?,
            drift: wire.drift_at_ms.map(Timestamp),
            takes_effect: wire.takes_effect,
        })
    }
}

impl From<GuardNews> for v1::GuardNews {
    fn from(news: GuardNews) -> Self {
        Self {
            mode: news.state.mode.number(),
            lost: write::first(news.state.lost, MAX_GUARD_LINES),
            window: news.window.map(Into::into),
            log: news.log,
            events: write::first(news.events, MAX_GUARD_EVENTS),
        }
    }
}

impl TryFrom<v1::GuardNews> for GuardNews {
    type Error = FieldError;
    fn try_from(wire: v1::GuardNews) -> Result<Self, FieldError> {
        Ok(Self {
            state: state(wire.mode, wire.lost)?,
            window: read::optional(wire.window).at("window")?,
            log: wire.log,
            events: read::list(wire.events, MAX_GUARD_EVENTS).at("events")?,
        })
    }
}

fn state(mode: i32, lost: Vec<v1::LostChannel>) -> Result<GuardState, FieldError> {
    Ok(GuardState {
        mode: GuardMode::read(mode).at("mode")?,
        lost: read::list(lost, MAX_GUARD_LINES).at("lost")?,
    })
}

impl From<LostChannel> for v1::LostChannel {
    fn from(lost: LostChannel) -> Self {
        Self {
            channel: write::line(&lost.channel),
            why: write::line(&lost.why),
        }
    }
}

impl TryFrom<v1::LostChannel> for LostChannel {
    type Error = FieldError;
    fn try_from(wire: v1::LostChannel) -> Result<Self, FieldError> {
        Ok(Self {
            channel: read::filled_line(wire.channel).at("channel")?,
            why: read::filled_line(wire.why).at("why")?,
        })
    }
}

impl From<WindowLeft> for v1::GuardWindow {
    fn from(window: WindowLeft) -> Self {
        Self {
            opened: window.opened,
            by: write::line(&window.by),
            reason: write::line(&window.reason),
            left_ms: millis(window.left.min(LONGEST_WINDOW)),
        }
    }
}

impl TryFrom<v1::GuardWindow> for WindowLeft {
    type Error = FieldError;
    fn try_from(wire: v1::GuardWindow) -> Result<Self, FieldError> {
        let (ms, max_ms) = (wire.left_ms, millis(LONGEST_WINDOW));
        if ms > max_ms {
            return Err(Problem::TooLate { ms, max_ms }).at("left_ms");
        }
        Ok(Self {
            opened: wire.opened,
            by: read::filled_line(wire.by).at("by")?,
            reason: read::filled_line(wire.reason).at("reason")?,
            left: Duration::from_millis(ms),
        })
    }
}

impl From<GuardEvent> for v1::GuardEvent {
    fn from(event: GuardEvent) -> Self {
        Self {
            number: event.number,
            times: event.times,
            at_ms: event.at.0,
            seen: Some(event.seen.into()),
        }
    }
}

impl TryFrom<v1::GuardEvent> for GuardEvent {
    type Error = FieldError;
    fn try_from(wire: v1::GuardEvent) -> Result<Self, FieldError> {
        Ok(Self {
            number: read::from_one(wire.number).at("number")?,
            times: read::from_one(wire.times).at("times")?,
            at: Timestamp(wire.at_ms),
            seen: read::required(wire.seen).at("seen")?.try_into()?,
        })
    }
}

impl From<Seen> for Wire {
    fn from(seen: Seen) -> Self {
        match seen {
            Seen::Tried(tried) => Self::Tried(tried.into()),
            Seen::Opened {
                lasts_ms,
                by,
                reason,
            } => Self::Opened(v1::WindowOpened {
                lasts_ms,
                by: write::line(&by),
                reason: write::line(&reason),
            }),
            Seen::Closed { by } => Self::Closed(v1::WindowClosed {
                by: write::line(&by),
            }),
            Seen::ControlLost { files } => Self::ControlLost(v1::ControlLost {
                files: write::first_lines(files, MAX_GUARD_LINES),
            }),
            Seen::ControlRegained => Self::ControlRegained(v1::ControlRegained {}),
        }
    }
}

impl TryFrom<Wire> for Seen {
    type Error = FieldError;
    fn try_from(wire: Wire) -> Result<Self, FieldError> {
        match wire {
            Wire::Tried(wire) => Ok(Self::Tried(wire.try_into().at("tried")?)),
            Wire::Opened(wire) => Ok(Self::Opened {
                lasts_ms: wire.lasts_ms,
                by: read::filled_line(wire.by).at("opened.by")?,
                reason: read::filled_line(wire.reason).at("opened.reason")?,
            }),
            Wire::Closed(wire) => Ok(Self::Closed {
                by: read::filled_line(wire.by).at("closed.by")?,
            }),
            Wire::ControlLost(wire) => {
                let files = read::few_lines(wire.files, MAX_GUARD_LINES);
                Ok(Self::ControlLost {
                    files: files.at("control_lost.files")?,
                })
            }
            Wire::ControlRegained(v1::ControlRegained {}) => Ok(Self::ControlRegained),
        }
    }
}

impl From<Tried> for v1::Tried {
    fn from(tried: Tried) -> Self {
        Self {
            fate: tried.fate.number(),
            channel: write::line(&tried.channel),
            command: write::line(&tried.command),
            parents: write::first_lines(tried.parents, MAX_GUARD_LINES),
            unit: write::line(&tried.unit),
            login: write::line(&tried.login),
            packages: write::first_lines(tried.packages, MAX_GUARD_LINES),
            more: tried.more,
        }
    }
}

impl TryFrom<v1::Tried> for Tried {
    type Error = FieldError;
    fn try_from(wire: v1::Tried) -> Result<Self, FieldError> {
        Ok(Self {
            fate: Fate::read(wire.fate).at("fate")?,
            channel: read::filled_line(wire.channel).at("channel")?,
            command: read::line(wire.command).at("command")?,
            parents: read::few_lines(wire.parents, MAX_GUARD_LINES).at("parents")?,
            unit: read::line(wire.unit).at("unit")?,
            login: read::line(wire.login).at("login")?,
            packages: read::few_lines(wire.packages, MAX_GUARD_LINES).at("packages")?,
            more: wire.more,
        })
    }
}

impl From<DriftSummary> for v1::DriftSummary {
    fn from(drift: DriftSummary) -> Self {
        Self {
            at_ms: drift.at.0,
            packages: drift.packages,
            files: drift.files,
            lines: write::first_lines(drift.lines, DRIFT_LINES),
        }
    }
}

impl TryFrom<v1::DriftSummary> for DriftSummary {
    type Error = FieldError;
    fn try_from(wire: v1::DriftSummary) -> Result<Self, FieldError> {
        Ok(Self {
            at: Timestamp(wire.at_ms),
            packages: wire.packages,
            files: wire.files,
            lines: read::few_lines(wire.lines, DRIFT_LINES).at("lines")?,
        })
    }
}

impl From<EffectSummary> for v1::EffectSummary {
    fn from(effect: EffectSummary) -> Self {
        Self {
            restart: write::first_lines(effect.restart, EFFECT_UNITS),
            reboot: effect.reboot.map(|why| write::line(&why)),
        }
    }
}

impl TryFrom<v1::EffectSummary> for EffectSummary {
    type Error = FieldError;
    fn try_from(wire: v1::EffectSummary) -> Result<Self, FieldError> {
        let reboot = wire.reboot.map(read::filled_line).transpose();
        Ok(Self {
            restart: read::few_lines(wire.restart, EFFECT_UNITS).at("restart")?,
            reboot: reboot.at("reboot")?,
        })
    }
}

impl From<GuardView> for v1::GuardView {
    fn from(view: GuardView) -> Self {
        Self {
            mode: view.mode.number(),
            lost: write::first(view.lost, MAX_GUARD_LINES),
            since_ms: view.since_ms.0,
            events: write::first(view.events, MAX_GUARD_EVENTS),
            missed: view.missed,
            dropped: view.dropped,
            window: view.window.map(Into::into),
        }
    }
}

impl TryFrom<v1::GuardView> for GuardView {
    type Error = FieldError;
    fn try_from(wire: v1::GuardView) -> Result<Self, FieldError> {
        let GuardState { mode, lost } = state(wire.mode, wire.lost)?;
        Ok(Self {
            mode,
            lost,
            since_ms: Timestamp(wire.since_ms),
            events: read::list(wire.events, MAX_GUARD_EVENTS).at("events")?,
            missed: wire.missed,
            dropped: wire.dropped,
            window: read::optional(wire.window).at("window")?,
        })
    }
}

impl From<GuardWindowView> for v1::GuardWindowView {
    fn from(view: GuardWindowView) -> Self {
        Self {
            by: write::line(&view.by),
            reason: write::line(&view.reason),
            until_ms: view.until_ms.0,
        }
    }
}

impl TryFrom<v1::GuardWindowView> for GuardWindowView {
    type Error = FieldError;
    fn try_from(wire: v1::GuardWindowView) -> Result<Self, FieldError> {
        Ok(Self {
            by: read::filled_line(wire.by).at("by")?,
            reason: read::filled_line(wire.reason).at("reason")?,
            until_ms: Timestamp(wire.until_ms),
        })
    }
}

impl From<Alarm> for v1::Alarm {
    fn from(alarm: Alarm) -> Self {
        Self {
            host: alarm.host.into(),
            event: Some(alarm.event.into()),
        }
    }
}

impl TryFrom<v1::Alarm> for Alarm {
    type Error = FieldError;
    fn try_from(wire: v1::Alarm) -> Result<Self, FieldError> {
        Ok(Self {
            host: read::name(wire.host).at("host")?,
            event: read::message(wire.event).at("event")?,
        })
    }
}
