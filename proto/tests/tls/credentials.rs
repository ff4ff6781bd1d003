//! Credentials and addresses that cannot be used, and whether the message names what is wrong.

use crate::pki::{Authority, Leaf, agent, coordinator};
use cofferdam_engine::time::Timestamp;
use cofferdam_proto::{
    error_chain,
    tls::{self, CredentialFiles, Credentials},
};
use std::fs;
use tempfile::TempDir;

struct Folder {
    dir: TempDir,
    files: CredentialFiles,
}

fn folder(authority: &Authority, leaf: &Leaf) -> Folder {
    let dir = TempDir::new().unwrap();
    let issued = authority.issue(leaf);
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let files = CredentialFiles {
        certificate: write("agent.crt", &issued.certificate),
        key: write("agent.key", &issued.key),
        authority: write("ca.crt", &authority.pem),
    };
    Folder { dir, files }
}

fn refusal(folder: &Folder) -> String {
    error_chain(&Credentials::load(&folder.files).unwrap_err())
}

#[test]
fn credentials_say_whose_they_are_and_until_when() {
    let folder = folder(&Authority::new(), &agent());

    let credentials = Credentials::load(&folder.files).unwrap();

    assert_eq!(credentials.identity().to_string(), "agent/web-1");
    assert_eq!(credentials.trust_domain(), "example.org");
    assert_eq!(credentials.valid_until(), Timestamp(32_472_144_000_000));
    assert!(credentials.check().is_ok());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let mut folder = folder(&Authority::new(), &agent());
    folder.files.key = folder.dir.path().join("none.key");

    let message = refusal(&folder);

    let path = folder.files.key.display();
    assert!(
        message.starts_with(&format!("cannot read {path}: ")),
        "{message}"
    );
}

#[test]
fn a_file_that_holds_something_else_is_named() {
    let mut folder = folder(&Authority::new(), &agent());
    let (key, certificate) = (folder.files.key.clone(), folder.files.certificate.clone());

    folder.files.key.clone_from(&certificate);
    let message = refusal(&folder);
    let expected = format!("{} holds no private key in PEM", certificate.display());
    assert!(message.starts_with(&expected), "{message}");

    folder.files.authority.clone_from(&key);
    folder.files.key.clone_from(&key);
    let message = refusal(&folder);
    let expected = format!("{} holds no certificate in PEM", key.display());
    assert!(message.starts_with(&expected), "{message}");
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let authority = Authority::new();
    let folder = folder(&authority, &agent());
    let other = authority.issue(&agent());
    fs::write(&folder.files.key, other.key).unwrap();

    let message = refusal(&folder);

    assert!(message.contains("agent.key does not fit"), "{message}");
}

#[test]
fn a_certificate_that_names_nobody_is_refused_at_once() {
    let unknown = Leaf {
        uris: vec!["spiffe://example.org/root/x"],
        ..coordinator()
    };
    for leaf in [
        Leaf {
            uris: vec![],
            ..agent()
        },
        unknown,
    ] {
        let folder = folder(&Authority::new(), &leaf);
        let message = refusal(&folder);
        assert!(
            message.contains("agent.crt is not a certificate of ours: "),
            "{message}"
        );
    }
}

#[test]
fn an_address_is_a_host_and_a_port() {
    for good in [
        "localhost:7443",
        "10.0.0.1:1",
        "[::1]:7443",
        "a.example.org:65535",
    ] {
        assert!(tls::uri(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "localhost",
        ":7443",
        "localhost:",
        "localhost:70000",
        "localhost:1/x",
        "a@b:1",
        "http://localhost:1",
        "a b:1",
        "::1:7443",
        "localhost:1?x",
    ] {
        let error = tls::uri(bad).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("`{bad}` is not an address")),
            "{error}"
        );
    }
}
