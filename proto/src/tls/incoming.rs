//! The accepting side: many handshakes at once.

use super::{Server, TlsIo};
use crate::error_chain;
use socket2::{SockRef, TcpKeepalive};
use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Sleep, sleep},
};
use tokio_stream::Stream;
use tracing::{debug, error, warn};

/// The most handshakes at once; more connections wait in the kernel's queue (guess: a fleet that
/// reconnects all at once, and few enough open files).
const MAX_HANDSHAKES: usize = 1024;

/// The wait after a failed accept, which is mostly about open files: time for some to be closed
/// (guess).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long nothing comes before the kernel asks whether the peer is still there. A host that lost
/// its power says no goodbye: without this its connection would stay open, and its file with it,
/// until the process ends. The kernel's default is 2 h (guess: well over a session's heartbeat).
const PROBE_AFTER: Duration = Duration::from_secs(60);

/// The wait between two such questions; the kernel's default of 9 without an answer ends it.
const PROBE_EVERY: Duration = Duration::from_secs(20);

/// Accepted connections whose handshake is over, for tonic's `serve_with_incoming`.
///
/// Handshakes run beside each other, each with a deadline, so a slow or foreign peer delays nobody.
/// One that fails is logged with its address and dropped. Ends when the sockets end; dropping it
/// ends open handshakes.
#[derive(Debug)]
pub struct Incoming<S, IO> {
    sockets: Option<S>,
    server: Server,
    handshakes: JoinSet<Option<TlsIo<IO>>>,
    pause: Option<Pin<Box<Sleep>>>,
}

/// Shakes hands over each accepted socket.
pub fn incoming<S, IO>(sockets: S, server: Server) -> Incoming<S, IO>
where
    S: Stream<Item = io::Result<(IO, SocketAddr)>> + Unpin,
{
    Incoming {
        sockets: Some(sockets),
        server,
        handshakes: JoinSet::new(),
        pause: None,
    }
}

/// The sockets that a TCP listener accepts.
pub fn sockets(
    listener: TcpListener,
) -> impl Stream<Item = io::Result<(TcpStream, SocketAddr)>> + Unpin {
    Sockets(listener)
}

struct Sockets(TcpListener);

impl Stream for Sockets {
    type Item = io::Result<(TcpStream, SocketAddr)>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepted = ready!(self.0.poll_accept(cx));
        if let Ok((stream, address)) = &accepted
            && let Err(error) = prepare(stream)
        {
            // It is gone already, as its handshake will say; no reason to accept others later.
            debug!(%address, %error, "a connection takes no options");
        }
        Poll::Ready(Some(accepted))
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(PROBE_AFTER)
        .with_interval(PROBE_EVERY);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

impl<S, IO> Incoming<S, IO>
where
    S: Stream<Item = io::Result<(IO, SocketAddr)>> + Unpin,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// Begins the handshakes of all sockets that are there, as far as there is room.
    fn begin_handshakes(&mut self, cx: &mut Context<'_>) {
        while self.handshakes.len() < MAX_HANDSHAKES {
            if let Some(pause) = &mut self.pause {
                if pause.as_mut().poll(cx).is_pending() {
                    return;
                }
                self.pause = None;
            }
            let Some(sockets) = &mut self.sockets else {
                return;
            };
            match Pin::new(sockets).poll_next(cx) {
                Poll::Pending => return,
                Poll::Ready(None) => self.sockets = None,
                Poll::Ready(Some(Ok((io, address)))) => {
                    let handshake = shake_hands(self.server.clone(), io, address);
                    self.handshakes.spawn(handshake);
                }
                Poll::Ready(Some(Err(error))) => {
                    warn!(error = error_chain(&error), "cannot accept a connection");
                    self.pause = Some(Box::pin(sleep(ACCEPT_PAUSE)));
                }
            }
        }
    }
}

impl<S, IO> Stream for Incoming<S, IO>
where
    S: Stream<Item = io::Result<(IO, SocketAddr)>> + Unpin,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Item = io::Result<TlsIo<IO>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            self.begin_handshakes(cx);
            match self.handshakes.poll_join_next(cx) {
                Poll::Ready(Some(Ok(Some(io)))) => return Poll::Ready(Some(Ok(io))),
                Poll::Ready(Some(Ok(None))) => {}
                Poll::Ready(Some(Err(panicked))) => {
                    error!(error = error_chain(&panicked), "a handshake panicked");
                }
                Poll::Ready(None) if self.sockets.is_none() => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

async fn shake_hands<IO>(server: Server, io: IO, address: SocketAddr) -> Option<TlsIo<IO>>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    match server.accept(io, address).await {
        Ok(io) => Some(io),
        Err(error) => {
            warn!(%address, error = error_chain(&error), "refused a connection");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_stream::StreamExt;

    #[tokio::test]
    async fn the_kernel_looks_after_connections_whose_peer_lost_its_power() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _client = TcpStream::connect(address).await.unwrap();
        let (accepted, _) = sockets(listener).next().await.unwrap().unwrap();
        let socket = SockRef::from(&accepted);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), PROBE_AFTER);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), PROBE_EVERY);
    }
}
