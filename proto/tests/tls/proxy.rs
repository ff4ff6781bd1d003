//! An HTTP proxy on loopback that makes tunnels, or says why not; and a TCP load balancer.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// What it does with each connection.
#[derive(Clone)]
pub(crate) enum Does {
    /// Makes the tunnel that is asked for, if the authorization is this one. Absent: for all.
    Tunnels(Option<&'static str>),
    /// Answers so.
    Answers(&'static str),
    /// Reads, and says nothing.
    Hangs,
    /// Passes bytes on to whoever is next, as a balancer does.
    Balances(Vec<SocketAddr>),
}

/// What stands between; gone when dropped, with all that goes through it.
pub(crate) struct Between {
    pub(crate) address: SocketAddr,
    /// The heads of the requests, in order.
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Between {
    pub(crate) async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            for turn in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(pass(stream, does.clone(), Arc::clone(&seen), turn));
            }
        });
        Self {
            address,
            heads,
            task,
        }
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut stream: TcpStream, does: Does, seen: Arc<Mutex<Vec<String>>>, turn: usize) {
    if let Does::Balances(behind) = does {
        join(stream, &behind[turn % behind.len()].to_string()).await;
        return;
    }
    let head = head(&mut stream).await;
    seen.lock().unwrap().push(head.clone());
    match does {
        Does::Tunnels(wanted) if wanted.is_none_or(|wanted| head.contains(wanted)) => {
            stream
                .write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
                .await
                .unwrap();
            let to = head.split(' ').nth(1).unwrap();
            join(stream, to).await;
        }
        Does::Tunnels(_) => say(stream, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await,
        Does::Answers(answer) => say(stream, answer).await,
        Does::Hangs | Does::Balances(_) => std::future::pending().await,
    }
}

async fn say(mut stream: TcpStream, answer: &str) {
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn join(mut stream: TcpStream, to: &str) {
    let mut there = TcpStream::connect(to).await.unwrap();
    // Either side may end at any moment, which ends both.
    copy_bidirectional(&mut stream, &mut there).await.ok();
}
