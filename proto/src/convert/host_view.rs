//! Hosts and explanations, as operators see them.

use super::{
    bounds::MAX_ENTRIES,
    enumerated::Enumerated,
    field::{At, FieldError},
    read, write,
};
use crate::{
    operator::{Explanation, Fact, HostView, OutView, RunView, SubjectKind},
    v1,
};
use cofferdam_engine::{cell::LeftBehind, run::MAX_EXCEPTIONS, time::Timestamp};

impl From<HostView> for v1::HostView {
    fn from(view: HostView) -> Self {
        Self {
            host: view.host.into(),
            cell: view.cell.into(),
            labels: view.labels.into(),
            platform: Some(view.platform.into()),
            kernel: write::line(&view.kernel),
            connected_since_ms: view.connected_since_ms.map(|at| at.0),
            in_service: view.in_service,
            detail: write::line(&view.detail),
            out: view.out.map(Into::into),
            run: view.run.map(Into::into),
            agent_version: write::line(&view.agent_version),
            guard: view.guard.map(Into::into),
            drift: view.drift.map(Into::into),
            effect: view.effect.map(Into::into),
            left_behind: view.left_behind.map(Into::into),
            packages: view.packages.map(write::digest),
        }
    }
}

impl TryFrom<v1::HostView> for HostView {
    type Error = FieldError;
    fn try_from(wire: v1::HostView) -> Result<Self, FieldError> {
        Ok(Self {
            host: read::name(wire.host).at("host")?,
            cell: read::name(wire.cell).at("cell")?,
            labels: read::labels(wire.labels).at("labels")?,
            platform: read::message(wire.platform).at("platform")?,
            kernel: read::line(wire.kernel).at("kernel")?,
            connected_since_ms: wire.connected_since_ms.map(Timestamp),
            in_service: wire.in_service,
            detail: read::line(wire.detail).at("detail")?,
            out: read::optional(wire.out).at("out")?,
            run: read::optional(wire.run).at("run")?,
            agent_version: read::line(wire.agent_version).at("agent_version")?,
            guard: read::optional(wire.guard).at("guard")?,
            drift: read::optional(wire.drift).at("drift")?,
            effect: read::optional(wire.effect).at("effect")?,
            left_behind: read::optional(wire.left_behind).at("left_behind")?,
            packages: wire
                .packages
                .map(|digest| read::digest(&digest))
                .transpose()
                .at("packages")?,
        })
    }
}

impl From<LeftBehind> for v1::LeftBehind {
    fn from(left: LeftBehind) -> Self {
        Self {
            rollout: left.rollout.into(),
            lines: write::first_lines(left.lines, MAX_EXCEPTIONS),
        }
    }
}

impl TryFrom<v1::LeftBehind> for LeftBehind {
    type Error = FieldError;
    fn try_from(wire: v1::LeftBehind) -> Result<Self, FieldError> {
        Ok(Self {
            rollout: read::name(wire.rollout).at("rollout")?,
            lines: read::few_lines(wire.lines, MAX_EXCEPTIONS).at("lines")?,
        })
    }
}

impl From<OutView> for v1::OutView {
    fn from(view: OutView) -> Self {
        Self {
            holder: write::line(&view.holder),
            why: write::line(&view.why),
            since_ms: view.since_ms.0,
            until_ms: view.until_ms.map(|at| at.0),
        }
    }
}

impl TryFrom<v1::OutView> for OutView {
    type Error = FieldError;
    fn try_from(wire: v1::OutView) -> Result<Self, FieldError> {
        Ok(Self {
            holder: read::filled_line(wire.holder).at("holder")?,
            why: read::filled_line(wire.why).at("why")?,
            since_ms: Timestamp(wire.since_ms),
            until_ms: wire.until_ms.map(Timestamp),
        })
    }
}

impl From<RunView> for v1::RunView {
    fn from(view: RunView) -> Self {
        Self {
            rollout: view.rollout.into(),
            state: Some(view.state.into()),
            since_ms: view.since_ms.0,
            slow: view.slow,
        }
    }
}

impl TryFrom<v1::RunView> for RunView {
    type Error = FieldError;
    fn try_from(wire: v1::RunView) -> Result<Self, FieldError> {
        Ok(Self {
            rollout: read::name(wire.rollout).at("rollout")?,
            state: read::message(wire.state).at("state")?,
            since_ms: Timestamp(wire.since_ms),
            slow: wire.slow,
        })
    }
}

impl From<Explanation> for v1::Explanation {
    fn from(explanation: Explanation) -> Self {
        Self {
            kind: explanation.kind.number(),
            subject: write::line(&explanation.subject),
            headline: write::line(&explanation.headline),
            lines: write::list(explanation.lines),
            facts: write::list(explanation.facts),
        }
    }
}

impl TryFrom<v1::Explanation> for Explanation {
    type Error = FieldError;
    fn try_from(wire: v1::Explanation) -> Result<Self, FieldError> {
        Ok(Self {
            kind: SubjectKind::read(wire.kind).at("kind")?,
            subject: read::filled_line(wire.subject).at("subject")?,
            headline: read::filled_line(wire.headline).at("headline")?,
            lines: read::list(wire.lines, MAX_ENTRIES).at("lines")?,
            facts: read::list(wire.facts, MAX_ENTRIES).at("facts")?,
        })
    }
}

impl From<Fact> for v1::Fact {
    fn from(fact: Fact) -> Self {
        Self {
            key: write::line(&fact.key),
            value: write::line(&fact.value),
        }
    }
}

impl TryFrom<v1::Fact> for Fact {
    type Error = FieldError;
    fn try_from(wire: v1::Fact) -> Result<Self, FieldError> {
        Ok(Self {
            key: read::filled_line(wire.key).at("key")?,
            value: read::line(wire.value).at("value")?,
        })
    }
}
