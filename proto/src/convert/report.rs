//! Reports and refusals.

use super::{
    field::{At, FieldError},
    read, write,
};
use crate::v1::{self, refusal, report};
use cofferdam_engine::{
    id::{Incarnation, ReportSequence},
    report::{Refusal, Report, ReportBody},
    run::MAX_EXCEPTIONS,
};

impl From<Report> for v1::Report {
    fn from(report: Report) -> Self {
        Self {
            incarnation: report.incarnation.0,
            sequence: report.sequence.0,
            body: Some(report.body.into()),
        }
    }
}

impl TryFrom<v1::Report> for Report {
    type Error = FieldError;
    fn try_from(wire: v1::Report) -> Result<Self, FieldError> {
        Ok(Self {
            incarnation: Incarnation(wire.incarnation),
            sequence: ReportSequence(read::from_one(wire.sequence).at("sequence")?),
            body: read::required(wire.body).at("body")?.try_into()?,
        })
    }
}

impl From<ReportBody> for report::Body {
    fn from(body: ReportBody) -> Self {
        match body {
            ReportBody::Staged {
                rollout,
                lock_digest,
                failure,
            } => Self::Staged(report::Staged {
                rollout: rollout.into(),
                lock_digest: write::digest(lock_digest),
                failure: failure.map(Into::into),
            }),
            ReportBody::Refused { key, refusal } => Self::Refused(report::Refused {
                key: Some(key.into()),
                refusal: Some(refusal.into()),
            }),
            ReportBody::Entered {
                key,
                state,
                failure,
                exceptions,
            } => Self::Entered(report::Entered {
                key: Some(key.into()),
                state: Some(state.into()),
                failure: failure.map(Into::into),
                exceptions: write::first_lines(exceptions, MAX_EXCEPTIONS),
            }),
            ReportBody::Service { in_service, detail } => Self::Service(report::Service {
                in_service,
                detail: write::line(&detail),
            }),
        }
    }
}

impl TryFrom<report::Body> for ReportBody {
    type Error = FieldError;
    fn try_from(wire: report::Body) -> Result<Self, FieldError> {
        match wire {
            report::Body::Staged(wire) => Ok(Self::Staged {
                rollout: read::name(wire.rollout).at("staged.rollout")?,
                lock_digest: read::digest(&wire.lock_digest).at("staged.lock_digest")?,
                failure: read::optional(wire.failure).at("staged.failure")?,
            }),
            report::Body::Refused(wire) => Ok(Self::Refused {
                key: read::message(wire.key).at("refused.key")?,
                refusal: read::message(wire.refusal).at("refused.refusal")?,
            }),
            report::Body::Entered(wire) => Ok(Self::Entered {
                key: read::message(wire.key).at("entered.key")?,
                state: read::message(wire.state).at("entered.state")?,
                failure: read::optional(wire.failure).at("entered.failure")?,
                exceptions: read::few_lines(wire.exceptions, MAX_EXCEPTIONS)
                    .at("entered.exceptions")?,
            }),
            report::Body::Service(wire) => Ok(Self::Service {
                in_service: wire.in_service,
                detail: read::line(wire.detail).at("service.detail")?,
            }),
        }
    }
}

impl From<Refusal> for v1::Refusal {
    fn from(refusal: Refusal) -> Self {
        use refusal::Refusal as Wire;
        let refusal = match refusal {
            Refusal::Older { newest } => Wire::Older(newest.into()),
            Refusal::OtherContent => Wire::OtherContent(refusal::OtherContent {}),
            Refusal::Busy { with } => Wire::Busy(with.into()),
            Refusal::OtherHost => Wire::OtherHost(refusal::OtherHost {}),
            Refusal::Denied => Wire::Denied(refusal::Denied {}),
            Refusal::OtherDelta { assumed, found } => Wire::OtherDelta(refusal::OtherDelta {
                assumed: Some(assumed.into()),
                found: Some(found.into()),
            }),
            Refusal::Impossible { failure } => Wire::Impossible(failure.into()),
        };
        Self {
            refusal: Some(refusal),
        }
    }
}

impl TryFrom<v1::Refusal> for Refusal {
    type Error = FieldError;
    fn try_from(wire: v1::Refusal) -> Result<Self, FieldError> {
        use refusal::Refusal as Wire;
        match read::required(wire.refusal)? {
            Wire::Older(key) => Ok(Self::Older {
                newest: key.try_into().at("older")?,
            }),
            Wire::OtherContent(refusal::OtherContent {}) => Ok(Self::OtherContent),
            Wire::Busy(key) => Ok(Self::Busy {
                with: key.try_into().at("busy")?,
            }),
            Wire::OtherHost(refusal::OtherHost {}) => Ok(Self::OtherHost),
            Wire::Denied(refusal::Denied {}) => Ok(Self::Denied),
            Wire::OtherDelta(other) => Ok(Self::OtherDelta {
                assumed: read::message(other.assumed).at("other_delta.assumed")?,
                found: read::message(other.found).at("other_delta.found")?,
            }),
            Wire::Impossible(failure) => Ok(Self::Impossible {
                failure: failure.try_into().at("impossible")?,
            }),
        }
    }
}
