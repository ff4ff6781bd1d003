//! The keys of a config file that say whom to dial and how: the same for agents and regions.

use super::{Place, PlaceError, Proxy, Ways};
use crate::tls;
use cofferdam_engine::document::Table;
use std::{net::SocketAddr, path::PathBuf};

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaysRefusal {
    /// It is empty.
    #[error("it must not be empty")]
    Empty,
    /// It is no place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// It is no proxy.
    #[error(
        "`{0}` is not an HTTP proxy, as in \"http://proxy.example.org:3128\": plain HTTP, with its port, and without \
         a user, for whom `proxy_credentials` is"
    )]
    Proxy(String),
    /// There is no proxy that they would be for.
    #[error("there is no `proxy` that it would be for")]
    NoProxy,
    /// It is no absolute path.
    #[error("`{0}` is not an absolute path")]
    Relative(String),
    /// It is no server.
    #[error("`{0}` is not a DNS server, its address and port, as in \"127.0.0.1:8600\"")]
    Dns(String),
}

impl Place {
    /// Reads the entries of a list. Nothing where the key is missing.
    pub fn read<R: From<WaysRefusal>>(
        top: &mut Table<'_, R>,
        key: &'static str,
    ) -> Option<Vec<Self>> {
        let texts = top.texts(key)?;
        if texts.is_empty() {
            top.refuse(key, WaysRefusal::Empty);
        }
        let mut places = Vec::new();
        for text in texts {
            match Self::parse(&text) {
                Ok(place) => places.push(place),
                Err(malformed) => top.refuse(key, WaysRefusal::from(malformed)),
            }
        }
        Some(places)
    }
}

impl Ways {
    /// Reads `proxy`, `proxy_credentials` and `dns_servers`.
    pub fn read<R: From<WaysRefusal>>(top: &mut Table<'_, R>) -> Self {
        let address = top.text("proxy", proxy);
        let credentials = top.text("proxy_credentials", absolute);
        if credentials.is_some() && !top.has("proxy") {
            top.refuse("proxy_credentials", WaysRefusal::NoProxy);
        }
        let mut dns = Vec::new();
        for text in top.texts("dns_servers").unwrap_or_default() {
            match text.parse::<SocketAddr>() {
                Ok(server) => dns.push(server),
                Err(_) => top.refuse("dns_servers", WaysRefusal::Dns(text)),
            }
        }
        let proxy = address.map(|address| Proxy {
            address,
            credentials,
        });
        Self { proxy, dns }
    }
}

fn proxy(text: &str) -> Result<String, WaysRefusal> {
    let malformed = || WaysRefusal::Proxy(text.to_owned());
    let address = text.strip_prefix("http://").ok_or_else(malformed)?;
    let address = address.strip_suffix('/').unwrap_or(address);
    tls::uri(address).map_err(|_| malformed())?;
    Ok(address.to_owned())
}

fn absolute(text: &str) -> Result<PathBuf, WaysRefusal> {
    let path = PathBuf::from(text);
    match path.is_absolute() {
        true => Ok(path),
        false => Err(WaysRefusal::Relative(text.to_owned())),
    }
}
