//! What a process proves itself with, and whom it trusts.

use super::{CertificateRefusal, certificate::Certificate, moments::Moments, verify::ClientCheck};
use cofferdam_engine::{identity::Identity, time::Timestamp};
use rustls::{
    RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{
        CertificateDer, PrivateKeyDer, UnixTime,
        pem::{self, PemObject},
    },
    server::{VerifierBuilderError, WebPkiClientVerifier},
    sign::CertifiedKey,
};
use std::{fs, io, path::PathBuf, sync::Arc};

/// Where a process's credentials are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialFiles {
    /// Its certificate in PEM, followed by those of its issuers if there are any between it and the
    /// authority.
    pub certificate: PathBuf,
    /// The certificate's private key in PEM.
    pub key: PathBuf,
    /// The certificates in PEM of the authorities that are trusted.
    pub authority: PathBuf,
}

/// A process's credentials as PEM texts.
#[derive(Clone, Copy)]
pub struct CredentialPem<'a> {
    /// Its certificate, followed by those of issuers between it and the authority.
    pub certificate: &'a [u8],
    /// The certificate's private key.
    pub key: &'a [u8],
    /// The certificates of the authorities that are trusted.
    pub authority: &'a [u8],
}

/// What a process proves itself with, and whom it trusts.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub(super) certified_key: Arc<CertifiedKey>,
    pub(super) authorities: Arc<RootCertStore>,
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) moments: Moments,
    identity: Identity,
    trust_domain: String,
    is_patcher: bool,
    valid_until: Timestamp,
}

/// Why credentials cannot be used. Messages name the file.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{origin} holds no {what} in PEM")]
    Pem {
        /// The file.
        origin: String,
        /// What it should hold.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        source: pem::Error,
    },
    /// A certificate of an authority is malformed.
    #[error("{origin} holds a certificate that cannot be an authority's")]
    Authority {
        /// The file.
        origin: String,
        /// What is wrong with it.
        #[source]
        source: rustls::Error,
    },
    /// The key is of an unknown kind, or not the certificate's.
    #[error("the key in {key} does not fit the certificate in {certificate}")]
    Key {
        /// The key's file.
        key: String,
        /// The certificate's file.
        certificate: String,
        /// What is wrong with it.
        #[source]
        source: rustls::Error,
    },
    /// The certificate names nobody.
    #[error("{origin} is not a certificate of ours")]
    Identity {
        /// The file.
        origin: String,
        /// Why not.
        #[source]
        source: CertificateRefusal,
    },
    /// The authorities cannot be used.
    #[error("the authorities cannot be used to check certificates")]
    Verifier(#[source] VerifierBuilderError),
}

struct Part<'a> {
    origin: String,
    pem: &'a [u8],
}

impl Credentials {
    /// Reads credentials from files. Whether they are valid now is another question:
    /// [`check`](Self::check).
    ///
    /// # Errors
    /// [`CredentialsError`] when a file cannot be read, is not what it should be, or they do not fit
    /// each other.
    pub fn load(files: &CredentialFiles) -> Result<Self, CredentialsError> {
        let read = |path: &PathBuf| {
            let path = path.clone();
            fs::read(&path).map_err(|source| CredentialsError::Read { path, source })
        };
        let part = |path: &PathBuf, pem| Part {
            origin: path.display().to_string(),
            pem,
        };
        let certificate = read(&files.certificate)?;
        let key = read(&files.key)?;
        let authority = read(&files.authority)?;
        Self::assemble(
            &part(&files.certificate, certificate.as_slice()),
            &part(&files.key, key.as_slice()),
            &part(&files.authority, authority.as_slice()),
        )
    }

    /// Reads credentials from texts.
    ///
    /// # Errors
    /// [`CredentialsError`] when a text is not what it should be, or they do not fit each other.
    pub fn from_pem(pem: CredentialPem<'_>) -> Result<Self, CredentialsError> {
        let part = |origin: &str, pem| Part {
            origin: origin.to_owned(),
            pem,
        };
        Self::assemble(
            &part("the certificate", pem.certificate),
            &part("the key", pem.key),
            &part("the authority", pem.authority),
        )
    }

