//! Which connections to the host's own ports are open: the tables of `/proc/net/tcp` and `tcp6`.

use super::sockets::{self, CLOSE_WAIT, CLOSING, ESTABLISHED, LISTEN, Socket};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

/// The kernel's tables of connections.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// Counts the open connections to each of some local ports: established ones, those of which the peer alone
/// has ended its half and may wait for its answer, and those of which a part of the answer is still on its
/// way, which a reboot would cut off. A port without any is not there.
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

/// Counts the open connections to each of some local ports in one of the kernel's tables.
pub fn count(table: &str, ports: &BTreeSet<u16>) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    let open = sockets::read(table).filter(is_open);
    for port in open.map(|socket| socket.local_port) {
        if ports.contains(&port) {
            *counts.entry(port).or_default() += 1;
        }
    }
    counts
}

fn is_open(socket: &Socket<'_>) -> bool {
    match socket.state {
        ESTABLISHED | CLOSE_WAIT => true,
        state => CLOSING.contains(&state) && socket.unsent > 0,
    }
}

/// The local ports on which something listens by the kernel's tables.
pub fn listening_in(table: &str) -> BTreeSet<u16> {
    let listening = sockets::read(table).filter(|socket| socket.state == LISTEN);
    listening.map(|socket| socket.local_port).collect()
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

    /// Their lines have the form of the others: which bytes are left is in `tx_queue`.
    #[test]
    fn an_answer_that_is_on_its_way_is_an_open_connection() {
        let line = |state: &str, unsent: &str| {
            format!(
                "   1: 0100007F:1F40 0100007F:C0FE {state} {unsent}:00000000 01:00000014 00000000     0        0 9\n"
            )
        };
        for (state, unsent, is_open) in [
            ("01", "00000000", true),
            ("08", "00000000", true),
            ("04", "000A0000", true),
            ("09", "00000001", true),
            ("0B", "00000001", true),
            ("04", "00000000", false),
            ("05", "00000000", false),
            ("06", "00000000", false),
            ("09", "00000000", false),
            ("03", "00000000", false),
            ("0A", "00000080", false),
        ] {
            let found = count(&line(state, unsent), &BTreeSet::from([8000]));
            assert_eq!(!found.is_empty(), is_open, "{state} {unsent}");
        }
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
