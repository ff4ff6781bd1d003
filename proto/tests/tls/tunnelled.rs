//! What may lie between: proxies that make a tunnel or say why not, and balancers. TLS ends at neither.

use crate::{
    pki::{Authority, agent, coordinator},
    proxy::{Between, Does},
    service::{Coordinator, who_am_i},
};
use cofferdam_proto::{
    dial::{Proxy, Ways},
    tls::{Client, Expect},
};
use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};
use tokio::{net::TcpListener, time::timeout};

const SOON: Duration = Duration::from_secs(5);

struct Site {
    client: Client,
    coordinator: Coordinator,
}

async fn site() -> Site {
    let authority = Authority::new();
    let coordinator = Coordinator::start(&authority.credentials(&coordinator())).await;
    let client = Client::new(authority.credentials(&agent()), Expect::Coordinator).unwrap();
    Site {
        client,
        coordinator,
    }
}

fn through(proxy: SocketAddr, credentials: Option<PathBuf>) -> Ways {
    let address = proxy.to_string();
    let proxy = Some(Proxy {
        address,
        credentials,
    });
    Ways { proxy, dns: vec![] }
}

impl Site {
    async fn who_am_i(&self, ways: Ways) -> Result<String, String> {
        who_am_i(self.coordinator.uri(), self.client.connector_by(ways)).await
    }
}

#[tokio::test]
async fn a_tunnel_is_asked_for_by_name_and_carries_tls_end_to_end() {
    let site = site().await;
    let proxy = Between::start(Does::Tunnels(None)).await;

    let answer = site.who_am_i(through(proxy.address, None)).await;

    assert_eq!(answer.as_deref(), Ok("web-1"));
    let to = format!("localhost:{}", site.coordinator.address.port());
    let expected = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n");
    assert_eq!(*proxy.heads.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn a_proxy_that_wants_a_user_is_told_the_one_of_the_file_as_it_is_now() {
    let site = site().await;
    // "ana:open: sesame", as RFC 7617 encodes it.
    let proxy = Between::start(Does::Tunnels(Some("Basic YW5hOm9wZW46IHNlc2FtZQ==\r\n"))).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("proxy");
    fs::write(&file, "ana:guess\n").unwrap();

    let refused = site
        .who_am_i(through(proxy.address, Some(file.clone())))
        .await
        .unwrap_err();
    assert!(
        refused.contains("wants a user and a password that it knows"),
        "{refused}"
    );
    assert!(
        refused.contains("407 Proxy Authentication Required"),
        "{refused}"
    );

    fs::write(&file, "ana:open: sesame\n").unwrap();
    let answer = site
        .who_am_i(through(proxy.address, Some(file.clone())))
        .await;
    assert_eq!(answer.as_deref(), Ok("web-1"));

    fs::write(&file, "ana:open\r\nX-Other: sesame\n").unwrap();
    let refused = site
        .who_am_i(through(proxy.address, Some(file)))
        .await
        .unwrap_err();
    assert!(
        refused.contains("one line USER:PASSWORD is expected"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_proxy_that_makes_no_tunnel_is_named_with_what_to_do() {
    let site = site().await;
    for (answer, expected) in [
        (
            "HTTP/1.1 403 Forbidden\r\n\r\n",
            "allow CONNECT to it there (it answered 403 Forbidden)",
        ),
        (
            "HTTP/1.0 502 Bad Gateway\r\nX: y\r\n\r\nbody",
            "it answered 502 Bad Gateway",
        ),
        ("HTTP/1.1 200", "it answered 200"),
        (
            "SSH-2.0-OpenSSH_9.2\r\n",
            "does not answer as an HTTP proxy does",
        ),
        ("", "does not answer as an HTTP proxy does"),
    ] {
        let proxy = Between::start(Does::Answers(answer)).await;
        let refused = site
            .who_am_i(through(proxy.address, None))
            .await
            .unwrap_err();
        assert!(refused.contains(expected), "{answer}: {refused}");
        assert!(refused.contains(&proxy.address.to_string()), "{refused}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let refused = site.who_am_i(through(nobody, None)).await.unwrap_err();
    assert!(
        refused.contains(&format!("the proxy {nobody} cannot be reached")),
        "{refused}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_hangs_is_given_up_and_blamed() {
    let proxy = Between::start(Does::Hangs).await;
    let proxy = Proxy {
        address: proxy.address.to_string(),
        credentials: None,
    };

    let refused = proxy.tunnel("r1.example.org", 7300).await.unwrap_err();

    assert!(
        refused.to_string().ends_with("made no tunnel within 8 s"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_tcp_balancer_passes_each_session_to_a_coordinator_of_the_name() {
    let authority = Authority::new();
    let credentials = authority.credentials(&coordinator());
    let behind = [
        Coordinator::start(&credentials).await,
        Coordinator::start(&credentials).await,
    ];
    let addresses = behind.iter().map(|one| one.address).collect();
    let balancer = Between::start(Does::Balances(addresses)).await;
    let client = Client::new(authority.credentials(&agent()), Expect::Coordinator).unwrap();

    for _ in 0..2 {
        let uri = crate::service::uri(balancer.address);
        let answer = timeout(SOON, who_am_i(uri, client.connector())).await;
        assert_eq!(answer.unwrap().as_deref(), Ok("web-1"));
    }
}
