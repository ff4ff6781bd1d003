//! Load on a service in a fleet's network: clients that never try twice, and count what fails.
//!
//! | client | what it does |
//! |---|---|
//! | anew | one connection a request |
//! | kept | one connection for all requests, as long as the other side keeps it |
//! | slow | one request after the other that takes seconds: some are always in flight |
//! | visitor | keeps the cookie that it is given; a session, until it logs out |
//!
//! Each waits a moment between two requests, so that the load is bounded by their number and not by the
//! machine.

use crate::real_fleet::network::Network;
use axum::body::{Body, to_bytes};
use http::{
    HeaderMap, Request,
    header::{COOKIE, HOST, SET_COOKIE},
};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    runtime,
    task::LocalSet,
    time::{sleep, timeout},
};

/// How many clients of each of the first two kinds there are.
const CLIENTS: usize = 6;

/// How many slow ones: most hosts then have a slow request when they are drained.
const SLOW_CLIENTS: usize = 4;

/// The wait of a client between two of its requests.
const PAUSE: Duration = Duration::from_millis(15);

/// How long an answer may take, the slow one too; past it the request failed.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);

/// The most bytes of an answer.
const MAX_ANSWER: usize = 1 << 20;

/// The header by which a host says which it is.
pub const SERVED_BY: &str = "x-served-by";

/// The path whose answer takes seconds.
pub const SLOW: &str = "/slow";

/// How many failures are told in words.
const TOLD: usize = 20;

/// Running clients. They end with [`Load::end`].
#[derive(Debug)]
pub struct Load {
    is_over: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    thread: JoinHandle<()>,
}

/// What clients have seen so far.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// How many requests ended.
    pub requests: u64,
    /// How many of these were slow ones.
    pub slow: u64,
    /// How many had no answer, or another one than 200.
    pub failed: u64,
    /// The first of those, in words.
    pub failures: Vec<String>,
    /// Who answered the visitor since it last logged out, in order.
    pub visited: Vec<String>,
}

impl Load {
    /// Starts the clients, in a fleet's network.
    pub fn start(network: Network, service: SocketAddr) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Shared {
            service,
            is_over: Arc::clone(&is_over),
            seen: Arc::clone(&seen),
        };
        let thread = thread::spawn(move || {
            let _inside = network.enter().expect("the fleet's network");
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let clients = LocalSet::new();
            for _ in 0..CLIENTS {
                clients.spawn_local(shared.clone().ask(Habit::Anew, "/version"));
                clients.spawn_local(shared.clone().ask(Habit::Kept, "/version"));
            }
            for _ in 0..SLOW_CLIENTS {
                clients.spawn_local(shared.clone().ask(Habit::Anew, SLOW));
            }
            clients.spawn_local(shared.visit());
            runtime.expect("a runtime").block_on(clients);
        });
        Self {
            is_over,
            seen,
            thread,
        }
    }

    /// What was seen so far.
    pub fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }

    /// The visitor's session ends: it forgets its cookie, and takes the next one that it is given.
    pub fn log_out(&self) {
        lock(&self.seen).visited.clear();
    }

    /// Ends the clients, each after its present request, and says what they saw.
    ///
    /// # Panics
    /// When a client did.
    pub fn end(self) -> Seen {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("clients do not panic");
        let seen = lock(&self.seen);
        seen.clone()
    }
}

/// What a client does with its connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    Anew,
    Kept,
}

#[derive(Clone)]
struct Shared {
    service: SocketAddr,
    is_over: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    async fn ask(self, habit: Habit, path: &'static str) {
        let mut kept = None;
        while !self.is_over() {
            let answer = self.get(&mut kept, path, None).await;
            if habit == Habit::Anew {
                kept = None;
            }
            self.note(path, &answer);
            sleep(PAUSE).await;
        }
    }

    async fn visit(self) {
        let mut kept = None;
        let mut cookie: Option<String> = None;
        while !self.is_over() {
            if lock(&self.seen).visited.is_empty() {
                cookie = None;
            }
            let answer = self.get(&mut kept, "/version", cookie.as_deref()).await;
            if let Ok(headers) = &answer {
                let given = headers.get(SET_COOKIE).and_then(|text| text.to_str().ok());
                let given = given.and_then(|text| text.split(';').next());
                cookie = given.map(ToOwned::to_owned).or(cookie);
                let by = headers.get(SERVED_BY).and_then(|text| text.to_str().ok());
                let by = by.unwrap_or_default().to_owned();
                lock(&self.seen).visited.push(by);
            }
            self.note("/version of the visitor", &answer);
            sleep(PAUSE).await;
        }
    }

    async fn get(
        &self,
        kept: &mut Option<SendRequest<Body>>,
        path: &str,
        cookie: Option<&str>,
    ) -> Result<HeaderMap, String> {
        let answered = timeout(ANSWERED_WITHIN, self.exchange(kept, path, cookie)).await;
        answered.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    async fn exchange(
        &self,
        kept: &mut Option<SendRequest<Body>>,
        path: &str,
        cookie: Option<&str>,
    ) -> Result<HeaderMap, String> {
        let mut sender = match kept.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => connect(self.service).await?,
        };
        let mut request = Request::get(path).header(HOST, "shop.example");
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        let request = request.body(Body::empty()).map_err(said)?;
        let answer = sender.send_request(request).await.map_err(said)?;
        let (head, body) = answer.into_parts();
        let body = to_bytes(Body::new(body), MAX_ANSWER).await.map_err(said)?;
        if head.status != 200 {
            return Err(format!(
                "{}: {}",
                head.status,
                String::from_utf8_lossy(&body)
            ));
        }
        if sender.ready().await.is_ok() {
            *kept = Some(sender);
        }
        Ok(head.headers)
    }

    fn note(&self, path: &str, answer: &Result<HeaderMap, String>) {
        let mut seen = lock(&self.seen);
        seen.requests += 1;
        seen.slow += u64::from(path == SLOW);
        if let Err(why) = answer {
            seen.failed += 1;
            if seen.failures.len() < TOLD {
                let failure = format!("request {}, {path}: {why}", seen.requests);
                seen.failures.push(failure);
            }
        }
    }
}

async fn connect(service: SocketAddr) -> Result<SendRequest<Body>, String> {
    let stream = TcpStream::connect(service).await.map_err(said)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(said)?;
    tokio::task::spawn_local(async move {
        // What goes wrong with it is told to who asked.
        connection.await.ok();
    });
    Ok(sender)
}

fn said(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().expect("nobody panics who holds it")
}
