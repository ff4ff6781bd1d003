//! What each side checks in the other's certificate.

use super::{CertificateRefusal, certificate::Certificate, moments::Moments};
use cofferdam_engine::identity::Identity;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use std::{fmt, sync::Arc};

/// Whom a client expects at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// The coordinator of any region, or the control plane.
    Coordinator,
    /// This one alone.
    Only(Identity),
}

impl Expect {
    fn allows(&self, identity: &Identity) -> bool {
        match self {
            Self::Coordinator => {
                matches!(identity, Identity::Coordinator(_) | Identity::Control)
            }
            Self::Only(only) => identity == only,
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coordinator => f.write_str("a coordinator"),
            Self::Only(identity) => identity.fmt(f),
        }
    }
}

/// A client's check of a server.
#[derive(Debug)]
pub(super) struct ServerCheck {
    pub(super) chain: Arc<WebPkiServerVerifier>,
    pub(super) moments: Moments,
    pub(super) trust_domain: String,
    pub(super) expect: Expect,
}

impl ServerCheck {
    fn check_identity(&self, leaf: &CertificateDer<'_>) -> Result<(), CertificateRefusal> {
        let found = Certificate::read(leaf)?.identity(&self.trust_domain)?;
        if self.expect.allows(&found) {
            return Ok(());
        }
        let expected = self.expect.clone();
        Err(CertificateRefusal::Unexpected { found, expected })
    }
}

impl ServerCertVerifier for ServerCheck {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |now| {
            let chain = &self.chain;
            chain.verify_server_cert(leaf, intermediates, name, ocsp, now)
        };
        let verified = self
            .moments
            .judge(now, verify)
            .map_err(|error| CertificateRefusal::of(error, leaf, "server", Some(&name.to_str())))
            .map_err(CertificateRefusal::into_rustls)?;
        self.check_identity(leaf)
            .map_err(CertificateRefusal::into_rustls)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// A server's check of a client, and anyone's of its own certificate.
#[derive(Debug)]
pub(super) struct ClientCheck {
    pub(super) chain: Arc<dyn ClientCertVerifier>,
    pub(super) moments: Moments,
    pub(super) trust_domain: String,
}

impl ClientCheck {
    /// Checks a chain: the leaf first.
    pub(super) fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, CertificateRefusal> {
        let verify = |now| self.chain.verify_client_cert(leaf, intermediates, now);
        let verified = self
            .moments
            .judge(now, verify)
            .map_err(|error| CertificateRefusal::of(error, leaf, "client", None))?;
        Certificate::read(leaf)?.identity(&self.trust_domain)?;
        Ok(verified)
    }
}

impl ClientCertVerifier for ClientCheck {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(leaf, intermediates, now)
            .map_err(CertificateRefusal::into_rustls)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