    fn assemble(
        certificate: &Part<'_>,
        key: &Part<'_>,
        authority: &Part<'_>,
    ) -> Result<Self, CredentialsError> {
        let provider = Arc::new(ring::default_provider());
        let chain = certificates(certificate)?;
        let refused = |source| CredentialsError::Identity {
            origin: certificate.origin.clone(),
            source,
        };
        let leaf = Certificate::read(&chain[0]).map_err(refused)?;
        let trust_domain = leaf.trust_domain().map_err(refused)?.to_owned();
        let identity = leaf.identity(&trust_domain).map_err(refused)?;
        let valid_until_secs = u64::try_from(leaf.not_after_secs()).unwrap_or(0);
        let key_der = private_key(key)?;
        let certified_key =
            CertifiedKey::from_der(chain, key_der, &provider).map_err(|source| {
                CredentialsError::Key {
                    key: key.origin.clone(),
                    certificate: certificate.origin.clone(),
                    source,
                }
            })?;
        Ok(Self {
            certified_key: Arc::new(certified_key),
            authorities: Arc::new(authorities(authority)?),
            provider,
            moments: Moments::default(),
            identity,
            trust_domain,
            is_patcher: leaf.is_patcher(),
            valid_until: Timestamp(valid_until_secs.saturating_mul(1000)),
        })
    }

    /// The same, by which peers and the own certificate are judged at the moments of the process's own clock, which no
    /// step of the system's clock moves. A certificate that is not valid by its time then is judged by the system's
    /// clock too. By default that alone counts.
    #[must_use]
    pub fn judged_by(self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let moments = Moments::of(now);
        Self { moments, ..self }
    }

    /// Whom the certificate speaks for.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The trust domain of the certificate, as in `example.org`: peers of no other are accepted.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    /// Whether the certificate marks its holder as one of the hosts that Cofferdam itself runs on.
    pub fn is_patcher(&self) -> bool {
        self.is_patcher
    }

    /// When the certificate ends.
    pub fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    /// Checks the own certificate as a peer would. A peer's refusal says little;
    /// this says it in full.
    ///
    /// # Errors
    /// [`CertificateRefusal`] when it is not valid now, or not of the authorities that are trusted.
    pub fn check(&self) -> Result<(), CertificateRefusal> {
        let (leaf, intermediates) = self
            .certified_key
            .cert
            .split_first()
            .ok_or(CertificateRefusal::Unreadable)?;
        let invalid = |source: VerifierBuilderError| CertificateRefusal::Invalid {
            holder: self.identity.to_string(),
            source: rustls::Error::General(source.to_string()),
        };
        let check = self.client_check().map_err(invalid)?;
        check.check(leaf, intermediates, UnixTime::now())?;
        Ok(())
    }

    /// How clients are checked.
    pub(super) fn client_check(&self) -> Result<ClientCheck, VerifierBuilderError> {
        let (roots, provider) = (self.authorities.clone(), self.provider.clone());
        Ok(ClientCheck {
            chain: WebPkiClientVerifier::builder_with_provider(roots, provider).build()?,
            moments: self.moments.clone(),
            trust_domain: self.trust_domain.clone(),
        })
    }
}

fn certificates(part: &Part<'_>) -> Result<Vec<CertificateDer<'static>>, CredentialsError> {
    let malformed = |source| CredentialsError::Pem {
        origin: part.origin.clone(),
        what: "certificate",
        source,
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(part.pem).collect();
    let chain = chain.map_err(malformed)?;
    if chain.is_empty() {
        return Err(malformed(pem::Error::NoItemsFound));
    }
    Ok(chain)
}

fn private_key(part: &Part<'_>) -> Result<PrivateKeyDer<'static>, CredentialsError> {
    PrivateKeyDer::from_pem_slice(part.pem).map_err(|source| CredentialsError::Pem {
        origin: part.origin.clone(),
        what: "private key",
        source,
    })
}

fn authorities(part: &Part<'_>) -> Result<RootCertStore, CredentialsError> {
    let mut authorities = RootCertStore::empty();
    for certificate in certificates(part)? {
        let origin = part.origin.clone();
        authorities
            .add(certificate)
            .map_err(|source| CredentialsError::Authority { origin, source })?;
    }
    Ok(authorities)
}
