//! What operators ask, and what a coordinator is.

use super::{
    bounds::MAX_ENTRIES,
    enumerated::Enumerated,
    field::{At, FieldError},
    read, write,
};
use crate::{
    operator::{
        Action, ArtefactStored, ArtefactView, ChangeRequest, Description, ExplainRequest,
        ForgetHostRequest, PlanReply, PlanRequest, RolloutRequest, StartRequest,
    },
    v1,
};
use cofferdam_engine::{denial::Scope, id::OwnerEpoch, time::Timestamp};

impl From<PlanRequest> for v1::PlanRequest {
    fn from(request: PlanRequest) -> Self {
        Self {
            file_name: write::line(&request.file_name),
            spec_text: request.spec_text,
            lock_text: request.lock_text,
            advisory: request.advisory.map(Into::into),
        }
    }
}

impl TryFrom<v1::PlanRequest> for PlanRequest {
    type Error = FieldError;
    fn try_from(wire: v1::PlanRequest) -> Result<Self, FieldError> {
        let lock_text = wire.lock_text.map(read::file_text).transpose();
        Ok(Self {
            file_name: read::filled_line(wire.file_name).at("file_name")?,
            spec_text: read::file_text(wire.spec_text).at("spec_text")?,
            lock_text: lock_text.at("lock_text")?,
            advisory: read::optional(wire.advisory).at("advisory")?,
        })
    }
}

impl From<PlanReply> for v1::PlanReply {
    fn from(reply: PlanReply) -> Self {
        Self {
            lock_text: reply.lock_text,
            plan: Some(reply.plan.into()),
            findings: write::list(reply.findings),
        }
    }
}

impl TryFrom<v1::PlanReply> for PlanReply {
    type Error = FieldError;
    fn try_from(wire: v1::PlanReply) -> Result<Self, FieldError> {
        Ok(Self {
            lock_text: read::file_text(wire.lock_text).at("lock_text")?,
            plan: read::message(wire.plan).at("plan")?,
            findings: read::list(wire.findings, MAX_ENTRIES).at("findings")?,
        })
    }
}

impl From<StartRequest> for v1::StartRequest {
    fn from(request: StartRequest) -> Self {
        Self {
            file_name: write::line(&request.file_name),
            spec_text: request.spec_text,
            lock_text: request.lock_text,
            signed: request.signed.map(Into::into),
        }
    }
}

impl TryFrom<v1::StartRequest> for StartRequest {
    type Error = FieldError;
    fn try_from(wire: v1::StartRequest) -> Result<Self, FieldError> {
        Ok(Self {
            file_name: read::filled_line(wire.file_name).at("file_name")?,
            spec_text: read::file_text(wire.spec_text).at("spec_text")?,
            lock_text: read::file_text(wire.lock_text).at("lock_text")?,
            signed: read::optional(wire.signed).at("signed")?,
        })
    }
}

impl From<RolloutRequest> for v1::StatusRequest {
    fn from(request: RolloutRequest) -> Self {
        let rollout = request.rollout.into();
        Self { rollout }
    }
}

impl TryFrom<v1::StatusRequest> for RolloutRequest {
    type Error = FieldError;
    fn try_from(wire: v1::StatusRequest) -> Result<Self, FieldError> {
        let rollout = read::name(wire.rollout).at("rollout")?;
        Ok(Self { rollout })
    }
}

impl From<RolloutRequest> for v1::WatchRequest {
    fn from(request: RolloutRequest) -> Self {
        let rollout = request.rollout.into();
        Self { rollout }
    }
}

impl TryFrom<v1::WatchRequest> for RolloutRequest {
    type Error = FieldError;
    fn try_from(wire: v1::WatchRequest) -> Result<Self, FieldError> {
        let rollout = read::name(wire.rollout).at("rollout")?;
        Ok(Self { rollout })
    }
}

impl From<ExplainRequest> for v1::ExplainRequest {
    fn from(request: ExplainRequest) -> Self {
        let subject = request.subject;
        Self { subject }
    }
}

