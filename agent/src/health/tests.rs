//! The responder over real sockets.

use super::*;
use crate::{
    actions::Flag,
    flag::{FILE_NAME, StateFile},
};
use std::fs;

struct Responder {
    folder: tempfile::TempDir,
    address: SocketAddr,
}

/// Runs a scenario beside a responder.
async fn beside<F: Future<Output = ()>>(scenario: impl FnOnce(Responder) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits {
        connections: 4,
        deadline: Duration::from_millis(200),
    };
    let serving = serve(listener, folder.path().join(FILE_NAME), limits);
    let scenario = scenario(Responder { folder, address });
    LocalSet::new()
        .run_until(async {
            tokio::select! {
                biased;
                () = scenario => {}
                never = serving => match never {},
            }
        })
        .await;
}

impl Responder {
    fn flag(&self, flag: Flag) {
        let file = StateFile::open(self.folder.path(), "web-1", None);
        file.set(flag, "drained by hand").unwrap();
    }

    async fn send(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The responder may answer and close before it has read all.
        stream.write_all(bytes).await.ok();
        stream.shutdown().await.ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        String::from_utf8(answer).unwrap()
    }

    async fn get(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        self.send(request.as_bytes()).await
    }
}

#[tokio::test]
async fn each_request_reads_the_file_anew() {
    beside(|responder| async move {
        assert!(responder.get("/ready").await.starts_with("HTTP/1.1 503 "));
        responder.flag(Flag::Up);
        assert!(responder.get("/ready").await.starts_with("HTTP/1.1 200 "));
        responder.flag(Flag::Down);
        assert!(
            responder
                .get("/ready")
                .await
                .ends_with("not available: drained by hand\n")
        );
        fs::write(responder.folder.path().join(FILE_NAME), b"\0garbled").unwrap();
        assert!(responder.get("/ready").await.contains("is garbled"));
    })
    .await;
}

#[tokio::test]
async fn health_is_json_and_head_has_no_body() {
    beside(|responder| async move {
        responder.flag(Flag::Up);
        let page = responder.get("/healthz").await;
        assert!(
            page.contains("Content-Type: application/health+json\r\n"),
            "{page}"
        );
        assert!(page.contains("\"status\":\"pass\""), "{page}");
        let head = responder.send(b"HEAD /healthz HTTP/1.1\r\n\r\n").await;
        assert!(head.ends_with("\r\n\r\n"), "{head}");
        assert!(responder.get("/other").await.starts_with("HTTP/1.1 404 "));
    })
    .await;
}

#[tokio::test]
async fn garbage_gets_a_400_and_stops_nothing() {
    beside(|responder| async move {
        responder.flag(Flag::Up);
        for garbage in [&b"\x16\x03\x01\n\n"[..], b"hello", b"\n", &[0xff; 100_000]] {
            let answer = responder.send(garbage).await;
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
                "{answer}"
            );
        }
        assert!(responder.get("/ready").await.starts_with("HTTP/1.1 200 "));
    })
    .await;
}

#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    beside(|responder| async move {
        responder.flag(Flag::Up);
        let mut idle = Vec::new();
        for _ in 0..6 {
            idle.push(TcpStream::connect(responder.address).await.unwrap());
        }
        let answer = timeout(Duration::from_secs(30), responder.get("/ready"))
            .await
            .unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    })
    .await;
}
