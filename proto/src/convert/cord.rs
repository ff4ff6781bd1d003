//! The cord, as operators pull and see it.

use super::{
    bounds::MAX_ENTRIES,
    enumerated::Enumerated as _,
    field::{At, FieldError},
    read, write,
};
use crate::{
    operator::{CordRequest, CordView, PulledCord, UntoldRegion},
    v1,
};
use cofferdam_engine::{cord::Span, id::Region, time::Timestamp};

impl From<CordRequest> for v1::PullCordRequest {
    fn from(request: CordRequest) -> Self {
        let reason = write::line(&request.reason);
        Self { reason }
    }
}

impl TryFrom<v1::PullCordRequest> for CordRequest {
    type Error = FieldError;
    fn try_from(wire: v1::PullCordRequest) -> Result<Self, FieldError> {
        let reason = read::line(wire.reason).at("reason")?;
        Ok(Self { reason })
    }
}

impl From<CordRequest> for v1::ReleaseCordRequest {
    fn from(request: CordRequest) -> Self {
        let reason = write::line(&request.reason);
        Self { reason }
    }
}

impl TryFrom<v1::ReleaseCordRequest> for CordRequest {
    type Error = FieldError;
    fn try_from(wire: v1::ReleaseCordRequest) -> Result<Self, FieldError> {
        let reason = read::line(wire.reason).at("reason")?;
        Ok(Self { reason })
    }
}

impl From<CordView> for v1::CordView {
    fn from(view: CordView) -> Self {
        Self {
            pulled: write::list(view.pulled),
            untold: write::list(view.untold),
            away: write::names(view.away),
            now_ms: view.now_ms.map(|now| now.0),
        }
    }
}

impl TryFrom<v1::CordView> for CordView {
    type Error = FieldError;
    fn try_from(wire: v1::CordView) -> Result<Self, FieldError> {
        Ok(Self {
            pulled: read::list(wire.pulled, MAX_ENTRIES).at("pulled")?,
            untold: read::list(wire.untold, MAX_ENTRIES).at("untold")?,
            away: read::names(wire.away).at("away")?,
            now_ms: wire.now_ms.map(Timestamp),
        })
    }
}

impl From<PulledCord> for v1::PulledCord {
    fn from(view: PulledCord) -> Self {
        Self {
            by: view.by.into(),
            at_ms: view.at_ms.0,
            reason: write::line(&view.reason),
            span: view.span.number(),
            region: view.region.map(Into::into),
        }
    }
}

impl TryFrom<v1::PulledCord> for PulledCord {
    type Error = FieldError;
    fn try_from(wire: v1::PulledCord) -> Result<Self, FieldError> {
        let region = wire.region.map(read::name::<Region>).transpose();
        Ok(Self {
            by: read::name(wire.by).at("by")?,
            at_ms: Timestamp(wire.at_ms),
            reason: read::line(wire.reason).at("reason")?,
            span: Span::read(wire.span).at("span")?,
            region: region.at("region")?,
        })
    }
}

impl From<UntoldRegion> for v1::UntoldRegion {
    fn from(view: UntoldRegion) -> Self {
        Self {
            region: view.region.into(),
            silent_since_ms: view.silent_since_ms.map(|at| at.0),
            hosts_at_risk: view.hosts_at_risk,
            until_ms: view.until_ms.map(|at| at.0),
        }
    }
}

impl TryFrom<v1::UntoldRegion> for UntoldRegion {
    type Error = FieldError;
    fn try_from(wire: v1::UntoldRegion) -> Result<Self, FieldError> {
        Ok(Self {
            region: read::name(wire.region).at("region")?,
            silent_since_ms: wire.silent_since_ms.map(Timestamp),
            hosts_at_risk: wire.hosts_at_risk,
            until_ms: wire.until_ms.map(Timestamp),
        })
    }
}
