//! Mutual TLS over real loopback sockets: who is accepted, who is refused, and with which words; whom DNS names,
//! and what lies between.
#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod accepted;
mod credentials;
mod dns;
mod moments;
mod named;
mod pki;
mod proxy;
mod refused_client;
mod refused_server;
mod seal;
mod service;
mod tunnelled;
