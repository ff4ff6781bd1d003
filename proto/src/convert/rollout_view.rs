//! Rollouts, as operators see them.

use super::{
    bounds::MAX_ENTRIES,
    enumerated::Enumerated,
    field::{At, FieldError},
    read, write,
};
use crate::{
    operator::{
        ApprovalView, EFFECTIVE_UNITS, EffectiveView, FailureCluster, HoldView, PromotionView,
        RolloutLine, RolloutState, RolloutView, StaleUnit, WaveState, WaveView,
    },
    v1,
};
use cofferdam_engine::{failure::FailureKind, time::Timestamp};

impl From<Vec<RolloutLine>> for v1::ListReply {
    fn from(lines: Vec<RolloutLine>) -> Self {
        let rollouts = write::list(lines);
        Self { rollouts }
    }
}

impl TryFrom<v1::ListReply> for Vec<RolloutLine> {
    type Error = FieldError;
    fn try_from(wire: v1::ListReply) -> Result<Self, FieldError> {
        read::list(wire.rollouts, MAX_ENTRIES).at("rollouts")
    }
}

impl From<RolloutLine> for v1::RolloutLine {
    fn from(line: RolloutLine) -> Self {
        Self {
            name: line.name.into(),
            state: line.state.number(),
            reason: write::line(&line.reason),
            wave: line.wave.as_deref().map(write::line),
            hosts: line.hosts,
            passed: line.passed,
            failed: line.failed,
            started_at_ms: line.started_at_ms.map(|at| at.0),
            ended_at_ms: line.ended_at_ms.map(|at| at.0),
            amends: line.amends.map(Into::into),
            amended_by: write::names(line.amended_by),
        }
    }
}

impl TryFrom<v1::RolloutLine> for RolloutLine {
    type Error = FieldError;
    fn try_from(wire: v1::RolloutLine) -> Result<Self, FieldError> {
        Ok(Self {
            name: read::name(wire.name).at("name")?,
            state: RolloutState::read(wire.state).at("state")?,
            reason: read::line(wire.reason).at("reason")?,
            wave: read::optional_line(wire.wave).at("wave")?,
            hosts: wire.hosts,
            passed: wire.passed,
            failed: wire.failed,
            started_at_ms: wire.started_at_ms.map(Timestamp),
            ended_at_ms: wire.ended_at_ms.map(Timestamp),
            amends: wire.amends.map(read::name).transpose().at("amends")?,
            amended_by: read::names(wire.amended_by).at("amended_by")?,
        })
    }
}

impl From<RolloutView> for v1::RolloutView {
    fn from(view: RolloutView) -> Self {
        Self {
            name: view.name.into(),
            state: view.state.number(),
            reason: write::line(&view.reason),
            waves: write::list(view.waves),
            failures: write::list(view.failures),
            holds: write::list(view.holds),
            hosts: view.hosts,
            slow_hosts: write::names(view.slow_hosts),
            warnings: write::lines(view.warnings),
            started_at_ms: view.started_at_ms.map(|at| at.0),
            ended_at_ms: view.ended_at_ms.map(|at| at.0),
            amends: view.amends.map(Into::into),
            amended_by: write::names(view.amended_by),
            approvals: write::list(view.approvals),
            promotions: write::list(view.promotions),
            alarms: write::list(view.alarms),
            signed_by: view.signed_by.as_deref().map(write::line),
            effective: view.effective.map(Into::into),
            changed_hosts: view.changed_hosts,
        }
    }
}

impl TryFrom<v1::RolloutView> for RolloutView {
    type Error = FieldError;
    fn try_from(wire: v1::RolloutView) -> Result<Self, FieldError> {
        Ok(Self {
            name: read::name(wire.name).at("name")?,
            state: RolloutState::read(wire.state).at("state")?,
            reason: read::line(wire.reason).at("reason")?,
            waves: read::list(wire.waves, MAX_ENTRIES).at("waves")?,
            failures: read::list(wire.failures, MAX_ENTRIES).at("failures")?,
            holds: read::list(wire.holds, MAX_ENTRIES).at("holds")?,
            hosts: wire.hosts,
            slow_hosts: read::names(wire.slow_hosts).at("slow_hosts")?,
            warnings: read::lines(wire.warnings).at("warnings")?,
            started_at_ms: wire.started_at_ms.map(Timestamp),
            ended_at_ms: wire.ended_at_ms.map(Timestamp),
            amends: wire.amends.map(read::name).transpose().at("amends")?,
            amended_by: read::names(wire.amended_by).at("amended_by")?,
            approvals: read::list(wire.approvals, MAX_ENTRIES).at("approvals")?,
            promotions: read::list(wire.promotions, MAX_ENTRIES).at("promotions")?,
            alarms: read::list(wire.alarms, MAX_ENTRIES).at("alarms")?,
            signed_by: read::optional_line(wire.signed_by).at("signed_by")?,
            effective: read::optional(wire.effective).at("effective")?,
            changed_hosts: wire.changed_hosts,
        })
    }
}

impl From<ApprovalView> for v1::ApprovalView {
    fn from(view: ApprovalView) -> Self {
        Self {
            by: view.by.into(),
            reason: write::line(&view.reason),
            at_ms: view.at_ms.0,
        }
    }
}

