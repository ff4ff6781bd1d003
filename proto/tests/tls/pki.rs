//! Certificates, right and wrong.

use cofferdam_proto::tls::{CredentialPem, Credentials};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose as Usage, IsCa, Issuer,
    KeyPair, SanType, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};

/// A certificate authority.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate to be, right in all but what a test changes.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) uris: Vec<&'static str>,
    pub(crate) dns: Vec<&'static str>,
    pub(crate) usages: Vec<Usage>,
    pub(crate) last_year: i32,
}

/// A certificate and its key in PEM.
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    pub(crate) fn issue(&self, leaf: &Leaf) -> Issued {
        self.issue_to(leaf, KeyPair::generate().unwrap())
    }

    /// The same, for a key in PEM that there is already.
    pub(crate) fn issue_for(&self, leaf: &Leaf, key: &str) -> Issued {
        self.issue_to(leaf, KeyPair::from_pem(key).unwrap())
    }

    fn issue_to(&self, leaf: &Leaf, key: KeyPair) -> Issued {
        let mut params = CertificateParams::default();
        for dns in &leaf.dns {
            let name = SanType::DnsName((*dns).try_into().unwrap());
            params.subject_alt_names.push(name);
        }
        for uri in &leaf.uris {
            let uri = SanType::URI((*uri).try_into().unwrap());
            params.subject_alt_names.push(uri);
        }
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "test leaf");
        params.extended_key_usages.clone_from(&leaf.usages);
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(leaf.last_year, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// Credentials of a holder that trusts this authority and is vouched for by it.
    pub(crate) fn credentials(&self, leaf: &Leaf) -> Credentials {
        self.credentials_trusting(&self.pem, leaf)
    }

    /// Credentials of a holder that trusts any authorities and is vouched for by this one.
    pub(crate) fn credentials_trusting(&self, authorities: &str, leaf: &Leaf) -> Credentials {
        let issued = self.issue(leaf);
        Credentials::from_pem(CredentialPem {
            certificate: issued.certificate.as_bytes(),
            key: issued.key.as_bytes(),
            authority: authorities.as_bytes(),
        })
        .unwrap()
    }
}

impl Issued {
    /// The certificate in DER.
    pub(crate) fn der(&self) -> Vec<u8> {
        let der = CertificateDer::from_pem_slice(self.certificate.as_bytes());
        der.unwrap().to_vec()
    }
}

/// An agent's certificate: for clients alone.
pub(crate) fn agent() -> Leaf {
    Leaf {
        uris: vec!["spiffe://example.org/agent/web-1"],
        dns: vec![],
        usages: vec![Usage::ClientAuth],
        last_year: 2999,
    }
}

/// A coordinator's certificate: for both sides, with the name that is dialled.
pub(crate) fn coordinator() -> Leaf {
    Leaf {
        uris: vec!["spiffe://example.org/coordinator/r1"],
        dns: vec!["localhost"],
        usages: vec![Usage::ServerAuth, Usage::ClientAuth],
        last_year: 2999,
    }
}
