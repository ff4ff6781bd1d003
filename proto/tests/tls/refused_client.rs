//! What a server refuses.

use crate::{
    pki::{Authority, Leaf, agent, coordinator},
    service::{Coordinator, who_am_i},
};
use cofferdam_proto::{
    error_chain,
    tls::{CertificateRefusal as Refusal, Client, ConnectError, Expect, HandshakeError, Server},
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tower::{Service, service_fn};

fn roots(authority: &Authority) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap();
    roots.add(certificate).unwrap();
    roots
}

/// A client that shows any certificate, or none.
fn careless(roots: RootCertStore, shows: Option<(&Authority, &Leaf)>) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match shows {
        None => config.with_no_client_auth(),
        Some((authority, leaf)) => {
            let issued = authority.issue(leaf);
            let leaf = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
            config.with_client_auth_cert(vec![leaf], key).unwrap()
        }
    };
    TlsConnector::from(Arc::new(config))
}

/// What a server of `ours` says of a client with this certificate, issued by `theirs`.
async fn refusal(ours: &Authority, theirs: &Authority, leaf: &Leaf) -> Refusal {
    let server = Server::new(&ours.credentials(&coordinator())).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connector = careless(roots(ours), Some((theirs, leaf)));
    let client = async {
        let io = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        connector.connect(name, io).await
    };
    let accept = async {
        let (io, from) = listener.accept().await.unwrap();
        server.accept(io, from).await
    };
    match tokio::join!(client, accept) {
        (_, Err(HandshakeError::Refused(refusal))) => refusal,
        (_, other) => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_client_without_exactly_one_uri_is_refused() {
    let authority = Authority::new();
    let none = Leaf {
        uris: vec![],
        ..agent()
    };
    let two = Leaf {
        uris: vec![
            "spiffe://example.org/agent/web-1",
            "spiffe://example.org/agent/web-2",
        ],
        ..agent()
    };

    let found = refusal(&authority, &authority, &none).await;
    assert!(
        matches!(&found, Refusal::NoUri { holder } if holder == "CN=test leaf"),
        "{found}"
    );
    let found = refusal(&authority, &authority, &two).await;
    assert!(
        matches!(&found, Refusal::SeveralUris { count: 2, .. }),
        "{found}"
    );
}

#[tokio::test]
async fn a_client_of_another_trust_domain_is_refused() {
    let authority = Authority::new();
    let foreign = Leaf {
        uris: vec!["spiffe://example.com/agent/web-1"],
        ..agent()
    };

    let found = refusal(&authority, &authority, &foreign).await;

    assert_eq!(
        error_chain(&found),
        "certificate of agent/web-1 names nobody here; issue one of this trust domain: \
         `spiffe://example.com/agent/web-1` is not of the trust domain `example.org`"
    );
}

#[tokio::test]
async fn a_client_of_another_authority_is_refused() {
    let found = refusal(&Authority::new(), &Authority::new(), &agent()).await;

    assert!(
        matches!(&found, Refusal::OtherAuthority { holder } if holder == "agent/web-1"),
        "{found}"
    );
}

#[tokio::test]
async fn a_client_whose_time_is_over_is_refused() {
    let authority = Authority::new();
    let old = Leaf {
        last_year: 2001,
        ..agent()
    };

    let found = refusal(&authority, &authority, &old).await;

    assert_eq!(
        found.to_string(),
        "certificate of agent/web-1 expired on Jan  1 00:00:00 2001 +00:00; issue a new one"
    );
}

#[tokio::test]
async fn a_certificate_for_servers_alone_makes_no_client() {
    let authority = Authority::new();
    let leaf = Leaf {
        usages: vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth],
        ..coordinator()
    };

    let found = refusal(&authority, &authority, &leaf).await;

    assert!(
        matches!(&found, Refusal::WrongRole { role: "client", .. }),
        "{found}"
    );
}

#[tokio::test]
async fn a_client_without_certificate_reads_the_reason_in_the_chain() {
    let authority = Authority::new();
    let coordinator = Coordinator::start(&authority.credentials(&coordinator())).await;
    let (tls, address) = (careless(roots(&authority), None), coordinator.address);
    let connector = service_fn(move |_| {
        let tls = tls.clone();
        async move {
            let io = TcpStream::connect(address).await?;
            let name = ServerName::try_from("localhost").unwrap();
            tls.connect(name, io).await.map(TokioIo::new)
        }
    });

    let error = who_am_i(coordinator.uri(), connector).await.unwrap_err();

    assert_eq!(
        error,
        "transport error: connection error: received fatal alert: CertificateRequired"
    );
}

#[tokio::test]
async fn a_refused_client_reads_that_the_other_side_has_the_reason() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let both = format!("{}{}", ours.pem, theirs.pem);
    let coordinator = Coordinator::start(&ours.credentials(&coordinator())).await;
    let credentials = theirs.credentials_trusting(&both, &agent());
    let client = Client::new(credentials, Expect::Coordinator).unwrap();

    let error = who_am_i(coordinator.uri(), client.connector()).await;

    assert_eq!(
        error.unwrap_err(),
        "transport error: connection error: the other side refused our certificate (TLS alert \
         CertificateUnknown); its log says why"
    );
}

#[tokio::test]
async fn a_client_with_a_certificate_of_no_use_says_so_itself() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let old = Leaf {
        last_year: 2001,
        ..agent()
    };
    let expired = ours.credentials(&old);
    let foreign = theirs.credentials_trusting(&ours.pem, &agent());

    for (credentials, expected) in [
        (expired, "expired on"),
        (foreign, "another certificate authority"),
    ] {
        let client = Client::new(credentials, Expect::Coordinator).unwrap();
        let nobody = "localhost:9".parse().unwrap();
        let error = client.connector().call(nobody).await.unwrap_err();
        assert!(matches!(error, ConnectError::OwnCertificate(_)), "{error}");
        assert!(error_chain(&error).contains(expected), "{error}");
    }
}
