//! Where and how a process dials: its coordinators by a list or by their SRV record, straight or through
//! an HTTP proxy.
//!
//! ```text
//!   places of the config --Turns--> HOST:PORT --Ways--> TCP, or a tunnel --tls::Client--> mutual TLS
//!      list, SRV name                                   through a proxy
//! ```
//!
//! TLS always ends at whoever is dialled, so a proxy and a TCP load balancer see nothing but bytes, and the name
//! in the certificate is that of the list's entry or of the SRV record's target.

mod place;
mod proxy;
mod query;
mod servers;
mod settings;
mod srv;
mod turns;
mod ways;

pub use self::{
    place::{Place, PlaceError},
    proxy::{Proxy, ProxyError},
    query::LookupError,
    settings::WaysRefusal,
    turns::Turns,
    ways::Ways,
};
