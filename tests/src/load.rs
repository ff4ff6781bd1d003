//! Load on a service in a fleet's network: clients that never try twice, and count what fails.
//!
//! | client | what it does |
//! |---|---|
//! | wrk, anew | one connection a request |
//! | wrk, kept | one connection for all requests, as long as the other side keeps it |
//! | slow, one a host | takes the head of an answer, and the rest when it is told to: one is always in flight |
//! | visitor | keeps the cookie that it is given; a session, until it logs out |
//!
//! Each waits a moment between two requests, so that the load is bounded by their number and not by the
//! machine.
//!
//! An answer is in flight for as long as a slow client wants, and not for some seconds: between the end of
//! a drain and the restart of a service lie as many as apt needs, in which whatever only takes long is
//! over, so that nothing would be seen of a host that waits for nobody (seen).

mod wrk;

use crate::real_fleet::RealFleet;
use axum::body::{Body, to_bytes};
use http::{
    HeaderMap, Request,
    header::{COOKIE, HOST, SET_COOKIE},
};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::{
    collections::{BTreeMap, BTreeSet},
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
pub use wrk::is_installed;
use wrk::{Connections, Wrk};

/// The wait of a client between two of its requests.
const PAUSE: Duration = Duration::from_millis(15);

/// How long an answer may take, but for what a slow client waits by itself; past it the request failed.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);

/// How long a slow client waits: as long as any test of this. An answer that is held for so long failed.
const HELD_WITHIN: Duration = Duration::from_secs(300);

/// The header by which a host says which it is.
pub const SERVED_BY: &str = "x-served-by";

/// The cookie by which a balancer knows who is to answer; its value is the name of a host.
pub const COOKIE_NAME: &str = "HOST";

/// The path whose answer is large.
pub const SLOW: &str = "/slow";

/// Its bytes: more than all buffers on its way hold, so that the end of an answer that nobody takes is not
/// sent yet. The kernel's are at most 4 MB to send and 6 MB to receive, on both sides of a balancer.
pub const SLOW_BYTES: usize = 32 << 20;

/// How many failures are told in words.
const TOLD: usize = 20;

/// Running clients. They end with [`Load::end`].
#[derive(Debug)]
pub struct Load {
    is_over: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    thread: JoinHandle<()>,
    wrk: [Wrk; 2],
}

/// What clients have seen so far.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// How many requests ended. Those of wrk are counted at the end.
    pub requests: u64,
    /// How many of these were slow ones.
    pub slow: u64,
    /// How many had no answer, not all of one, or another one than 200.
    pub failed: u64,
    /// The first of those, in words.
    pub failures: Vec<String>,
    /// The hosts of which a slow answer broke off.
    pub cut: BTreeSet<String>,
    /// Who answered the visitor since it last logged out, in order.
    pub visited: Vec<String>,
    /// How often each host was let go.
    pub let_go: BTreeMap<String, u32>,
}

impl Load {
    /// Starts the clients in a fleet's network, the first slow ones at one host each.
    pub fn start(fleet: &RealFleet, service: SocketAddr) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Shared {
            service,
            is_over: Arc::clone(&is_over),
            seen: Arc::clone(&seen),
        };
        let network = fleet.network();
        let hosts = fleet.hosts().iter();
        let hosts: Vec<String> = hosts.map(|host| host.name().to_string()).collect();
        let thread = thread::spawn(move || {
            let _inside = network.enter().expect("the fleet's network");
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let clients = LocalSet::new();
            for host in hosts {
                clients.spawn_local(shared.clone().take_slowly(host));
            }
            clients.spawn_local(shared.visit());
            runtime.expect("a runtime").block_on(clients);
        });
        Self {
            is_over,
            seen,
            thread,
            wrk: [Connections::Anew, Connections::Kept]
                .map(|kind| Wrk::start(fleet, service, kind)),
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

    /// Lets slow clients take the rest of what a host answers them now.
    pub fn let_go(&self, host: &str) {
        *lock(&self.seen).let_go.entry(host.to_owned()).or_default() += 1;
    }

    /// Ends the clients, each after its present request, and says what they saw.
    ///
    /// # Panics
    /// When a client did.
    pub fn end(self) -> Seen {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("clients do not panic");
        let mut seen = lock(&self.seen).clone();
        for counted in self.wrk.map(Wrk::end) {
            seen.requests += counted.requests;
            seen.failed += counted.failed;
            if counted.failed > 0 {
                seen.failures.push(counted.words);
            }
        }
        seen
    }
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

    /// The first request is for a host, and later ones for whoever is given to.
    async fn take_slowly(self, first: String) {
        let mut cookie = Some(format!("{COOKIE_NAME}={first}"));
        while !self.is_over() {
            let taken = timeout(HELD_WITHIN, self.take_one_slowly(cookie.take())).await;
            self.note(
                SLOW,
                &taken.unwrap_or_else(|_| Err("it was held for too long".to_owned())),
            );
            sleep(PAUSE).await;
        }
    }

    async fn take_one_slowly(&self, cookie: Option<String>) -> Result<(), String> {
        let mut sender = connect(self.service).await?;
        let answer = self.ask(&mut sender, SLOW, cookie.as_deref());
        let (head, body) = answer.await?;
        let host = served_by(&head);
        let let_go = || lock(&self.seen).let_go.get(&host).copied();
        let before = let_go();
        while let_go() == before && !self.is_over() {
            sleep(PAUSE).await;
        }
        let all = timeout(ANSWERED_WITHIN, to_bytes(body, SLOW_BYTES)).await;
        let all = all.map_err(|_| "the rest did not come in time".to_owned());
        let all = all.and_then(|all| all.map_err(said));
        if let Err(why) = all {
            lock(&self.seen).cut.insert(host.clone());
            return Err(format!("what {host} answered broke off: {why}"));
        }
        Ok(())
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
                let by = served_by(headers);
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
        let exchange = async {
            let mut sender = match kept.take().filter(|sender| !sender.is_closed()) {
                Some(sender) => sender,
                None => connect(self.service).await?,
            };
            let (headers, body) = self.ask(&mut sender, path, cookie).await?;
            to_bytes(body, SLOW_BYTES).await.map_err(said)?;
            if sender.ready().await.is_ok() {
                *kept = Some(sender);
            }
            Ok(headers)
        };
        let answered = timeout(ANSWERED_WITHIN, exchange).await;
        answered.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    /// The head of an answer that must be well, and what follows it.
    async fn ask(
        &self,
        sender: &mut SendRequest<Body>,
        path: &str,
        cookie: Option<&str>,
    ) -> Result<(HeaderMap, Body), String> {
        let mut request = Request::get(path).header(HOST, "shop.example");
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        let request = request.body(Body::empty()).map_err(said)?;
        let answer = sender.send_request(request).await.map_err(said)?;
        let (head, body) = answer.into_parts();
        match head.status.as_u16() {
            200 => Ok((head.headers, Body::new(body))),
            _ => Err(head.status.to_string()),
        }
    }

    fn note<T>(&self, path: &str, answer: &Result<T, String>) {
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

/// Empty: it does not say.
fn served_by(headers: &HeaderMap) -> String {
    let by = headers.get(SERVED_BY).and_then(|text| text.to_str().ok());
    by.unwrap_or_default().to_owned()
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
