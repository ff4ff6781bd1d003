//! The health responder: a process of its own that tells load balancers what the state file says.
//!
//! ```text
//! agent --rename--> RUN/state.json <--read a request-- responder <--GET-- load balancer, people
//! ```
//!
//! It knows nothing else, so an agent that died, hangs, is upgraded or lost its certificate never
//! changes an answer. One thread; at most [`Limits::connections`] at a time, each for one request
//! of at most [`request::MAX_BYTES`] and for at most [`Limits::deadline`] in all.

pub mod page;
pub mod request;

use crate::{flag::State, host::durable};
use page::{Page, Seen};
use request::{Answerable, Parsed};
use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::LocalSet,
    time::{sleep, timeout},
};

/// What keeps the responder small, whoever connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at a time; further ones wait in the kernel's queue. Default 64 (guess:
    /// some load balancers with some processes each).
    pub connections: usize,
    /// How long a connection may last. Default 2 s, what HAProxy gives a check.
    pub deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            deadline: Duration::from_secs(2),
        }
    }
}

/// The wait after the kernel refused a connection, as it does without free file descriptors.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// Where the kernel says how long the host has been up.
const UPTIME: &str = "/proc/uptime";

/// Why the responder does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Its event loop could not be made.
    #[error("the health responder could not start")]
    Start(#[source] io::Error),
    /// Its address is not to be had.
    #[error("the health responder could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Serves a state file on an address until the process is ended.
///
/// # Errors
/// [`ServeError`] when it cannot begin; once it serves, nothing ends it.
pub fn run(address: SocketAddr, state_file: PathBuf) -> Result<Infallible, ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServeError::Start)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| ServeError::Listen { address, source })?;
        tracing::info!(%address, state_file = %state_file.display(), "serving health");
        Ok(LocalSet::new()
            .run_until(serve(listener, state_file, Limits::default()))
            .await)
    })
}

/// Answers connections for ever. Runs in a [`LocalSet`].
pub async fn serve(listener: TcpListener, state_file: PathBuf, limits: Limits) -> Infallible {
    let state_file = Rc::new(state_file);
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _peer)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a health connection could not be accepted");
                sleep(AFTER_REFUSAL).await;
                continue;
            }
        };
        let state_file = Rc::clone(&state_file);
        tokio::task::spawn_local(async move {
            // Late or broken: the connection is closed, and the client tries again.
            drop(timeout(limits.deadline, answer(stream, &state_file)).await);
            drop(place);
        });
    }
}

async fn answer(mut stream: TcpStream, state_file: &Path) -> io::Result<()> {
    let mut head = Vec::with_capacity(512);
    let parsed = loop {
        let mut limited = (&mut stream).take(request::MAX_BYTES as u64);
        let length = limited.read_buf(&mut head).await?;
        match request::parse(&head) {
            Parsed::Incomplete if length > 0 => {}
            Parsed::Incomplete => break Err(request::malformed()),
            Parsed::Complete(answerable) => break Ok(answerable),
            Parsed::Refused(page) => break Err(page),
        }
    };
    let (page, with_body) = match parsed {
        Ok(Answerable { path, with_body }) => {
            let address = stream.local_addr()?.ip();
            let uptime_secs = uptime_secs();
            let seen = Seen {
                state: State::read(state_file),
                address,
                uptime_secs,
            };
            (Page::of(&path, &seen), with_body)
        }
        Err(page) => (page, true),
    };
    stream.write_all(&page.to_http(with_body)).await?;
    stream.shutdown().await?;
    // What the client still sends is read, or the kernel would cut off the answer.
    while stream.read(&mut [0; 512]).await? > 0 {}
    Ok(())
}

/// How long the host has been up. Absent: the kernel does not say.
fn uptime_secs() -> Option<u64> {
    let text = durable::read(Path::new(UPTIME)).ok()??;
    let text = String::from_utf8(text).ok()?;
    text.split(['.', ' ']).next()?.parse().ok()
}

#[cfg(test)]
mod tests;
