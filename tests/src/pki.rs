//! A certificate authority for one test: good certificates, and each kind of bad one.

use cofferdam_engine::{id::HostId, identity::Identity};
use cofferdam_proto::tls::PATCHER_UNIT;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};
use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The trust domain of every test.
pub const TRUST_DOMAIN: &str = "test.example";

/// A certificate and its private key, in files.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The certificate of the authority that the holder trusts.
    pub ca: PathBuf,
    /// The holder's certificate.
    pub cert: PathBuf,
    /// The holder's private key.
    pub key: PathBuf,
}

/// Whether a certificate can be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// From 1975 to 4096.
    Valid,
    /// From an hour ago to a day from now: of no use by a clock that is set far off.
    Briefly,
    /// It ended in 2020.
    Expired,
}

/// A certificate authority that writes what it issues into one folder.
pub struct Authority {
    folder: PathBuf,
    ca: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes an authority and its folder.
    pub fn new(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("a folder for certificates");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name = name("Cofferdam test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let cert = params.self_signed(&key).expect("a certificate of its own");
        let ca = folder.join("ca.pem");
        fs::write(&ca, cert.pem()).expect("the authority's certificate is written");
        Self {
            folder: folder.to_owned(),
            ca,
            issuer: Issuer::new(params, key),
        }
    }

    /// Issues a certificate that can be used now.
    pub fn issue(&self, identity: &Identity) -> Credentials {
        self.issue_with(identity, Validity::Valid)
    }

    /// Issues a certificate, valid or not.
    pub fn issue_with(&self, identity: &Identity, validity: Validity) -> Credentials {
        self.issue_named(name(&identity.to_string()), identity, validity)
    }

    /// Issues the certificate of an agent whose host Cofferdam itself runs on.
    pub fn issue_to_patcher(&self, host: HostId) -> Credentials {
        let identity = Identity::Agent(host);
        let mut named = name(&identity.to_string());
        named.push(rcgen::DnType::OrganizationalUnitName, PATCHER_UNIT);
        self.issue_named(named, &identity, Validity::Valid)
    }

    fn issue_named(
        &self,
        named: DistinguishedName,
        identity: &Identity,
        validity: Validity,
    ) -> Credentials {
        let mut params = CertificateParams::default();
        params.distinguished_name = named;
        let uri = identity.uri(TRUST_DOMAIN);
        params.subject_alt_names = vec![SanType::URI(uri.try_into().expect("a URI is ASCII"))];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if matches!(identity, Identity::Coordinator(_) | Identity::Control) {
            let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
            params.subject_alt_names.push(SanType::IpAddress(loopback));
            let localhost = "localhost".try_into().expect("a name is ASCII");
            params.subject_alt_names.push(SanType::DnsName(localhost));
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        match validity {
            Validity::Valid => {}
            Validity::Briefly => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                let now = rcgen::date_time_ymd(1970, 1, 1) + since.expect("it is later");
                params.not_before = now - Duration::from_secs(3_600);
                params.not_after = now + Duration::from_secs(86_400);
            }
            Validity::Expired => {
                params.not_before = rcgen::date_time_ymd(2019, 1, 1);
                params.not_after = rcgen::date_time_ymd(2020, 1, 1);
            }
        }
        self.write(&identity.to_string().replace('/', "-"), &params)
    }

    fn write(&self, stem: &str, params: &CertificateParams) -> Credentials {
        let key = KeyPair::generate().expect("a key");
        let cert = params
            .signed_by(&key, &self.issuer)
            .expect("a certificate of the authority");
        let credentials = Credentials {
            ca: self.ca.clone(),
            cert: self.folder.join(format!("{stem}.pem")),
            key: self.folder.join(format!("{stem}.key")),
        };
        fs::write(&credentials.cert, cert.pem()).expect("a certificate is written");
        fs::write(&credentials.key, key.serialize_pem()).expect("a key is written");
        credentials
    }
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(rcgen::DnType::CommonName, common);
    name
}
