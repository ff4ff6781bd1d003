//! The control plane signs warrants with the key of its certificate, and agents check that.
//!
//! In a handshake the same key signs texts that begin with 64 blanks (RFC 8446, 4.4.3), since nothing before
//! TLS 1.3 is spoken here. The terms of a warrant begin with a letter, so neither passes for the other.

use super::{CertificateRefusal, Credentials, Expect, certificate::Certificate};
use cofferdam_engine::{identity::Identity, time::Timestamp, warrant::Seal};
use rustls::{
    SignatureScheme,
    client::verify_server_cert_signed_by_trust_anchor,
    pki_types::{CertificateDer, UnixTime},
    server::ParsedCertificate,
};
use std::time::Duration;
use webpki::EndEntityCert;

/// The ways to sign that are offered; a key knows which is its own.
const SCHEMES: [SignatureScheme; 4] = [
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::RSA_PSS_SHA256,
];

/// Why terms cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum CannotSeal {
    /// The certificate does not name the control plane, so that no agent would take it.
    #[error("the certificate names {0}, and warrants are signed by the control plane")]
    NotControl(Identity),
    /// The key signs in no way that is known here.
    #[error("the key signs in no way that agents check")]
    Key,
    /// The key did not sign.
    #[error("the key did not sign")]
    Failed(#[source] rustls::Error),
}

/// Why what is signed does not count.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It came without a certificate.
    #[error("no certificate came with it")]
    NoCertificate,
    /// The certificate is not the control plane's, or not valid.
    #[error("the signer's certificate does not count: {0}")]
    Certificate(#[from] CertificateRefusal),
    /// The key of the certificate did not sign it.
    #[error("it is not what the control plane signed")]
    Wrong,
}

impl Credentials {
    /// Signs the terms of a warrant.
    ///
    /// # Errors
    /// [`CannotSeal`]: these credentials are not the control plane's, or their key is of no use for it.
    pub fn seal(&self, terms: String) -> Result<Seal, CannotSeal> {
        if *self.identity() != Identity::Control {
            return Err(CannotSeal::NotControl(self.identity().clone()));
        }
        let key = &self.certified_key;
        let signer = key.key.choose_scheme(&SCHEMES).ok_or(CannotSeal::Key)?;
        let signature = signer.sign(terms.as_bytes());
        Ok(Seal {
            signature: signature.map_err(CannotSeal::Failed)?,
            terms,
            chain: key.cert.iter().map(|der| der.to_vec()).collect(),
        })
    }

    /// Checks that the control plane of our trust domain signed, as our authorities have it at this moment.
    ///
    /// # Errors
    /// [`SealError`]: it does not count.
    pub fn check_seal(&self, seal: &Seal, now: Timestamp) -> Result<(), SealError> {
        let chain = seal.chain.iter();
        let mut chain = chain.map(|der| CertificateDer::from(der.as_slice()));
        let leaf = chain.next().ok_or(SealError::NoCertificate)?;
        let intermediates: Vec<_> = chain.collect();
        self.check_control(&leaf, &intermediates, now)?;
        let signer = EndEntityCert::try_from(&leaf).map_err(|_| CertificateRefusal::Unreadable)?;
        let known = self.provider.signature_verification_algorithms.all;
        let (terms, signature) = (seal.terms.as_bytes(), &seal.signature);
        let verifies = |way: &&_| signer.verify_signature(*way, terms, signature).is_ok();
        match known.iter().any(verifies) {
            true => Ok(()),
            false => Err(SealError::Wrong),
        }
    }

    fn check_control(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<(), CertificateRefusal> {
        let refused = |error| CertificateRefusal::of(error, leaf, "server", None);
        let known = self.provider.signature_verification_algorithms.all;
        let now = UnixTime::since_unix_epoch(Duration::from_millis(now.0));
        let parsed = ParsedCertificate::try_from(leaf).map_err(refused)?;
        let roots = &self.authorities;
        verify_server_cert_signed_by_trust_anchor(&parsed, roots, intermediates, now, known)
            .map_err(refused)?;
        let found = Certificate::read(leaf)?.identity(self.trust_domain())?;
        match found == Identity::Control {
            true => Ok(()),
            false => {
                let expected = Expect::Only(Identity::Control);
                Err(CertificateRefusal::Unexpected { found, expected })
            }
        }
    }
}
