//! Whether the control plane granted an order: a coordinator that was taken over can use up the slices that
//! it was granted, and no other host.
//!
//! What was signed names the rollout, its cell, a generation and a list of hosts, and an order comes with the
//! way from its host to that list. A coordinator can always say that it did not hear of a stop, and go on with a
//! warrant that was good before: that ends with the warrant's duration, and with the first order of a later
//! generation that the host accepted, which its journal remembers.

use cofferdam_engine::{
    failure::{Failure, FailureKind},
    id::Generation,
    order::Order,
    time::Timestamp,
    warrant::{NotGranted, TermsError, WarrantProof, WarrantTerms},
};
use cofferdam_proto::{
    error_chain,
    tls::{Credentials, CredentialsError, SealError},
};
use std::fmt;

/// Reads the credentials of this host, whose authorities count.
type Source = Box<dyn Fn() -> Result<Credentials, CredentialsError>>;

/// Whether orders need a warrant that the control plane signed.
#[derive(Default)]
pub enum Warrants {
    /// Nobody looks.
    #[default]
    Off,
    /// One that lets the host be patched, by the authorities that these credentials trust.
    Required(Source),
}

impl fmt::Debug for Warrants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::Required(_) => "Required",
        })
    }
}

/// Why an order to patch the host is not carried out.
#[derive(Debug, thiserror::Error)]
enum Unwarranted {
    #[error(
        "the control plane signed no warrant for it, and this host takes only orders that have one"
    )]
    NotSigned,
    #[error("its warrant cannot be read: {0}")]
    Terms(#[from] TermsError),
    #[error("its warrant does not grant it: {0}")]
    NotGranted(#[from] NotGranted),
    #[error(
        "its warrant is of generation {granted}, and this host has accepted an order of {seen}"
    )]
    Older {
        granted: Generation,
        seen: Generation,
    },
    #[error("the signature of its warrant does not count here: {0}")]
    Seal(#[from] SealError),
    #[error("its warrant cannot be checked")]
    Credentials(#[from] CredentialsError),
}

impl Warrants {
    /// Only what the control plane granted is carried out. The credentials are read for each order, so that an
    /// authority that was taken out of them counts no more.
    pub fn required(
        credentials: impl Fn() -> Result<Credentials, CredentialsError> + 'static,
    ) -> Self {
        Self::Required(Box::new(credentials))
    }

    /// Judges an order to patch the host. `seen` is the newest generation of which an order of this rollout and cell
    /// was accepted; absent: there was none. The generation that was signed, where anybody looked: an order says
    /// its own, and a coordinator that was taken over may say less.
    ///
    /// # Errors
    /// Why the order is not carried out.
    pub(crate) fn judge(
        &self,
        order: &Order,
        proof: Option<&WarrantProof>,
        seen: Option<Generation>,
        now: Timestamp,
    ) -> Result<Option<Generation>, Failure> {
        let Self::Required(credentials) = self else {
            return Ok(None);
        };
        let judged = judge(credentials, order, proof, seen, now);
        judged
            .map(Some)
            .map_err(|why| Failure::new(FailureKind::NotSigned, error_chain(&why).to_string()))
    }
}

fn judge(
    credentials: &Source,
    order: &Order,
    proof: Option<&WarrantProof>,
    seen: Option<Generation>,
    now: Timestamp,
) -> Result<Generation, Unwarranted> {
    let WarrantProof { seal, path } = proof.ok_or(Unwarranted::NotSigned)?;
    credentials()?.check_seal(seal, now)?;
    let terms = WarrantTerms::parse(&seal.terms)?;
    terms.grant_patch(&order.grant, &order.host, path, now)?;
    let granted = terms.generation;
    match seen.filter(|seen| *seen > granted) {
        Some(seen) => Err(Unwarranted::Older { granted, seen }),
        None => Ok(granted),
    }
}
