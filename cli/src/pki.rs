//! A small certificate authority, kept in one folder.
//!
//! ```text
//! DIR/ca.crt  ca.key                  made once; ca.crt names the trust domain in its SPIFFE URI
//! DIR/agent-web-1.crt  .key           one pair for each agent, coordinator, control, operator
//! ```
//!
//! Every leaf names what it is in exactly one SPIFFE URI. Agents and operators get leaves for
//! clients only, so that neither can play coordinator. All begin 24 h early, for hosts whose clock
//! is behind. Keys are ECDSA P-256; every file is readable by its owner only.

use crate::{exit::UsageError, file};
use anyhow::{Context as _, Result, bail, ensure};
use cofferdam_engine::{id::HostId, identity::Identity};
use cofferdam_proto::tls::PATCHER_UNIT;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// How long before now a certificate begins (design.md 4: certificates begin 24 h early).
const EARLY: Duration = Duration::hours(24);

/// How many days a leaf is valid unless asked otherwise (guess: a quarter).
pub const LEAF_DAYS: u32 = 90;

/// How many days the authority is valid unless asked otherwise (guess: ten years).
pub const AUTHORITY_DAYS: u32 = 3650;

/// The authority's certificate in its folder.
pub const AUTHORITY_CERTIFICATE: &str = "ca.crt";
/// The authority's key in its folder.
pub const AUTHORITY_KEY: &str = "ca.key";

/// A certificate authority whose key is at hand.
pub struct Authority {
    folder: PathBuf,
    trust_domain: String,
    not_after: OffsetDateTime,
    issuer: Issuer<'static, KeyPair>,
}

/// The names that clients dial a server by. Empty for those who only dial.
#[derive(Debug, Clone, Default)]
pub struct ServerNames {
    /// DNS names.
    pub dns: Vec<String>,
    /// Addresses.
    pub ip: Vec<IpAddr>,
}

/// A pair of files that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// When the certificate ends.
    pub not_after: OffsetDateTime,
}

/// From when and how long a certificate is valid.
#[derive(Debug, Clone, Copy)]
pub struct Validity {
    /// The moment of making.
    pub now: OffsetDateTime,
    /// Days from then.
    pub days: u32,
}

impl Validity {
    fn not_after(self) -> OffsetDateTime {
        self.now + Duration::days(i64::from(self.days))
    }
}

impl Authority {
    /// Makes an authority in a folder that holds none.
    ///
    /// # Errors
    /// When the trust domain is malformed, one of the files exists, or they cannot be written.
    pub fn create(folder: &Path, trust_domain: &str, validity: Validity) -> Result<Pair> {
        check_trust_domain(trust_domain)?;
        let mut params = CertificateParams::default();
        let name = format!("Cofferdam authority of {trust_domain}");
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = vec![uri(&format!("spiffe://{trust_domain}"))?];
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = validity.now - EARLY;
        params.not_after = validity.not_after();
        let key = KeyPair::generate().context("cannot generate the authority's key")?;
        let certificate = params
            .self_signed(&key)
            .context("cannot sign the authority's certificate")?;
        let pair = Pair {
            certificate: folder.join(AUTHORITY_CERTIFICATE),
            key: folder.join(AUTHORITY_KEY),
            not_after: params.not_after,
        };
        file::folder(folder)?;
        pair.write(&certificate.pem(), &key.serialize_pem())?;
        Ok(pair)
    }

