//! The control plane's signature over a warrant, as coordinators pass it on.

use super::SlicePath;
use serde::{Deserialize, Serialize};

/// What the control plane signed of a warrant, and by which certificate. The engine neither makes nor checks
/// signatures: shells do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seal {
    /// The signature. Empty: nobody signed.
    pub signature: Vec<u8>,
    /// The text of the [`WarrantTerms`](super::WarrantTerms) that were signed, unread. Absent in what an
    /// earlier release told, which signed nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub terms: String,
    /// The signer's certificate in DER, followed by those of issuers between it and the authority.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Vec<u8>>,
}

impl Seal {
    /// Whether anybody signed.
    pub fn is_signed(&self) -> bool {
        !self.signature.is_empty()
    }
}

/// What shows one host's agent that the control plane granted its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarrantProof {
    /// What was signed.
    pub seal: Seal,
    /// The way from the host to the slice that it names.
    pub path: SlicePath,
}
