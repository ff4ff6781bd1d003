//! Hosts that operators take and give back.

use super::{
    field::{At, FieldError, Problem},
    read, write,
};
use crate::{
    operator::{ReleaseHostsRequest, ReserveReply, ReserveRequest},
    v1,
};
use cofferdam_engine::{id::HostId, time::Timestamp};

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
