//! Certificates in memory, made once a simulation.

use crate::pki::TRUST_DOMAIN;
use cofferdam_engine::identity::Identity;
use cofferdam_proto::tls::{CredentialPem, Credentials};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};

/// A certificate authority in memory.
pub(super) struct Authority {
    ca_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let cert = params.self_signed(&key).expect("a certificate of its own");
        Self {
            ca_pem: cert.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// What somebody proves itself with. A coordinator answers to `dns` as well.
    pub(super) fn issue(&self, identity: &Identity, dns: Option<&str>) -> Credentials {
        let uri = identity
            .uri(TRUST_DOMAIN)
            .try_into()
            .expect("a URI is ASCII");
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if let Some(dns) = dns {
            let name = SanType::DnsName(dns.try_into().expect("a name is ASCII"));
            params.subject_alt_names.push(name);
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        let key = KeyPair::generate().expect("a key");
        let cert = params.signed_by(&key, &self.issuer).expect("a certificate");
        Credentials::from_pem(CredentialPem {
            certificate: cert.pem().as_bytes(),
            key: key.serialize_pem().as_bytes(),
            authority: self.ca_pem.as_bytes(),
        })
        .expect("credentials that belong together")
    }
}
