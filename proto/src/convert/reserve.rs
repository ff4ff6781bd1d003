//! Hosts that operators take and give back.

use super::{
    field::{At, FieldError, Problem},
    read, write,
};
use crate::{
    operator::{ReleaseHostsRequest, ReserveReply, ReserveRequest},
    v1,
};
use cofferdam_engine::{
    id::{HostId, ReservationToken},
    policy::LONGEST_RESERVATION,
    reservation::ReservationLeft,
    time::{Timestamp, millis},
};
use std::time::Duration;

impl From<ReserveRequest> for v1::ReserveRequest {
    fn from(request: ReserveRequest) -> Self {
        Self {
            hosts: write::names(request.hosts),
            reason: write::line(&request.reason),
            lasts_ms: write::wait(request.lasts),
        }
    }
}

impl TryFrom<v1::ReserveRequest> for ReserveRequest {
    type Error = FieldError;
    fn try_from(wire: v1::ReserveRequest) -> Result<Self, FieldError> {
        Ok(Self {
            hosts: hosts(wire.hosts)?,
            reason: read::filled_line(wire.reason).at("reason")?,
            lasts: read::wait(wire.lasts_ms).at("lasts_ms")?,
        })
    }
}

impl From<ReservationLeft> for v1::OperatorReservation {
    fn from(reservation: ReservationLeft) -> Self {
        Self {
            token: reservation.token.0,
            by: reservation.by.into(),
            reason: write::line(&reservation.reason),
            left_ms: millis(reservation.left.min(LONGEST_RESERVATION)),
        }
    }
}

impl TryFrom<v1::OperatorReservation> for ReservationLeft {
    type Error = FieldError;
    fn try_from(wire: v1::OperatorReservation) -> Result<Self, FieldError> {
        let (ms, max_ms) = (wire.left_ms, millis(LONGEST_RESERVATION));
        if ms > max_ms {
            return Err(Problem::TooLate { ms, max_ms }).at("left_ms");
        }
        Ok(Self {
            token: ReservationToken(read::from_one(wire.token).at("token")?),
            by: read::name(wire.by).at("by")?,
            reason: read::filled_line(wire.reason).at("reason")?,
            left: Duration::from_millis(ms),
        })
    }
}

impl From<ReserveReply> for v1::ReserveReply {
    fn from(reply: ReserveReply) -> Self {
        Self {
            until_ms: reply.until_ms.0,
        }
    }
}

impl TryFrom<v1::ReserveReply> for ReserveReply {
    type Error = FieldError;
    fn try_from(wire: v1::ReserveReply) -> Result<Self, FieldError> {
        Ok(Self {
            until_ms: Timestamp(wire.until_ms),
        })
    }
}

impl From<ReleaseHostsRequest> for v1::ReleaseHostsRequest {
    fn from(request: ReleaseHostsRequest) -> Self {
        Self {
            hosts: write::names(request.hosts),
            force: request.force,
        }
    }
}

impl TryFrom<v1::ReleaseHostsRequest> for ReleaseHostsRequest {
    type Error = FieldError;
    fn try_from(wire: v1::ReleaseHostsRequest) -> Result<Self, FieldError> {
        Ok(Self {
            hosts: hosts(wire.hosts)?,
            force: wire.force,
        })
    }
}

fn hosts(names: Vec<String>) -> Result<Vec<HostId>, FieldError> {
    match names.is_empty() {
        true => Err(Problem::Empty).at("hosts"),
        false => read::names(names).at("hosts"),
    }
}
