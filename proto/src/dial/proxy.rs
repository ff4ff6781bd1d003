//! A tunnel through an HTTP proxy (`CONNECT`, RFC 9110, section 9.3.6).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long the proxy may take, with its own dialling: within a handshake's time, so that it is the proxy that is
/// blamed (guess).
const TUNNEL_WITHIN: Duration = Duration::from_secs(8);

/// The longest head of an answer (guess: as servers allow for requests).
const MOST_BYTES: usize = 8 * 1024;

/// An HTTP proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Where it is, `HOST:PORT`.
    pub address: String,
    /// The file with `USER:PASSWORD`, read with each tunnel. Absent: it asks for none.
    pub credentials: Option<PathBuf>,
}

/// Why there is no tunnel.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The proxy cannot be reached.
    #[error("the proxy {proxy} cannot be reached")]
    Unreachable {
        /// The proxy.
        proxy: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It took too long.
    #[error("the proxy {proxy} made no tunnel within {secs} s", secs = TUNNEL_WITHIN.as_secs())]
    TooLate {
        /// The proxy.
        proxy: String,
    },
    /// It wants to know who asks.
    #[error(
        "the proxy {proxy} wants a user and a password that it knows: name the file with USER:PASSWORD, \
         `proxy_credentials` (it answered {status})"
    )]
    Unauthenticated {
        /// The proxy.
        proxy: String,
        /// Its answer's status line.
        status: String,
    },
    /// Its rules forbid it.
    #[error(
        "the proxy {proxy} does not allow tunnels to {to}: allow CONNECT to it there (it answered {status})"
    )]
    Forbidden {
        /// The proxy.
        proxy: String,
        /// Whereto, `HOST:PORT`.
        to: String,
        /// Its answer's status line.
        status: String,
    },
    /// It did not make one.
    #[error("the proxy {proxy} made no tunnel to {to}: it answered {status}")]
    Refused {
        /// The proxy.
        proxy: String,
        /// Whereto, `HOST:PORT`.
        to: String,
        /// Its answer's status line.
        status: String,
    },
    /// What answered is no proxy.
    #[error("{proxy} does not answer as an HTTP proxy does")]
    NoProxy {
        /// The proxy.
        proxy: String,
    },
    /// The file of its credentials cannot be used.
    #[error("cannot read the proxy's credentials in {}: one line USER:PASSWORD is expected", path.display())]
    Credentials {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Proxy {
    /// Opens a tunnel to a host, whose name the proxy looks up.
    ///
    /// # Errors
    /// [`ProxyError`].
    pub async fn tunnel(&self, host: &str, port: u16) -> Result<TcpStream, ProxyError> {
        let to = match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        let request = self.request(&to)?;
        let proxy = self.address.clone();
        match timeout(TUNNEL_WITHIN, self.exchange(&request)).await {
            Err(_) => Err(ProxyError::TooLate { proxy }),
            Ok(Err(source)) => Err(ProxyError::Unreachable { proxy, source }),
            Ok(Ok((stream, head))) => self.judge(&head, to).map(|()| stream),
        }
    }

    fn request(&self, to: &str) -> Result<String, ProxyError> {
        let authorization = match &self.credentials {
            None => String::new(),
            Some(path) => {
                let credentials = credentials(path).map_err(|source| ProxyError::Credentials {
                    path: path.clone(),
                    source,
                })?;
                let encoded = BASE64_STANDARD.encode(credentials);
                format!("Proxy-Authorization: Basic {encoded}\r\n")
            }
        };
        Ok(format!(
            "CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{authorization}\r\n"
        ))
    }

    /// Asks, and reads the head of the answer: no more, since what follows is the tunnel's.
    async fn exchange(&self, request: &str) -> io::Result<(TcpStream, Vec<u8>)> {
        let mut stream = TcpStream::connect(&self.address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        // Nobody speaks in a tunnel before the TLS client has, so this is read once a session, and small.
        while !head.ends_with(b"\r\n\r\n") && head.len() < MOST_BYTES {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
        }
        Ok((stream, head))
    }

    fn judge(&self, head: &[u8], to: String) -> Result<(), ProxyError> {
        let proxy = self.address.clone();
        let Some((code, status)) = status(head) else {
            return Err(ProxyError::NoProxy { proxy });
        };
        match code {
            200..=299 if head.ends_with(b"\r\n\r\n") => Ok(()),
            407 => Err(ProxyError::Unauthenticated { proxy, status }),
            403 => Err(ProxyError::Forbidden { proxy, to, status }),
            _ => Err(ProxyError::Refused { proxy, to, status }),
        }
    }
}

/// The one line of the file.
fn credentials(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    let line = text.trim_end_matches(['\r', '\n']);
    let is_one = line.contains(':') && !line.contains(char::is_control);
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "there is something else in it");
    is_one.then(|| line.to_owned()).ok_or_else(malformed)
}

/// The code of an answer, and its code and reason in words that a log can have.
fn status(head: &[u8]) -> Option<(u16, String)> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let (_, status) = line.strip_prefix("HTTP/1.")?.split_once(' ')?;
    let code = status.split_whitespace().next()?.parse().ok()?;
    let is_plain = |c: &char| !c.is_control();
    Some((
        code,
        status.trim().chars().filter(is_plain).take(100).collect(),
    ))
}
