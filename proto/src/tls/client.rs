//! The dialling side.

use super::{
    ALPN_HTTP2, CertificateRefusal, ClientIo, Credentials, CredentialsError, Expect,
    HANDSHAKE_WITHIN, verify::ServerCheck,
};
use crate::dial::Ways;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig,
    client::{Resumption, WebPkiServerVerifier},
    pki_types::ServerName,
    sign::SingleCertAndKey,
    version::TLS13,
};
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tower::Service;

/// A connection that is being dialled.
pub type Dialling = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// How this process dials others. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    credentials: Credentials,
    config: Arc<ClientConfig>,
}

/// Dials an address for tonic's `Endpoint::connect_with_connector`.
///
/// `D` makes the connection that TLS runs over, from the address.
#[derive(Debug, Clone)]
pub struct Connector<D> {
    client: Client,
    dial: D,
}

/// A text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address: HOST:PORT is expected, as in coordinator.example.org:7443")]
pub struct AddressError(String);

/// Why a connection was not made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The own certificate is of no use, so nothing was dialled.
    #[error("our own certificate is not valid")]
    OwnCertificate(#[source] CertificateRefusal),
    /// There is no host and port in the address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Nobody answered at the address.
    #[error("cannot reach {address}")]
    Dial {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Dialling and handshake took too long.
    #[error("{address} did not answer within {} s", HANDSHAKE_WITHIN.as_secs())]
    TooLate {
        /// The address.
        address: String,
    },
    /// The other side's certificate was refused.
    #[error("{address} cannot be trusted")]
    Refused {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: CertificateRefusal,
    },
    /// The other side does not speak TLS 1.3, or ended the handshake.
    #[error("no TLS handshake with {address}")]
    Handshake {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The URI of an address `HOST:PORT`, for tonic's `Endpoint`.
///
/// Its scheme is `http`, since TLS is the connector's business and not tonic's.
///
/// # Errors
/// [`AddressError`] when the text is anything else.
pub fn uri(address: &str) -> Result<Uri, AddressError> {
    let malformed = || AddressError(address.to_owned());
    let uri: Uri = format!("http://{address}")
        .parse()
        .map_err(|_| malformed())?;
    let is_bare = uri.authority().is_some_and(|it| it.as_str() == address);
    if !is_bare || address.contains('@') {
        return Err(malformed());
    }
    host_and_port(&uri)?;
    Ok(uri)
}

impl Client {
    /// Dials with these credentials whoever is expected.
    ///
    /// # Errors
    /// [`CredentialsError::Verifier`] when the authorities cannot be used.
    pub fn new(credentials: Credentials, expect: Expect) -> Result<Self, CredentialsError> {
        let provider = credentials.provider.clone();
        let roots = credentials.authorities.clone();
        let chain = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(CredentialsError::Verifier)?;
        let check = ServerCheck {
            chain,
            moments: credentials.moments.clone(),
            trust_domain: credentials.trust_domain().to_owned(),
            expect,
        };
        let own = SingleCertAndKey::from(credentials.certified_key.clone());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .expect("ring has cipher suites of TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(check))
            .with_client_cert_resolver(Arc::new(own));
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
        config.resumption = Resumption::disabled();
        let config = Arc::new(config);
        Ok(Self {
            credentials,
            config,
        })
    }

    /// A connector over TCP.
    pub fn connector(&self) -> Connector<fn(Uri) -> Dialling> {
        self.connector_with(|uri| Ways::default().dial(uri))
    }

    /// A connector by some way to whoever is dialled.
    pub fn connector_by(&self, ways: Ways) -> Connector<impl Fn(Uri) -> Dialling + Clone + use<>> {
        self.connector_with(move |uri| ways.dial(uri))
    }

    /// A connector over what `dial` makes of an address.
    pub fn connector_with<D>(&self, dial: D) -> Connector<D> {
        let client = self.clone();
        Connector { client, dial }
    }

    async fn connect<IO>(
        self,
        uri: Uri,
        dialling: impl Future<Output = io::Result<IO>>,
    ) -> Result<TokioIo<ClientIo<IO>>, ConnectError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let own = self.credentials.check();
        own.map_err(ConnectError::OwnCertificate)?;
        let (host, port) = host_and_port(&uri)?;
        let address = format!("{host}:{port}");
        let name = ServerName::try_from(host).map_err(|_| AddressError(address.clone()))?;
        let connected = async {
            let source_of = |source| ConnectError::Dial {
                address: address.clone(),
                source,
            };
            let io = dialling.await.map_err(source_of)?;
            TlsConnector::from(self.config)
                .connect(name, io)
                .await
                .map_err(|error| ended(&address, error))
        };
        match timeout(HANDSHAKE_WITHIN, connected).await {
            Ok(connected) => connected.map(ClientIo).map(TokioIo::new),
            Err(_) => Err(ConnectError::TooLate {
                address: address.clone(),
            }),
        }
    }
}

impl<D, F, IO> Service<Uri> for Connector<D>
where
    D: Fn(Uri) -> F,
    F: Future<Output = io::Result<IO>> + Send + 'static,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Response = TokioIo<ClientIo<IO>>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<ClientIo<IO>>, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialling = (self.dial)(uri.clone());
        Box::pin(self.client.clone().connect(uri, dialling))
    }
}

fn ended(address: &str, error: io::Error) -> ConnectError {
    let address = address.to_owned();
    match CertificateRefusal::behind(&error) {
        Some(source) => ConnectError::Refused { address, source },
        None => ConnectError::Handshake {
            address,
            source: error,
        },
    }
}

/// The two parts of an address that [`uri`] made.
pub(crate) fn host_and_port(uri: &Uri) -> Result<(String, u16), AddressError> {
    let malformed = || {
        AddressError(
            uri.authority()
                .map_or_else(String::new, ToString::to_string),
        )
    };
    let host = uri.host().filter(|host| !host.is_empty());
    let host = host.ok_or_else(malformed)?;
    let port = uri.port_u16().ok_or_else(malformed)?;
    // The brackets of an IPv6 address are the URI's, not the address's.
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    Ok((host.to_owned(), port))
}
