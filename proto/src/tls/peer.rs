//! Who calls, as a handler learns it.

use crate::status::{CallError, CallErrorKind};
use cofferdam_engine::{
    id::{HostId, OperatorId, Region},
    identity::Identity,
};
use std::net::SocketAddr;
use tonic::{Request, Status};

/// The other side of an accepted connection. A request carries it in its extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Whom its certificate names.
    pub identity: Identity,
    /// Whether its certificate marks it as one of the hosts that Cofferdam itself runs on.
    pub is_patcher: bool,
    /// Where it came from.
    pub address: SocketAddr,
}

/// Whose call a request is.
///
/// # Errors
/// `PERMISSION_DENIED` when the connection was not made by [`incoming`](super::incoming()).
pub fn peer<T>(request: &Request<T>) -> Result<Identity, Status> {
    let peer = request.extensions().get::<Peer>();
    peer.map(|peer| peer.identity.clone())
        .ok_or_else(|| denied("the call came without a certificate"))
}

/// The host that a request speaks for.
///
/// # Errors
/// `PERMISSION_DENIED` when it is not an agent's.
pub fn agent<T>(request: &Request<T>) -> Result<HostId, Status> {
    let caller = peer(request)?;
    if let Identity::Agent(host) = caller {
        return Ok(host);
    }
    Err(denied(&format!("{caller} is no agent")))
}

/// Whether a request comes from a host that is marked, in its certificate, as one that Cofferdam itself runs on.
pub fn is_patcher<T>(request: &Request<T>) -> bool {
    let peer = request.extensions().get::<Peer>();
    peer.is_some_and(|peer| peer.is_patcher)
}

/// The region that a request speaks for.
///
/// # Errors
/// `PERMISSION_DENIED` when it is not a region's coordinator.
pub fn region<T>(request: &Request<T>) -> Result<Region, Status> {
    let caller = peer(request)?;
    if let Identity::Coordinator(region) = caller {
        return Ok(region);
    }
    Err(denied(&format!("{caller} is no region's coordinator")))
}

/// The operator that a request comes from.
///
/// # Errors
/// `PERMISSION_DENIED` when it is not an operator's.
pub fn operator<T>(request: &Request<T>) -> Result<OperatorId, Status> {
    let caller = peer(request)?;
    if let Identity::Operator(name) = caller {
        return Ok(name);
    }
    Err(denied(&format!("{caller} is no operator")))
}

fn denied(message: &str) -> Status {
    CallError::new(CallErrorKind::Denied, message).into()
}