impl TryFrom<v1::ApprovalView> for ApprovalView {
    type Error = FieldError;
    fn try_from(wire: v1::ApprovalView) -> Result<Self, FieldError> {
        Ok(Self {
            by: read::name(wire.by).at("by")?,
            reason: read::line(wire.reason).at("reason")?,
            at_ms: Timestamp(wire.at_ms),
        })
    }
}

impl From<PromotionView> for v1::PromotionView {
    fn from(view: PromotionView) -> Self {
        Self {
            wave: write::line(&view.wave),
            by: view.by.into(),
            reason: write::line(&view.reason),
            at_ms: view.at_ms.0,
        }
    }
}

impl TryFrom<v1::PromotionView> for PromotionView {
    type Error = FieldError;
    fn try_from(wire: v1::PromotionView) -> Result<Self, FieldError> {
        Ok(Self {
            wave: read::filled_line(wire.wave).at("wave")?,
            by: read::name(wire.by).at("by")?,
            reason: read::line(wire.reason).at("reason")?,
            at_ms: Timestamp(wire.at_ms),
        })
    }
}

impl From<WaveView> for v1::WaveView {
    fn from(view: WaveView) -> Self {
        Self {
            name: write::line(&view.name),
            state: view.state.number(),
            hosts: view.hosts,
            running: view.running,
            passed: view.passed,
            failed: view.failed,
            timed_out: view.timed_out,
            unreachable: view.unreachable,
            left_out: view.left_out,
            skipped: view.skipped,
            rolled_back: view.rolled_back,
            bake_until_ms: view.bake_until_ms.map(|at| at.0),
        }
    }
}

impl TryFrom<v1::WaveView> for WaveView {
    type Error = FieldError;
    fn try_from(wire: v1::WaveView) -> Result<Self, FieldError> {
        Ok(Self {
            name: read::filled_line(wire.name).at("name")?,
            state: WaveState::read(wire.state).at("state")?,
            hosts: wire.hosts,
            running: wire.running,
            passed: wire.passed,
            failed: wire.failed,
            timed_out: wire.timed_out,
            unreachable: wire.unreachable,
            left_out: wire.left_out,
            skipped: wire.skipped,
            rolled_back: wire.rolled_back,
            bake_until_ms: wire.bake_until_ms.map(Timestamp),
        })
    }
}

impl From<FailureCluster> for v1::FailureCluster {
    fn from(cluster: FailureCluster) -> Self {
        Self {
            kind: cluster.kind.number(),
            detail: write::line(&cluster.detail),
            hosts: write::names(cluster.hosts),
        }
    }
}

impl TryFrom<v1::FailureCluster> for FailureCluster {
    type Error = FieldError;
    fn try_from(wire: v1::FailureCluster) -> Result<Self, FieldError> {
        Ok(Self {
            kind: FailureKind::read(wire.kind).at("kind")?,
            detail: read::line(wire.detail).at("detail")?,
            hosts: read::names(wire.hosts).at("hosts")?,
        })
    }
}

impl From<HoldView> for v1::HoldView {
    fn from(view: HoldView) -> Self {
        Self {
            subject: write::line(&view.subject),
            reason: write::line(&view.reason),
            rule: write::line(&view.rule),
            since_ms: view.since_ms.0,
            hosts: view.hosts,
            until_ms: view.until_ms.map(|at| at.0),
        }
    }
}

impl TryFrom<v1::HoldView> for HoldView {
    type Error = FieldError;
    fn try_from(wire: v1::HoldView) -> Result<Self, FieldError> {
        Ok(Self {
            subject: read::filled_line(wire.subject).at("subject")?,
            reason: read::filled_line(wire.reason).at("reason")?,
            rule: read::filled_line(wire.rule).at("rule")?,
            since_ms: Timestamp(wire.since_ms),
            hosts: wire.hosts,
            until_ms: wire.until_ms.map(Timestamp),
        })
    }
}

impl From<EffectiveView> for v1::Effective {
    fn from(view: EffectiveView) -> Self {
        Self {
            yes: view.yes,
            needs_restart: view.needs_restart,
            needs_reboot: view.needs_reboot,
            unknown: view.unknown,
            units: write::first(view.units, EFFECTIVE_UNITS),
        }
    }
}

impl TryFrom<v1::Effective> for EffectiveView {
    type Error = FieldError;
    fn try_from(wire: v1::Effective) -> Result<Self, FieldError> {
        Ok(Self {
            yes: wire.yes,
            needs_restart: wire.needs_restart,
            needs_reboot: wire.needs_reboot,
            unknown: wire.unknown,
            units: read::list(wire.units, EFFECTIVE_UNITS).at("units")?,
        })
    }
}

impl From<StaleUnit> for v1::StaleUnit {
    fn from(stale: StaleUnit) -> Self {
        Self {
            unit: write::line(&stale.unit),
            hosts: stale.hosts,
        }
    }
}

impl TryFrom<v1::StaleUnit> for StaleUnit {
    type Error = FieldError;
    fn try_from(wire: v1::StaleUnit) -> Result<Self, FieldError> {
        Ok(Self {
            unit: read::filled_line(wire.unit).at("unit")?,
            hosts: wire.hosts,
        })
    }
}