    /// Reads an authority's certificate and key from its folder.
    ///
    /// # Errors
    /// When one is missing, unreadable, or no authority of a trust domain.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(AUTHORITY_CERTIFICATE);
        let pem = file::read(&path).context("make an authority first: cofferdam pki init")?;
        let what = || format!("{} is no authority's certificate", path.display());
        let (trust_domain, not_after) = read_authority(&pem).with_context(what)?;
        let path = folder.join(AUTHORITY_KEY);
        let key = KeyPair::from_pem(&file::read(&path)?)
            .with_context(|| format!("{} is no private key in PEM", path.display()))?;
        let issuer = Issuer::from_ca_cert_pem(&pem, key).with_context(what)?;
        Ok(Self {
            folder: folder.to_owned(),
            trust_domain,
            not_after,
            issuer,
        })
    }

    /// The trust domain that every identity of this authority belongs to.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    /// Issues a new key and certificate for an identity, into the authority's folder.
    ///
    /// # Errors
    /// When the names do not fit the identity, the leaf would outlive the authority, one of the
    /// files exists, or they cannot be written.
    pub fn issue(
        &self,
        identity: &Identity,
        names: &ServerNames,
        validity: Validity,
    ) -> Result<Pair> {
        self.sign(identity, self.leaf(identity, names, validity)?)
    }

    /// The same for the agent of a host that Cofferdam itself runs on, which it marks: such hosts are patched last.
    ///
    /// # Errors
    /// As [`Authority::issue`].
    pub fn issue_to_patcher(&self, host: HostId, validity: Validity) -> Result<Pair> {
        let identity = Identity::Agent(host);
        let mut params = self.leaf(&identity, &ServerNames::default(), validity)?;
        let unit = DnType::OrganizationalUnitName;
        params.distinguished_name.push(unit, PATCHER_UNIT);
        self.sign(&identity, params)
    }

    fn sign(&self, identity: &Identity, params: CertificateParams) -> Result<Pair> {
        let key = KeyPair::generate().context("cannot generate a key")?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .with_context(|| format!("cannot sign the certificate of {identity}"))?;
        let stem = identity.to_string().replace('/', "-");
        let pair = Pair {
            certificate: self.folder.join(format!("{stem}.crt")),
            key: self.folder.join(format!("{stem}.key")),
            not_after: params.not_after,
        };
        pair.write(&certificate.pem(), &key.serialize_pem())?;
        Ok(pair)
    }

    fn leaf(
        &self,
        identity: &Identity,
        names: &ServerNames,
        validity: Validity,
    ) -> Result<CertificateParams> {
        let not_after = validity.not_after();
        ensure!(
            not_after <= self.not_after,
            "{} days would outlive the authority, which ends on {}: ask for fewer with --days",
            validity.days,
            self.not_after.date()
        );
        let mut params = CertificateParams::default();
        let common_name = identity.to_string();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.subject_alt_names = self.alternative_names(identity, names)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = usages(identity);
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.not_before = validity.now - EARLY;
        params.not_after = not_after;
        Ok(params)
    }

    fn alternative_names(&self, identity: &Identity, names: &ServerNames) -> Result<Vec<SanType>> {
        let nameless = names.dns.is_empty() && names.ip.is_empty();
        match (is_server(identity), nameless) {
            (true, true) => bail!(UsageError(format!(
                "{identity} is dialled, so its certificate needs a name: give --dns NAME or --ip ADDRESS"
            ))),
            (false, false) => bail!(UsageError(format!(
                "{identity} only dials: --dns and --ip are for servers"
            ))),
            (true, false) | (false, true) => {}
        }
        let mut all = vec![uri(&identity.uri(&self.trust_domain))?];
        for name in &names.dns {
            let checked = name.as_str().try_into();
            all.push(SanType::DnsName(checked.with_context(|| {
                format!("`{name}` cannot stand in a certificate as a DNS name")
            })?));
        }
        all.extend(names.ip.iter().copied().map(SanType::IpAddress));
        Ok(all)
    }
}

impl Pair {
    /// Writes both, the key first; neither when one exists.
    fn write(&self, certificate: &str, key: &str) -> Result<()> {
        for path in [&self.key, &self.certificate] {
            ensure!(
                !path.exists(),
                "{} exists and is not overwritten: move it away first",
                path.display()
            );
        }
        file::create(&self.key, file::PRIVATE, key)?;
        file::create(&self.certificate, file::PRIVATE, certificate)
    }
}

fn is_server(identity: &Identity) -> bool {
    match identity {
        Identity::Coordinator(_) | Identity::Control => true,
        Identity::Agent(_) | Identity::Operator(_) => false,
    }
}

fn usages(identity: &Identity) -> Vec<ExtendedKeyUsagePurpose> {
    let mut usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    if is_server(identity) {
        usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    }
    usages
}

fn uri(text: &str) -> Result<SanType> {
    let checked = text.try_into();
    Ok(SanType::URI(checked.with_context(|| {
        format!("`{text}` cannot stand in a certificate as a URI")
    })?))
}

/// The rules of the SPIFFE standard, section 2.1: lower-case letters, digits, `.`, `-`, `_`.
fn check_trust_domain(text: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
    ensure!(
        !text.is_empty() && text.len() <= 255 && text.chars().all(fits),
        UsageError(format!(
            "`{text}` is not a trust domain: lower-case letters, digits, `.`, `-` and `_` are expected, as in example.org"
        ))
    );
    Ok(())
}

/// The trust domain in an authority's certificate, and when it ends.
fn read_authority(pem: &str) -> Result<(String, OffsetDateTime)> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).context("it is not PEM")?;
    let (_, certificate) = X509Certificate::from_der(&pem.contents).context("it is not X.509")?;
    ensure!(certificate.is_ca(), "it may not sign others");
    let names = certificate
        .subject_alternative_name()
        .context("its names cannot be read")?
        .context("it has no SPIFFE URI")?;
    let domain = names.value.general_names.iter().find_map(|name| {
        let GeneralName::URI(uri) = name else {
            return None;
        };
        uri.strip_prefix("spiffe://")
    });
    let domain = domain.context("it has no SPIFFE URI")?;
    check_trust_domain(domain)?;
    Ok((
        domain.to_owned(),
        certificate.validity().not_after.to_datetime(),
    ))
}

#[cfg(test)]
#[path = "pki/tests.rs"]
mod tests;