impl TryFrom<v1::ExplainRequest> for ExplainRequest {
    type Error = FieldError;
    fn try_from(wire: v1::ExplainRequest) -> Result<Self, FieldError> {
        let subject = read::filled_line(wire.subject).at("subject")?;
        Ok(Self { subject })
    }
}

impl From<ChangeRequest> for v1::ChangeRequest {
    fn from(request: ChangeRequest) -> Self {
        Self {
            rollout: request.rollout.into(),
            action: request.action.number(),
            reason: write::line(&request.reason),
            reach: Some(request.reach.number()),
        }
    }
}

impl TryFrom<v1::ChangeRequest> for ChangeRequest {
    type Error = FieldError;
    fn try_from(wire: v1::ChangeRequest) -> Result<Self, FieldError> {
        Ok(Self {
            rollout: read::name(wire.rollout).at("rollout")?,
            action: Action::read(wire.action).at("action")?,
            reason: read::line(wire.reason).at("reason")?,
            reach: match wire.reach {
                Some(reach) => Scope::read(reach).at("reach")?,
                None => Scope::default(),
            },
        })
    }
}

impl From<ForgetHostRequest> for v1::ForgetHostRequest {
    fn from(request: ForgetHostRequest) -> Self {
        let ForgetHostRequest { host, force } = request;
        let host = host.into();
        Self { host, force }
    }
}

impl TryFrom<v1::ForgetHostRequest> for ForgetHostRequest {
    type Error = FieldError;
    fn try_from(wire: v1::ForgetHostRequest) -> Result<Self, FieldError> {
        let host = read::name(wire.host).at("host")?;
        let force = wire.force;
        Ok(Self { host, force })
    }
}

impl From<ArtefactStored> for v1::ArtefactStored {
    fn from(stored: ArtefactStored) -> Self {
        Self {
            digest: write::digest(stored.digest),
            size: stored.size,
        }
    }
}

impl TryFrom<v1::ArtefactStored> for ArtefactStored {
    type Error = FieldError;
    fn try_from(wire: v1::ArtefactStored) -> Result<Self, FieldError> {
        Ok(Self {
            digest: read::digest(&wire.digest).at("digest")?,
            size: wire.size,
        })
    }
}

impl From<ArtefactView> for v1::ArtefactView {
    fn from(view: ArtefactView) -> Self {
        Self {
            digest: write::digest(view.digest),
            size: view.size,
            stored_at_ms: view.stored_at_ms.0,
            package: view.package.map(|package| write::line(&package)),
            needed: view.needed,
        }
    }
}

impl TryFrom<v1::ArtefactView> for ArtefactView {
    type Error = FieldError;
    fn try_from(wire: v1::ArtefactView) -> Result<Self, FieldError> {
        Ok(Self {
            digest: read::digest(&wire.digest).at("digest")?,
            size: wire.size,
            stored_at_ms: Timestamp(wire.stored_at_ms),
            package: read::optional_line(wire.package).at("package")?,
            needed: wire.needed,
        })
    }
}

impl From<Description> for v1::Description {
    fn from(description: Description) -> Self {
        Self {
            version: write::line(&description.version),
            epoch: description.epoch.0,
            trust_domain: write::line(&description.trust_domain),
            store: write::line(&description.store),
            started_at_ms: description.started_at_ms.0,
            connected: description.connected,
            hosts: description.hosts,
            cells: description.cells,
            rollouts: description.rollouts,
        }
    }
}

impl TryFrom<v1::Description> for Description {
    type Error = FieldError;
    fn try_from(wire: v1::Description) -> Result<Self, FieldError> {
        Ok(Self {
            version: read::filled_line(wire.version).at("version")?,
            epoch: OwnerEpoch(read::from_one(wire.epoch).at("epoch")?),
            trust_domain: read::filled_line(wire.trust_domain).at("trust_domain")?,
            store: read::filled_line(wire.store).at("store")?,
            started_at_ms: Timestamp(wire.started_at_ms),
            connected: wire.connected,
            hosts: wire.hosts,
            cells: wire.cells,
            rollouts: wire.rollouts,
        })
    }
}
