//! The responder's two ports, which outlive it.
//!
//! It gives its listening sockets to systemd to keep (`FDSTORE=1` of `sd_notify`), and takes them back
//! when it is started again: meanwhile the kernel queues who connects, so nobody is refused. The ports
//! stay those of the config, which a socket unit would have to repeat. A socket that the config no
//! longer names is closed. Without systemd all of this is left out.

use crate::host::manager::Manager;
use listenfd::ListenFd;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::fd::AsRawFd as _,
};

/// How many connections the kernel queues while the responder is busy or started again. What systemd
/// and std use is 4096 and 128; a second's worth of many load balancers is between (guess).
const BACKLOG: i32 = 512;

/// The names of the kept sockets.
const HEALTH: &str = "health";
const AGENT_CHECK: &str = "agent-check";

/// A port is not to be had.
#[derive(Debug, thiserror::Error)]
#[error("the health responder could not listen on {address}")]
pub struct OpenError {
    address: SocketAddr,
    #[source]
    source: io::Error,
}

/// The two ports.
#[derive(Debug)]
pub struct Listeners {
    /// Where the pages are.
    pub health: TcpListener,
    /// Where HAProxy's agent-check asks.
    pub agent_check: TcpListener,
}

impl Listeners {
    /// Takes back the ports that systemd kept, and opens those that it did not.
    ///
    /// # Errors
    /// [`OpenError`] when somebody else has one.
    pub fn open(health: SocketAddr, agent_check: SocketAddr) -> Result<Self, OpenError> {
        let mut kept = kept();
        let mut open = |address: SocketAddr| {
            let found = kept.iter().position(|listener| is_at(listener, address));
            let listener = match found {
                Some(index) => Ok(kept.swap_remove(index)),
                None => listen(address),
            };
            let ready = listener.and_then(|listener| {
                listener.set_nonblocking(true)?;
                Ok(listener)
            });
            ready.map_err(|source| OpenError { address, source })
        };
        Ok(Self {
            health: open(health)?,
            agent_check: open(agent_check)?,
        })
    }

    /// Gives the sockets to systemd to keep, in place of those that it has, and says that they are served.
    /// That it cannot be told ends nothing: the next restart has a gap then.
    pub fn hand_over(&self) {
        if let Err(error) = self.tell() {
            eprintln!("cofferdam-health: systemd does not keep the sockets: {error}");
        }
    }

    fn tell(&self) -> io::Result<()> {
        let Some(manager) = Manager::of_this_process()? else {
            return Ok(());
        };
        for (name, listener) in [(HEALTH, &self.health), (AGENT_CHECK, &self.agent_check)] {
            manager.say(&format!("FDSTOREREMOVE=1\nFDNAME={name}"), &[])?;
            manager.say(
                &format!("FDSTORE=1\nFDNAME={name}"),
                &[listener.as_raw_fd()],
            )?;
        }
        manager.say("READY=1", &[])
    }
}

/// The sockets that systemd kept. It kept nothing: none. What is no listening socket is passed over.
fn kept() -> Vec<TcpListener> {
    let mut passed = ListenFd::from_env();
    let taken = (0..passed.len()).map(|index| passed.take_tcp_listener(index));
    taken.filter_map(|taken| taken.ok().flatten()).collect()
}

fn is_at(listener: &TcpListener, address: SocketAddr) -> bool {
    listener.local_addr().is_ok_and(|local| local == address)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = bind(address)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Takes an address, which the host may get only later: at boot there is no network yet.
pub(super) fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    match address {
        SocketAddr::V4(_) => socket.set_freebind_v4(true)?,
        SocketAddr::V6(_) => socket.set_freebind_v6(true)?,
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_the_host_has_not_yet_can_be_listened_on() {
        // TEST-NET-1 (RFC 5737) is nobody's.
        let address = "192.0.2.1:0".parse().unwrap();
        assert_eq!(
            listen(address).unwrap().local_addr().unwrap().ip(),
            address.ip()
        );
    }

    #[test]
    fn a_port_that_somebody_has_is_named() {
        let other = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let taken = other.local_addr().unwrap();
        let error = Listeners::open(taken, taken).unwrap_err();
        let said = error.to_string();
        assert!(said.ends_with(&format!("listen on {taken}")), "{said}");
    }
}
