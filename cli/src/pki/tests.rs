//! What the authority issues, read back by a parser of another make and by rustls itself.

use super::*;
use cofferdam_engine::id::{HostId, OperatorId, Region};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use rustls::{RootCertStore, client::WebPkiServerVerifier, server::WebPkiClientVerifier};
use std::{os::unix::fs::PermissionsExt as _, sync::Arc};
use tempfile::TempDir;

struct Lab {
    folder: TempDir,
    now: OffsetDateTime,
}

impl Lab {
    fn new() -> Self {
        let lab = Self {
            folder: tempfile::tempdir().unwrap(),
            now: crate::clock::date(),
        };
        let days = lab.days(AUTHORITY_DAYS);
        Authority::create(lab.folder.path(), "example.org", days).unwrap();
        lab
    }

    fn days(&self, days: u32) -> Validity {
        Validity {
            now: self.now,
            days,
        }
    }

    fn issue(&self, identity: &Identity, names: &ServerNames, days: u32) -> Result<Pair> {
        Authority::load(self.folder.path())?.issue(identity, names, self.days(days))
    }

    fn issue_to_patcher(&self, host: &str) -> Pair {
        let authority = Authority::load(self.folder.path()).unwrap();
        let host = HostId::new(host).unwrap();
        authority.issue_to_patcher(host, self.days(1)).unwrap()
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        let path = self.folder.path().join(AUTHORITY_CERTIFICATE);
        roots.add(der(&path)).unwrap();
        Arc::new(roots)
    }
}

fn der(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

fn agent() -> Identity {
    Identity::Agent(HostId::new("web-1").unwrap())
}

fn coordinator() -> Identity {
    Identity::Coordinator(Region::new("r1").unwrap())
}

fn localhost() -> ServerNames {
    ServerNames {
        dns: vec!["localhost".to_owned()],
        ip: vec![IpAddr::from([127, 0, 0, 1])],
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn accepted_as_client(lab: &Lab, leaf: &Path) -> bool {
    let verifier = WebPkiClientVerifier::builder_with_provider(lab.roots(), provider());
    let verifier = verifier.build().unwrap();
    verifier
        .verify_client_cert(&der(leaf), &[], UnixTime::now())
        .is_ok()
}

fn accepted_as_server(lab: &Lab, leaf: &Path, name: &str) -> bool {
    let verifier = WebPkiServerVerifier::builder_with_provider(lab.roots(), provider());
    let verifier = verifier.build().unwrap();
    let name = ServerName::try_from(name).unwrap();
    rustls::client::danger::ServerCertVerifier::verify_server_cert(
        verifier.as_ref(),
        &der(leaf),
        &[],
        &name,
        &[],
        UnixTime::now(),
    )
    .is_ok()
}

#[test]
fn a_coordinator_is_a_server_by_its_names_and_a_client() {
    let lab = Lab::new();
    let pair = lab.issue(&coordinator(), &localhost(), 30).unwrap();
    assert!(accepted_as_server(&lab, &pair.certificate, "localhost"));
    assert!(accepted_as_server(&lab, &pair.certificate, "127.0.0.1"));
    assert!(!accepted_as_server(&lab, &pair.certificate, "elsewhere"));
    assert!(accepted_as_client(&lab, &pair.certificate));
}

#[test]
fn agents_and_operators_are_clients_only() {
    let lab = Lab::new();
    let operator = Identity::Operator(OperatorId::new("ana").unwrap());
    for identity in [agent(), operator] {
        let pair = lab.issue(&identity, &ServerNames::default(), 30).unwrap();
        assert!(accepted_as_client(&lab, &pair.certificate), "{identity}");
        let der = der(&pair.certificate);
        let (_, leaf) = X509Certificate::from_der(&der).unwrap();
        let usage = leaf.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth, "{identity}");
    }
}

#[test]
fn a_leaf_names_itself_in_exactly_one_uri_and_begins_a_day_early() {
    let lab = Lab::new();
    let pair = lab.issue(&agent(), &ServerNames::default(), 30).unwrap();
    let der = der(&pair.certificate);
    let (_, leaf) = X509Certificate::from_der(&der).unwrap();
    let names = leaf.subject_alternative_name().unwrap().unwrap();
    let [GeneralName::URI(uri)] = names.value.general_names[..] else {
        panic!("other names than one URI: {:?}", names.value.general_names);
    };
    assert_eq!(Identity::parse(uri, "example.org").unwrap(), agent());
    let begins = leaf.validity().not_before.timestamp();
    assert_eq!(begins, (lab.now - EARLY).unix_timestamp());
}

#[test]
fn another_authority_of_the_same_domain_is_not_trusted() {
    let (lab, other) = (Lab::new(), Lab::new());
    let pair = other.issue(&agent(), &ServerNames::default(), 30).unwrap();
    assert!(!accepted_as_client(&lab, &pair.certificate));
}

#[test]
fn nothing_is_overwritten_and_all_files_are_private() {
    let lab = Lab::new();
    let again = Authority::create(lab.folder.path(), "example.org", lab.days(1));
    assert!(again.unwrap_err().to_string().contains("not overwritten"));
    lab.issue(&agent(), &ServerNames::default(), 30).unwrap();
    assert!(lab.issue(&agent(), &ServerNames::default(), 30).is_err());
    for entry in std::fs::read_dir(lab.folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn servers_need_names_and_clients_may_have_none() {
    let lab = Lab::new();
    assert!(
        lab.issue(&coordinator(), &ServerNames::default(), 1)
            .is_err()
    );
    assert!(
        lab.issue(&Identity::Control, &ServerNames::default(), 1)
            .is_err()
    );
    assert!(lab.issue(&agent(), &localhost(), 1).is_err());
}

#[test]
fn a_leaf_does_not_outlive_its_authority() {
    let lab = Lab::new();
    let error = lab.issue(&agent(), &ServerNames::default(), AUTHORITY_DAYS + 1);
    assert!(error.unwrap_err().to_string().contains("--days"));
}

#[test]
fn a_leaf_is_no_authority_and_a_malformed_domain_none_either() {
    let lab = Lab::new();
    let pair = lab.issue(&agent(), &ServerNames::default(), 30).unwrap();
    let pem = file::read(&pair.certificate).unwrap();
    assert!(read_authority(&pem).is_err());
    for bad in ["", "Example.org", "a b", "a/b"] {
        assert!(check_trust_domain(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_host_that_cofferdam_runs_on_is_marked_by_whoever_enrols_it() {
    use cofferdam_proto::tls::{CredentialFiles, Credentials};
    let lab = Lab::new();
    let is_patcher = |pair: Pair| {
        let files = CredentialFiles {
            certificate: pair.certificate,
            key: pair.key,
            authority: lab.folder.path().join(AUTHORITY_CERTIFICATE),
        };
        let credentials = Credentials::load(&files).unwrap();
        assert!(credentials.check().is_ok());
        (credentials.identity().to_string(), credentials.is_patcher())
    };
    let marked = is_patcher(lab.issue_to_patcher("repo-1"));
    assert_eq!(marked, ("agent/repo-1".to_owned(), true));
    let other = is_patcher(lab.issue(&agent(), &ServerNames::default(), 1).unwrap());
    assert_eq!(other, ("agent/web-1".to_owned(), false));
}
