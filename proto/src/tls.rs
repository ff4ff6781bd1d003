//! Mutual TLS: both sides prove who they are, and each checks the other's name.
//!
//! Beside the usual checks (chain, time, purpose, the name that was dialled) each side wants exactly
//! one SPIFFE URI of its own trust domain in the other's certificate: the DNS name proves that the
//! right machine was reached, the URI that it is what it claims to be. The trust domain is the one
//! in this process's own certificate. TLS 1.3 alone, since every peer is ours, and no resumption, so
//! that each connection is checked in full.
//!
//! In a client: [`Credentials`], then [`Client`], then its connector for tonic's `Endpoint`. In a
//! server: [`Credentials`], then [`Server`], then [`incoming()`] over accepted sockets for tonic's
//! `serve_with_incoming`; a handler learns with [`peer()`] who calls. Both work over any byte stream.

mod certificate;
mod client;
mod client_io;
mod credentials;
#[cfg(feature = "server")]
mod incoming;
mod moments;
#[cfg(feature = "server")]
mod peer;
mod refusal;
mod seal;
#[cfg(feature = "server")]
mod server;
mod verify;

pub use certificate::PATCHER_UNIT;
pub(crate) use client::host_and_port;
pub use client::{AddressError, Client, ConnectError, Connector, Dialling, uri};
pub use client_io::ClientIo;
pub use credentials::{CredentialFiles, CredentialPem, Credentials, CredentialsError};
#[cfg(feature = "server")]
pub use incoming::{Incoming, incoming, sockets};
#[cfg(feature = "server")]
pub use peer::{Peer, agent, is_patcher, operator, peer, region};
pub use refusal::CertificateRefusal;
pub use seal::{CannotSeal, SealError};
#[cfg(feature = "server")]
pub use server::{HandshakeError, Server, TlsIo};
pub use verify::Expect;

use std::time::Duration;

/// How long dialling, and each side's part of a handshake, may take: more than a slow link needs,
/// and less than a claim's 60 s by far (guess).
pub const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// The application protocol of gRPC.
const ALPN_HTTP2: &[u8] = b"h2";
