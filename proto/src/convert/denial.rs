//! Denials.

use super::{
    bounds::MAX_ENTRIES,
    field::{At, FieldError},
    read, write,
};
use crate::{
    operator::{DenialView, DenyRequest, LiftDenialRequest, LiftView},
    v1::{self, bits_name, denial_place},
};
use cofferdam_engine::{
    denial::{Named, Place},
    time::Timestamp,
};

impl From<Named> for v1::BitsName {
    fn from(named: Named) -> Self {
        let name = match named {
            Named::Digest { digest } => bits_name::Name::Digest(write::digest(digest)),
            Named::Rollout { rollout } => bits_name::Name::Rollout(rollout.into()),
        };
        Self { name: Some(name) }
    }
}

impl TryFrom<v1::BitsName> for Named {
    type Error = FieldError;
    fn try_from(wire: v1::BitsName) -> Result<Self, FieldError> {
        Ok(match read::required(wire.name).at("name")? {
            bits_name::Name::Digest(digest) => Self::Digest {
                digest: read::digest(&digest).at("digest")?,
            },
            bits_name::Name::Rollout(rollout) => Self::Rollout {
                rollout: read::name(rollout).at("rollout")?,
            },
        })
    }
}

impl From<Place> for v1::DenialPlace {
    fn from(place: Place) -> Self {
        let place = match place {
            Place::Fleet => denial_place::Place::Fleet(denial_place::Fleet {}),
            Place::Cell { cell } => denial_place::Place::Cell(cell.into()),
            Place::Host { host } => denial_place::Place::Host(host.into()),
        };
        Self { place: Some(place) }
    }
}

impl TryFrom<v1::DenialPlace> for Place {
    type Error = FieldError;
    fn try_from(wire: v1::DenialPlace) -> Result<Self, FieldError> {
        Ok(match read::required(wire.place).at("place")? {
            denial_place::Place::Fleet(denial_place::Fleet {}) => Self::Fleet,
            denial_place::Place::Cell(cell) => Self::Cell {
                cell: read::name(cell).at("cell")?,
            },
            denial_place::Place::Host(host) => Self::Host {
                host: read::name(host).at("host")?,
            },
        })
    }
}

impl From<DenyRequest> for v1::DenyRequest {
    fn from(request: DenyRequest) -> Self {
        Self {
            bits: Some(request.bits.into()),
            place: Some(request.place.into()),
            reason: write::line(&request.reason),
        }
    }
}

impl TryFrom<v1::DenyRequest> for DenyRequest {
    type Error = FieldError;
    fn try_from(wire: v1::DenyRequest) -> Result<Self, FieldError> {
        Ok(Self {
            bits: read::message(wire.bits).at("bits")?,
            place: read::message(wire.place).at("place")?,
            reason: read::line(wire.reason).at("reason")?,
        })
    }
}

impl From<LiftDenialRequest> for v1::LiftDenialRequest {
    fn from(request: LiftDenialRequest) -> Self {
        Self {
            bits: Some(request.bits.into()),
            only_at: request.only_at.map(Into::into),
            reason: write::line(&request.reason),
        }
    }
}

impl TryFrom<v1::LiftDenialRequest> for LiftDenialRequest {
    type Error = FieldError;
    fn try_from(wire: v1::LiftDenialRequest) -> Result<Self, FieldError> {
        Ok(Self {
            bits: read::message(wire.bits).at("bits")?,
            only_at: read::optional(wire.only_at).at("only_at")?,
            reason: read::line(wire.reason).at("reason")?,
        })
    }
}

impl From<DenialView> for v1::DenialView {
    fn from(view: DenialView) -> Self {
        Self {
            bits: write::digest(view.bits),
            place: Some(view.place.into()),
            by: view.by.map(Into::into),
            rollout: view.rollout.map(Into::into),
            reason: write::line(&view.reason),
            at_ms: view.at_ms.0,
            lifted: view.lifted.map(Into::into),
        }
    }
}

impl TryFrom<v1::DenialView> for DenialView {
    type Error = FieldError;
    fn try_from(wire: v1::DenialView) -> Result<Self, FieldError> {
        Ok(Self {
            bits: read::digest(&wire.bits).at("bits")?,
            place: read::message(wire.place).at("place")?,
            by: wire.by.map(read::name).transpose().at("by")?,
            rollout: wire.rollout.map(read::name).transpose().at("rollout")?,
            reason: read::line(wire.reason).at("reason")?,
            at_ms: Timestamp(wire.at_ms),
            lifted: read::optional(wire.lifted).at("lifted")?,
        })
    }
}

impl From<LiftView> for v1::LiftView {
    fn from(view: LiftView) -> Self {
        Self {
            by: view.by.into(),
            reason: write::line(&view.reason),
            at_ms: view.at_ms.0,
        }
    }
}

impl TryFrom<v1::LiftView> for LiftView {
    type Error = FieldError;
    fn try_from(wire: v1::LiftView) -> Result<Self, FieldError> {
        Ok(Self {
            by: read::name(wire.by).at("by")?,
            reason: read::line(wire.reason).at("reason")?,
            at_ms: Timestamp(wire.at_ms),
        })
    }
}

impl From<Vec<DenialView>> for v1::ListDenialsReply {
    fn from(denials: Vec<DenialView>) -> Self {
        let denials = write::list(denials);
        Self { denials }
    }
}

impl TryFrom<v1::ListDenialsReply> for Vec<DenialView> {
    type Error = FieldError;
    fn try_from(wire: v1::ListDenialsReply) -> Result<Self, FieldError> {
        read::list(wire.denials, MAX_ENTRIES).at("denials")
    }
}
