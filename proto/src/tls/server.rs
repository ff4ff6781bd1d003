//! The accepting side: one handshake.

use super::{
    ALPN_HTTP2, CertificateRefusal, Credentials, CredentialsError, HANDSHAKE_WITHIN, Peer,
    certificate::Certificate,
};
use rustls::{
    ServerConfig, server::NoServerSessionStorage, sign::SingleCertAndKey, version::TLS13,
};
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::transport::server::Connected;

/// How this process accepts others. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Server {
    config: Arc<ServerConfig>,
    trust_domain: Arc<str>,
}

/// Why a connection was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// It took too long.
    #[error("the handshake was not over within {} s", HANDSHAKE_WITHIN.as_secs())]
    TooLate,
    /// The other side's certificate was refused.
    #[error("the client cannot be trusted")]
    Refused(#[source] CertificateRefusal),
    /// The other side does not speak TLS 1.3, has no certificate, or ended the handshake.
    #[error("no TLS handshake")]
    Handshake(#[source] io::Error),
}

/// A connection as tonic's server takes it: its peer is known.
#[derive(Debug)]
pub struct TlsIo<IO> {
    stream: TlsStream<IO>,
    peer: Peer,
}

impl Server {
    /// Accepts with these credentials whoever the same authorities vouch for.
    ///
    /// # Errors
    /// [`CredentialsError::Verifier`] when the authorities cannot be used.
    pub fn new(credentials: &Credentials) -> Result<Self, CredentialsError> {
        let check = credentials
            .client_check()
            .map_err(CredentialsError::Verifier)?;
        let own = SingleCertAndKey::from(credentials.certified_key.clone());
        let mut config = ServerConfig::builder_with_provider(credentials.provider.clone())
            .with_protocol_versions(&[&TLS13])
            .expect("ring has cipher suites of TLS 1.3")
            .with_client_cert_verifier(Arc::new(check))
            .with_cert_resolver(Arc::new(own));
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self {
            config: Arc::new(config),
            trust_domain: credentials.trust_domain().into(),
        })
    }

    /// Shakes hands over one connection.
    ///
    /// # Errors
    /// [`HandshakeError`] when the other side is too slow, cannot be trusted, or does not speak TLS.
    pub async fn accept<IO>(&self, io: IO, address: SocketAddr) -> Result<TlsIo<IO>, HandshakeError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = TlsAcceptor::from(self.config.clone());
        let stream = timeout(HANDSHAKE_WITHIN, acceptor.accept(io))
            .await
            .map_err(|_| HandshakeError::TooLate)?
            .map_err(|error| match CertificateRefusal::behind(&error) {
                Some(refusal) => HandshakeError::Refused(refusal),
                None => HandshakeError::Handshake(error),
            })?;
        let (_, connection) = stream.get_ref();
        let certificate = connection
            .peer_certificates()
            .and_then(<[_]>::first)
            .ok_or(CertificateRefusal::Unreadable)
            .and_then(Certificate::read)
            .map_err(HandshakeError::Refused)?;
        let identity = certificate.identity(&self.trust_domain);
        let peer = Peer {
            identity: identity.map_err(HandshakeError::Refused)?,
            is_patcher: certificate.is_patcher(),
            address,
        };
        Ok(TlsIo { stream, peer })
    }
}

impl<IO> Connected for TlsIo<IO> {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsIo<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsIo<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
