//! Who is accepted, and what cannot keep them out.

use crate::{
    pki::{Authority, agent, coordinator},
    service::{Coordinator, who_am_i},
};
use cofferdam_proto::tls::{Client, Expect, HandshakeError, Server};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpStream,
    time::timeout,
};

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn an_agent_is_known_by_its_certificate() {
    let authority = Authority::new();
    let coordinator = Coordinator::start(&authority.credentials(&coordinator())).await;
    let client = Client::new(authority.credentials(&agent()), Expect::Coordinator).unwrap();

    let answer = who_am_i(coordinator.uri(), client.connector()).await;

    assert_eq!(answer.as_deref(), Ok("web-1"));
}

#[tokio::test]
async fn a_caller_of_another_kind_is_told_that_it_is_no_agent() {
    let authority = Authority::new();
    let server = authority.credentials(&coordinator());
    let running = Coordinator::start(&server).await;
    let client = Client::new(server, Expect::Coordinator).unwrap();

    let answer = who_am_i(running.uri(), client.connector()).await;

    assert_eq!(answer, Err("coordinator/r1 is no agent".to_owned()));
}

#[tokio::test]
async fn silence_and_garbage_keep_nobody_out() {
    let authority = Authority::new();
    let coordinator = Coordinator::start(&authority.credentials(&coordinator())).await;
    let client = Client::new(authority.credentials(&agent()), Expect::Coordinator).unwrap();
    let _silent = TcpStream::connect(coordinator.address).await.unwrap();
    let mut garbage = TcpStream::connect(coordinator.address).await.unwrap();
    garbage.write_all(&[0xa5; 4096]).await.unwrap();

    let answer = timeout(SOON, who_am_i(coordinator.uri(), client.connector())).await;

    assert_eq!(answer.unwrap().as_deref(), Ok("web-1"));
    // An alert may come before the end, or a reset in its place.
    let mut rest = Vec::new();
    let ended = timeout(SOON, garbage.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection with garbage is still open");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_stands_still_ends_at_its_deadline() {
    let authority = Authority::new();
    let server = Server::new(&authority.credentials(&coordinator())).unwrap();
    let (io, _silent) = duplex(1024);

    let accepted = server.accept(io, ([127, 0, 0, 1], 1).into()).await;

    assert!(matches!(accepted, Err(HandshakeError::TooLate)));
}
