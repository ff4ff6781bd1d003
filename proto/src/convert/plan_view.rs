//! Plans, as operators see them.

use super::{
    bounds::MAX_ENTRIES,
    enumerated::Enumerated,
    field::{At, FieldError},
    read, write,
};
use crate::{
    operator::{
        Coverage, GroupView, ImpactView, NeededApproval, PlanView, StratumView, WaivedView,
    },
    v1,
};
use cofferdam_engine::plan::ImpactKind;

impl From<PlanView> for v1::PlanView {
    fn from(plan: PlanView) -> Self {
        Self {
            rollout: plan.rollout.into(),
            digest: write::digest(plan.digest),
            lock_digest: write::digest(plan.lock_digest),
            waves: write::list(plan.waves),
            warnings: write::lines(plan.warnings),
            estimate_ms: plan.estimate_ms,
            coverage: Some(plan.coverage.into()),
            changes: write::list(plan.changes),
            impacts: write::list(plan.impacts),
            approvals: write::list(plan.approvals),
            severity: write::line(&plan.severity),
            profile: write::line(&plan.profile),
        }
    }
}

impl TryFrom<v1::PlanView> for PlanView {
    type Error = FieldError;
    fn try_from(wire: v1::PlanView) -> Result<Self, FieldError> {
        Ok(Self {
            rollout: read::name(wire.rollout).at("rollout")?,
            digest: read::digest(&wire.digest).at("digest")?,
            lock_digest: read::digest(&wire.lock_digest).at("lock_digest")?,
            waves: read::list(wire.waves, MAX_ENTRIES).at("waves")?,
            warnings: read::lines(wire.warnings).at("warnings")?,
            estimate_ms: wire.estimate_ms,
            coverage: read::message(wire.coverage).at("coverage")?,
            changes: read::list(wire.changes, MAX_ENTRIES).at("changes")?,
            impacts: read::list(wire.impacts, MAX_ENTRIES).at("impacts")?,
            approvals: read::list(wire.approvals, MAX_ENTRIES).at("approvals")?,
            severity: read::filled_line(wire.severity).at("severity")?,
            profile: read::filled_line(wire.profile).at("profile")?,
        })
    }
}

impl From<NeededApproval> for v1::NeededApproval {
    fn from(needed: NeededApproval) -> Self {
        Self {
            host: needed.host.into(),
            group: write::line(&needed.group),
            by: write::names(needed.by),
        }
    }
}

impl TryFrom<v1::NeededApproval> for NeededApproval {
    type Error = FieldError;
    fn try_from(wire: v1::NeededApproval) -> Result<Self, FieldError> {
        Ok(Self {
            host: read::name(wire.host).at("host")?,
            group: read::filled_line(wire.group).at("group")?,
            by: read::names(wire.by).at("by")?,
        })
    }
}

impl From<ImpactView> for v1::ImpactView {
    fn from(view: ImpactView) -> Self {
        Self {
            service: view.service.into(),
            kind: view.kind.number(),
            tier: view.tier,
            owners: write::names(view.owners),
            hosts: view.hosts,
        }
    }
}

impl TryFrom<v1::ImpactView> for ImpactView {
    type Error = FieldError;
    fn try_from(wire: v1::ImpactView) -> Result<Self, FieldError> {
        Ok(Self {
            service: read::name(wire.service).at("service")?,
            kind: ImpactKind::read(wire.kind).at("kind")?,
            tier: read::from_one(wire.tier).at("tier")?,
            owners: read::names(wire.owners).at("owners")?,
            hosts: wire.hosts,
        })
    }
}

impl From<Coverage> for v1::Coverage {
    fn from(coverage: Coverage) -> Self {
        Self {
            strata: write::list(coverage.strata),
            groups: write::list(coverage.groups),
            waived: write::list(coverage.waived),
        }
    }
}

impl TryFrom<v1::Coverage> for Coverage {
    type Error = FieldError;
    fn try_from(wire: v1::Coverage) -> Result<Self, FieldError> {
        Ok(Self {
            strata: read::list(wire.strata, MAX_ENTRIES).at("strata")?,
            groups: read::list(wire.groups, MAX_ENTRIES).at("groups")?,
            waived: read::list(wire.waived, MAX_ENTRIES).at("waived")?,
        })
    }
}

impl From<WaivedView> for v1::WaivedView {
    fn from(view: WaivedView) -> Self {
        Self {
            stratum: write::line(&view.stratum),
            hosts: view.hosts,
            reason: write::line(&view.reason),
            expires: write::line(&view.expires),
        }
    }
}

impl TryFrom<v1::WaivedView> for WaivedView {
    type Error = FieldError;
    fn try_from(wire: v1::WaivedView) -> Result<Self, FieldError> {
        Ok(Self {
            stratum: read::filled_line(wire.stratum).at("stratum")?,
            hosts: wire.hosts,
            reason: read::line(wire.reason).at("reason")?,
            expires: read::filled_line(wire.expires).at("expires")?,
        })
    }
}

impl From<StratumView> for v1::StratumView {
    fn from(view: StratumView) -> Self {
        Self {
            stratum: write::line(&view.stratum),
            hosts: view.hosts,
            in_canary: view.in_canary,
        }
    }
}

impl TryFrom<v1::StratumView> for StratumView {
    type Error = FieldError;
    fn try_from(wire: v1::StratumView) -> Result<Self, FieldError> {
        Ok(Self {
            stratum: read::filled_line(wire.stratum).at("stratum")?,
            hosts: wire.hosts,
            in_canary: wire.in_canary,
        })
    }
}

impl From<GroupView> for v1::GroupView {
    fn from(view: GroupView) -> Self {
        Self {
            group: write::line(&view.group),
            members: view.members,
            may_be_out: view.may_be_out,
            more_load_permille: view.more_load_permille,
        }
    }
}

impl TryFrom<v1::GroupView> for GroupView {
    type Error = FieldError;
    fn try_from(wire: v1::GroupView) -> Result<Self, FieldError> {
        Ok(Self {
            group: read::filled_line(wire.group).at("group")?,
            members: wire.members,
            may_be_out: wire.may_be_out,
            more_load_permille: wire.more_load_permille,
        })
    }
}
