//! The wire: messages, their checked conversion to and from engine types, who is dialled and how, mutual TLS, and
//! the check of operators' signatures.
//!
//! Programs see the checked types of [`session`], [`artefact`] and [`operator`]. The generated ones are for the
//! edge alone: what comes in is turned by `TryFrom`, which checks everything and names the field
//! at fault; what goes out is turned by `From`, which cannot fail.

pub mod artefact;
pub mod convert;
pub mod dial;
mod error_chain;
pub mod operator;
pub mod session;
pub mod signature;
pub mod status;
pub mod tls;

pub use error_chain::error_chain;

/// The generated messages, clients and servers.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    clippy::nursery,
    reason = "generated"
)]
pub mod v1 {
    tonic::include_proto!("cofferdam.v1");
}
