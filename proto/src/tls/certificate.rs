//! Reads what a certificate says of its holder.

use super::CertificateRefusal;
use cofferdam_engine::identity::Identity;
use rustls::pki_types::CertificateDer;
use std::net::IpAddr;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer};

/// What stands in the subject of a certificate, as an organisational unit, whose holder is one of the hosts that Cofferdam
/// itself runs on.
pub const PATCHER_UNIT: &str = "cofferdam-patcher";

/// The most characters of a foreign certificate's text in a message.
const MAX_TEXT_CHARS: usize = 200;

/// What a certificate says of its holder.
pub(super) struct Certificate {
    uris: Vec<String>,
    addresses: Vec<String>,
    subject: String,
    is_patcher: bool,
    not_after_secs: i64,
}

impl Certificate {
    /// Reads a certificate.
    pub(super) fn read(der: &CertificateDer<'_>) -> Result<Self, CertificateRefusal> {
        let unreadable = |_| CertificateRefusal::Unreadable;
        let (_, certificate) = X509Certificate::from_der(der).map_err(unreadable)?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| CertificateRefusal::Unreadable)?;
        let (mut uris, mut addresses) = (Vec::new(), Vec::new());
        for name in names.iter().flat_map(|names| &names.value.general_names) {
            if let GeneralName::URI(uri) = name {
                uris.push((*uri).to_owned());
            } else if let GeneralName::DNSName(dns) = name {
                addresses.push((*dns).to_owned());
            } else if let GeneralName::IPAddress(bytes) = name {
                addresses.extend(ip_address(bytes));
            }
        }
        let mut units = certificate.subject().iter_organizational_unit();
        Ok(Self {
            is_patcher: units.any(|unit| unit.as_str() == Ok(PATCHER_UNIT)),
            uris,
            addresses,
            subject: certificate.subject().to_string(),
            not_after_secs: certificate.validity().not_after.timestamp(),
        })
    }

    /// Whom the certificate speaks for.
    pub(super) fn identity(&self, trust_domain: &str) -> Result<Identity, CertificateRefusal> {
        let uri = self.only_uri()?;
        Identity::parse(uri, trust_domain).map_err(|source| CertificateRefusal::Identity {
            holder: self.holder(),
            source,
        })
    }

    /// The trust domain that the certificate belongs to.
    pub(super) fn trust_domain(&self) -> Result<&str, CertificateRefusal> {
        let uri = self.only_uri()?;
        let domain = uri
            .strip_prefix("spiffe://")
            .and_then(|rest| rest.split_once('/'));
        // What is no SPIFFE URI is of no trust domain, and refused as such by `identity`.
        Ok(domain.map_or("", |(domain, _)| domain))
    }

    fn only_uri(&self) -> Result<&str, CertificateRefusal> {
        match self.uris.as_slice() {
            [uri] => Ok(uri),
            [] => Err(CertificateRefusal::NoUri {
                holder: self.holder(),
            }),
            several => Err(CertificateRefusal::SeveralUris {
                holder: self.holder(),
                count: several.len(),
            }),
        }
    }

    /// The holder for messages: the path of its SPIFFE URI, as in `agent/web-1`, else its subject.
    pub(super) fn holder(&self) -> String {
        let path = |uri: &String| {
            let (_, path) = uri.strip_prefix("spiffe://")?.split_once('/')?;
            Some(path.to_owned())
        };
        let holder = self.uris.first().and_then(path);
        let holder = holder.unwrap_or_else(|| self.subject.clone());
        if holder.is_empty() {
            return "a holder without a name".to_owned();
        }
        printable(&holder)
    }

    /// The names to dial it by, for messages.
    pub(super) fn addresses(&self) -> String {
        if self.addresses.is_empty() {
            return "no address at all".to_owned();
        }
        printable(&self.addresses.join(", "))
    }

    /// Whether its holder is marked as one of the patcher's own hosts.
    pub(super) fn is_patcher(&self) -> bool {
        self.is_patcher
    }

    /// The last second in which the certificate is valid, since the Unix epoch.
    pub(super) fn not_after_secs(&self) -> i64 {
        self.not_after_secs
    }
}

fn ip_address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(four).to_string());
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(IpAddr::from(sixteen).to_string())
}

fn printable(text: &str) -> String {
    let printable = text.chars().filter(|c| !c.is_control());
    printable.take(MAX_TEXT_CHARS).collect()
}
