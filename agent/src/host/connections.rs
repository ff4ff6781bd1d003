//! Which connections to the host's own ports are open: the tables of `/proc/net/tcp` and `tcp6`.

use super::sockets::{self, ESTABLISHED, LISTEN};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

/// The kernel's tables of connections.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// Counts the established connections to each of some local ports. A port without any is not there.
///
/// # Errors
/// The system's error when the kernel's table of IPv4 connections cannot be read; a host without
/// IPv6 has no other.
pub fn open_to(ports: &BTreeSet<u16>) -> io::Result<BTreeMap<u16, usize>> {
    Ok(count(&tables()?, ports))
}

/// The local ports on which something listens.
///
/// # Errors
/// As of [`open_to`].
pub fn listening() -> io::Result<BTreeSet<u16>> {
    Ok(listening_in(&tables()?))
}

/// The sockets that listen on a local port, by their numbers in the kernel.
///
/// # Errors
/// As of [`open_to`].
pub fn listening_on(port: u16) -> io::Result<BTreeSet<u64>> {
    let tables = tables()?;
    let sockets = sockets::read(&tables).filter(|socket| socket.state == LISTEN);
    let there = sockets.filter(|socket| socket.local_port == port);
    Ok(there.map(|socket| socket.inode).collect())
}

/// All tables, one behind the other; a line that is none of a socket says nothing.
fn tables() -> io::Result<String> {
    let mut all = String::new();
    for table in TABLES {
        match sockets::table(table)? {
            Some(text) => all += &text,
            None if table == TABLES[0] => return Err(io::ErrorKind::NotFound.into()),
            None => {}
        }
    }
    Ok(all)
}

/// Counts the established connections to each of some local ports in one of the kernel's tables.
pub fn count(table: &str, ports: &BTreeSet<u16>) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for port in ports_in(table, ESTABLISHED).filter(|port| ports.contains(port)) {
        *counts.entry(port).or_default() += 1;
    }
    counts
}

/// The local ports on which something listens by the kernel's tables.
pub fn listening_in(table: &str) -> BTreeSet<u16> {
    ports_in(table, LISTEN).collect()
}

/// The local ports of the sockets in this state.
fn ports_in<'a>(table: &'a str, wanted: &'a str) -> impl Iterator<Item = u16> + use<'a> {
    let sockets = sockets::read(table).filter(move |socket| socket.state == wanted);
    sockets.map(|socket| socket.local_port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patience::eventually;
    use std::net::{TcpListener, TcpStream};

    /// `head -4 /proc/net/tcp` on Debian 12 while a client was connected to port 8000 (1F40), with
    /// a listener there and a closed connection in TIME_WAIT.
    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3221
   1: 0100007F:1F40 0100007F:C0FE 01 00000000:00000000 00:00000000 00000000     0        0 3222
   2: 0100007F:C0FE 0100007F:1F40 01 00000000:00000000 00:00000000 00000000     0        0 3223
   3: 0100007F:1F40 0100007F:C0FA 06 00000000:00000000 03:00000C21 00000000     0        0 0
";

    #[test]
    fn only_established_connections_to_the_ports_count() {
        let both = BTreeSet::from([80, 8000]);
        assert_eq!(count(TABLE, &both), BTreeMap::from([(8000, 1)]));
        assert_eq!(count(TABLE, &BTreeSet::new()), BTreeMap::new());
        assert_eq!(listening_in(TABLE), BTreeSet::from([8000]));
    }

    #[test]
    fn garbage_is_no_connection() {
        let garbage = "x\n 1: nonsense z 01\n 2: A:FFFFF B:1 01\n\u{0}\n3:\n";
        assert!(count(garbage, &(0..=u16::MAX).collect()).is_empty());
        assert!(listening_in(&garbage.replace("01", "0A")).is_empty());
    }

    #[test]
    fn a_real_connection_is_seen_until_it_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ports = BTreeSet::from([port]);
        assert!(open_to(&ports).unwrap().is_empty());
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = listener.accept().unwrap();
        assert_eq!(open_to(&ports).unwrap(), BTreeMap::from([(port, 1)]));
        drop((client, server));
        // Programs that other tests start have it open until they have become those programs.
        eventually("the connection to be closed", || {
            open_to(&ports).unwrap().is_empty()
        });
        assert!(open_to(&ports).unwrap().is_empty());
    }
}
