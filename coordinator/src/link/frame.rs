//! The bodies of a link's messages.

use crate::driver::Said;
use cofferdam_engine::id::{HostId, NameError};
use cofferdam_proto::{
    convert::FieldError,
    session::{FromAgent, ToAgent},
    v1::{self, from_control, from_region},
};
use serde::{Serialize, de::DeserializeOwned};

/// The form of bodies that this release writes and reads.
pub(super) const FORMAT: u32 = 1;

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// A field that must be there is not.
    #[error("a message has no {0}")]
    Missing(&'static str),
    /// Bodies are of another form.
    #[error(
        "{release} writes form {found} and this release reads {FORMAT}: upgrade the control plane first, then its regions"
    )]
    Format {
        /// The form that the other side writes.
        found: u32,
        /// Which release it is.
        release: String,
    },
    /// It is not what belongs there.
    #[error("{what} cannot be read: upgrade the control plane first, then its regions")]
    Body {
        /// What was to be read.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A message that belongs elsewhere.
    #[error("{0} came where it must not")]
    Unexpected(&'static str),
    /// A field of it is malformed.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// It is about a host whose name is none.
    #[error("a message is about a host that can be none")]
    Host(#[source] NameError),
    /// The parts of a copy do not fit each other.
    #[error("part {part} of {of} of a copy does not follow the part before")]
    Part {
        /// Its place.
        part: u32,
        /// Of how many.
        of: u32,
    },
}

/// A body, to be sent.
pub(super) fn write(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("the engine's types have text keys and no failing serialiser")
}

/// Reads a body.
pub(super) fn read<T: DeserializeOwned>(what: &'static str, body: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(body).map_err(|source| FrameError::Body { what, source })
}

/// Whether a side that writes this form can be read.
pub(super) fn check(found: u32, release: &str) -> Result<(), FrameError> {
    match found == FORMAT {
        true => Ok(()),
        false => Err(FrameError::Format {
            found,
            release: release.to_owned(),
        }),
    }
}

/// A numbered message, to be sent.
pub(super) fn numbered(number: u64, value: &impl Serialize) -> v1::Numbered {
    let body = write(value);
    v1::Numbered { number, body }
}

/// What a host is to be told, and which.
pub(super) fn to_host(message: v1::ToHost) -> Result<(HostId, ToAgent), FrameError> {
    let inner = message.message.ok_or(FrameError::Missing("message"))?;
    let host = HostId::new(message.host).map_err(FrameError::Host)?;
    let told = ToAgent::try_from(inner)?;
    match matches!(told, ToAgent::Simulate { .. } | ToAgent::Query { .. }) {
        true => Ok((host, told)),
        false => Err(FrameError::Unexpected("a message for a host")),
    }
}

/// What a host said, and which.
pub(super) fn said_by_host(message: v1::SaidByHost) -> Result<(HostId, Said), FrameError> {
    let inner = message.message.ok_or(FrameError::Missing("message"))?;
    let host = HostId::new(message.host).map_err(FrameError::Host)?;
    let said = match FromAgent::try_from(inner)? {
        FromAgent::Simulated { request, result } => Said::Simulated { request, result },
        FromAgent::Queried { request, result } => Said::Queried { request, result },
        FromAgent::Hello(_)
        | FromAgent::Packages(_)
        | FromAgent::PackagesChanged { .. }
        | FromAgent::Heartbeat
        | FromAgent::Report(_)
        | FromAgent::Claim { .. }
        | FromAgent::GuardNews(_)
        | FromAgent::Drift(_)
        | FromAgent::Effect(_) => return Err(FrameError::Unexpected("a message of a host")),
    };
    Ok((host, said))
}

/// A message for a host, to be sent.
pub(super) fn for_host(host: &HostId, message: ToAgent) -> from_control::Message {
    from_control::Message::ToHost(v1::ToHost {
        host: host.as_str().to_owned(),
        message: Some(message.into()),
    })
}

/// What a host said, to be sent.
pub(super) fn said(host: &HostId, said: FromAgent) -> from_region::Message {
    from_region::Message::Said(v1::SaidByHost {
        host: host.as_str().to_owned(),
        message: Some(said.into()),
    })
}
