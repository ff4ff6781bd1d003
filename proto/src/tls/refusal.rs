//! Why a certificate was refused.

use super::{Expect, certificate::Certificate};
use cofferdam_engine::identity::{Identity, IdentityError};
use rustls::{
    CertificateError, OtherError,
    pki_types::{CertificateDer, UnixTime},
};
use std::{io, sync::Arc};
use x509_parser::time::ASN1Time;

/// Why a certificate was refused, and what to do about it.
///
/// A holder is the path of the certificate's SPIFFE URI, as in `agent/web-1`, or else its subject.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CertificateRefusal {
    /// It is not a certificate.
    #[error("the certificate cannot be read; issue a new one")]
    Unreadable,
    /// It names nobody.
    #[error("certificate of {holder} has no SPIFFE URI; issue one with `cofferdam pki issue`")]
    NoUri {
        /// Whose it is.
        holder: String,
    },
    /// It names more than one.
    #[error(
        "certificate of {holder} has {count} URIs, exactly one is allowed; issue one with \
         `cofferdam pki issue`"
    )]
    SeveralUris {
        /// Whose it is.
        holder: String,
        /// How many it has.
        count: usize,
    },
    /// Its URI is of another trust domain, or malformed.
    #[error("certificate of {holder} names nobody here; issue one of this trust domain")]
    Identity {
        /// Whose it is.
        holder: String,
        /// What is wrong with its URI.
        #[source]
        source: IdentityError,
    },
    /// It names somebody else than was expected.
    #[error("certificate names {found}, but {expected} was expected; check the address")]
    Unexpected {
        /// Whom it names.
        found: Identity,
        /// Who was expected.
        expected: Expect,
    },
    /// Its time is over.
    #[error("certificate of {holder} expired on {on}; issue a new one")]
    Expired {
        /// Whose it is.
        holder: String,
        /// When.
        on: String,
    },
    /// Its time has not begun.
    #[error("certificate of {holder} is not valid before {from}; check the clocks")]
    NotYetValid {
        /// Whose it is.
        holder: String,
        /// When it begins.
        from: String,
    },
    /// It was issued by an authority that is not trusted here.
    #[error(
        "certificate of {holder} is of another certificate authority; issue one with ours, or \
         check which authority each side was given"
    )]
    OtherAuthority {
        /// Whose it is.
        holder: String,
    },
    /// It is not for the name that was dialled.
    #[error(
        "certificate of {holder} is for {presented}, not for {dialled}; dial one of these names, \
         or issue one with this name"
    )]
    OtherName {
        /// Whose it is.
        holder: String,
        /// The name that was dialled.
        dialled: String,
        /// The names that it is for.
        presented: String,
    },
    /// It is for clients and was shown by a server, or the other way round.
    #[error("certificate of {holder} is not for {role}s; issue one that is")]
    WrongRole {
        /// Whose it is.
        holder: String,
        /// What it was shown as: `client` or `server`.
        role: &'static str,
    },
    /// It is wrong in another way.
    #[error("certificate of {holder} is not valid; issue a new one")]
    Invalid {
        /// Whose it is.
        holder: String,
        /// What is wrong.
        #[source]
        source: rustls::Error,
    },
}

impl CertificateRefusal {
    /// What the check of chain, time, purpose and name found, in our words.
    pub(super) fn of(
        error: rustls::Error,
        leaf: &CertificateDer<'_>,
        role: &'static str,
        dialled: Option<&str>,
    ) -> Self {
        let certificate = match Certificate::read(leaf) {
            Ok(certificate) => certificate,
            Err(refusal) => return refusal,
        };
        let holder = certificate.holder();
        let rustls::Error::InvalidCertificate(problem) = &error else {
            return Self::Invalid {
                holder,
                source: error,
            };
        };
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "rustls may add more, and many are about what we do not use"
        )]
        match problem {
            CertificateError::BadEncoding => Self::Unreadable,
            CertificateError::ExpiredContext { not_after, .. } => expired(&certificate, *not_after),
            CertificateError::NotValidYetContext { not_before, .. } => Self::NotYetValid {
                holder,
                from: date(*not_before),
            },
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::OtherAuthority { holder }
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName {
                    holder,
                    dialled: dialled.unwrap_or("it").to_owned(),
                    presented: certificate.addresses(),
                }
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::WrongRole { holder, role }
            }
            _ => Self::Invalid {
                holder,
                source: error,
            },
        }
    }

    /// As an answer to rustls, which carries it through the handshake.
    pub(super) fn into_rustls(self) -> rustls::Error {
        CertificateError::Other(OtherError(Arc::new(self))).into()
    }

    /// The refusal that ended a handshake. Nothing when something else did.
    pub(super) fn behind(error: &io::Error) -> Option<Self> {
        let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
        let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(refusal))) = error
        else {
            return None;
        };
        refusal.downcast_ref::<Self>().cloned()
    }
}

fn expired(certificate: &Certificate, not_after: UnixTime) -> CertificateRefusal {
    let is_leaf = i64::try_from(not_after.as_secs()) == Ok(certificate.not_after_secs());
    let holder = certificate.holder();
    CertificateRefusal::Expired {
        holder: if is_leaf {
            holder
        } else {
            format!("the authority of {holder}")
        },
        on: date(not_after),
    }
}

fn date(time: UnixTime) -> String {
    let secs = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    ASN1Time::from_timestamp(secs).map_or_else(|_| format!("second {secs}"), |at| at.to_string())
}
