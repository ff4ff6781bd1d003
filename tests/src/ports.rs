//! Ports that nobody else takes between two starts of a server.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the ports that Linux gives to connections (32768 and up), so that no connection of a test
/// ever sits on a port that a server comes back to.
const FIRST: u16 = 10_000;
const LAST: u16 = 32_000;

/// How far two test programs start apart: more ports than one of them takes.
const STRIDE: u16 = 200;

/// A port on 127.0.0.1 that is free now.
///
/// # Panics
/// When there is none.
pub fn free() -> SocketAddr {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let span = LAST - FIRST;
    let own =
        u16::try_from(std::process::id() % u32::from(span / STRIDE)).expect("it is below span");
    for _ in 0..span {
        let offset = (own * STRIDE).wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + offset % span));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port from {FIRST} to {LAST}");
}
