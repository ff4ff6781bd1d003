//! By which way a process reaches those that it dials.

use super::{proxy::Proxy, servers};
use crate::tls::{Dialling, host_and_port};
use http::Uri;
use std::{io, net::SocketAddr};
use tokio::net::TcpStream;

/// By which way a process reaches those that it dials. By default straight, with the system's DNS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ways {
    /// The proxy that everything goes through. Absent: none. No environment variable sets one.
    pub proxy: Option<Proxy>,
    /// The servers that are asked for SRV records. Empty: those of `/etc/resolv.conf`.
    pub dns: Vec<SocketAddr>,
}

impl Ways {
    /// The servers to ask now.
    pub(super) fn dns_servers(&self) -> Vec<SocketAddr> {
        match self.dns.is_empty() {
            true => servers::of_system(),
            false => self.dns.clone(),
        }
    }

    /// Dials an address, for a connector over TLS.
    pub fn dial(&self, uri: Uri) -> Dialling {
        let proxy = self.proxy.clone();
        Box::pin(async move {
            let (host, port) = host_and_port(&uri).map_err(io::Error::other)?;
            let stream = match proxy {
                None => TcpStream::connect((host, port)).await?,
                Some(proxy) => proxy.tunnel(&host, port).await.map_err(io::Error::other)?,
            };
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }
}
