//! What a client refuses.

use crate::{
    pki::{Authority, Leaf, agent, coordinator},
    service::uri,
};
use cofferdam_engine::identity::Identity;
use cofferdam_proto::{
    error_chain,
    tls::{CertificateRefusal as Refusal, Client, ConnectError, Expect},
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::sync::Arc;
use tokio::{io::AsyncWriteExt, net::TcpListener};
use tokio_rustls::TlsAcceptor;
use tower::Service;

/// A server that shows any certificate and asks for none.
fn careless(authority: &Authority, leaf: &Leaf) -> TlsAcceptor {
    let issued = authority.issue(leaf);
    let leaf = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn connect(client: &Client, acceptor: TlsAcceptor) -> Result<(), ConnectError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = uri(listener.local_addr().unwrap());
    let mut connector = client.connector();
    let accept = async {
        let (io, _) = listener.accept().await.unwrap();
        acceptor.accept(io).await.err()
    };
    let (connected, _) = tokio::join!(connector.call(uri), accept);
    connected.map(|_| ())
}

/// What an agent of `ours` says of a server with this certificate, issued by `theirs`.
async fn refusal(ours: &Authority, theirs: &Authority, leaf: &Leaf) -> Refusal {
    let client = Client::new(ours.credentials(&agent()), Expect::Coordinator).unwrap();
    match connect(&client, careless(theirs, leaf)).await {
        Err(ConnectError::Refused { source, .. }) => source,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_server_without_exactly_one_uri_is_refused() {
    let authority = Authority::new();
    let none = Leaf {
        uris: vec![],
        ..coordinator()
    };
    let two = Leaf {
        uris: vec![
            "spiffe://example.org/control",
            "https://example.org/control",
        ],
        ..coordinator()
    };

    let found = refusal(&authority, &authority, &none).await;
    assert!(matches!(&found, Refusal::NoUri { .. }), "{found}");
    let found = refusal(&authority, &authority, &two).await;
    assert!(
        matches!(&found, Refusal::SeveralUris { count: 2, .. }),
        "{found}"
    );
}

#[tokio::test]
async fn a_server_that_is_no_coordinator_is_refused() {
    let authority = Authority::new();
    let operator = Leaf {
        uris: vec!["spiffe://example.org/operator/ana"],
        ..coordinator()
    };

    let found = refusal(&authority, &authority, &operator).await;

    assert_eq!(
        found.to_string(),
        "certificate names operator/ana, but a coordinator was expected; check the address"
    );
}

#[tokio::test]
async fn an_agents_certificate_makes_no_server() {
    let authority = Authority::new();
    let posing = Leaf {
        dns: vec!["localhost"],
        ..agent()
    };

    let found = refusal(&authority, &authority, &posing).await;

    assert!(
        matches!(&found, Refusal::WrongRole { role: "server", .. }),
        "{found}"
    );
}

#[tokio::test]
async fn a_server_of_another_trust_domain_or_authority_is_refused() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let foreign = Leaf {
        uris: vec!["spiffe://example.com/control"],
        ..coordinator()
    };

    let found = refusal(&ours, &ours, &foreign).await;
    assert!(matches!(&found, Refusal::Identity { .. }), "{found}");
    let found = refusal(&ours, &theirs, &coordinator()).await;
    assert!(matches!(&found, Refusal::OtherAuthority { .. }), "{found}");
}

#[tokio::test]
async fn a_server_whose_time_is_over_is_refused() {
    let authority = Authority::new();
    let old = Leaf {
        last_year: 2001,
        ..coordinator()
    };

    let found = refusal(&authority, &authority, &old).await;

    assert!(matches!(&found, Refusal::Expired { .. }), "{found}");
}

#[tokio::test]
async fn a_server_of_another_name_is_refused() {
    let authority = Authority::new();
    let elsewhere = Leaf {
        dns: vec!["coordinator.example.org"],
        ..coordinator()
    };

    let found = refusal(&authority, &authority, &elsewhere).await;

    assert_eq!(
        found.to_string(),
        "certificate of coordinator/r1 is for coordinator.example.org, not for localhost; \
         dial one of these names, or issue one with this name"
    );
}

#[tokio::test]
async fn a_client_may_expect_one_coordinator_alone() {
    let authority = Authority::new();
    let only = |uri| Expect::Only(Identity::parse(uri, "example.org").unwrap());
    let client = |expect| Client::new(authority.credentials(&agent()), expect).unwrap();
    let right = client(only("spiffe://example.org/coordinator/r1"));
    let wrong = client(only("spiffe://example.org/coordinator/r2"));

    let connected = connect(&right, careless(&authority, &coordinator())).await;
    assert!(connected.is_ok(), "{connected:?}");
    let refused = connect(&wrong, careless(&authority, &coordinator())).await;
    assert!(
        error_chain(&refused.unwrap_err()).contains("coordinator/r2 was expected"),
        "says whom it expected"
    );
}

#[tokio::test]
async fn what_does_not_speak_tls_is_named() {
    let authority = Authority::new();
    let client = Client::new(authority.credentials(&agent()), Expect::Coordinator).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = uri(listener.local_addr().unwrap());
    let mut connector = client.connector();
    let speak = async {
        let (mut io, _) = listener.accept().await.unwrap();
        io.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await
    };

    let (connected, _) = tokio::join!(connector.call(uri.clone()), speak);

    let error = connected.unwrap_err().to_string();
    assert_eq!(
        error,
        format!("no TLS handshake with {}", uri.authority().unwrap())
    );
}

#[tokio::test]
async fn where_nobody_listens_is_named() {
    let authority = Authority::new();
    let client = Client::new(authority.credentials(&agent()), Expect::Coordinator).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = uri(listener.local_addr().unwrap());
    drop(listener);

    let error = client.connector().call(uri.clone()).await.unwrap_err();

    assert_eq!(
        error.to_string(),
        format!("cannot reach {}", uri.authority().unwrap())
    );
}
