//! Which connections to the host's own ports are open: the tables of `/proc/net/tcp` and `tcp6`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
};

/// The kernel's tables of connections.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// States of a socket in the kernel's tables (`include/net/tcp_states.h`).
const ESTABLISHED: &str = "01";
const LISTEN: &str = "0A";

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

/// All tables, one behind the other; a line that is none of a socket says nothing.
fn tables() -> io::Result<String> {
    let mut all = String::new();
    for table in TABLES {
        match fs::read_to_string(table) {
            Ok(text) => all += &text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && table != TABLES[0] => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Counts the established connections to each of some local ports in one of the kernel's tables.
pub fn count(table: &str, ports: &BTreeSet<u16>) -> BTreeMap<u16, usize> {
    let established = table.lines().filter_map(|line| port_in(line, ESTABLISHED));
    let mut counts = BTreeMap::new();
    for port in established.filter(|port| ports.contains(port)) {
        *counts.entry(port).or_default() += 1;
    }
    counts
}

/// The local ports on which something listens by the kernel's tables.
pub fn listening_in(table: &str) -> BTreeSet<u16> {
    let ports = table.lines().filter_map(|line| port_in(line, LISTEN));
    ports.collect()
}

/// The local port of a line, if its socket is in this state.
fn port_in(line: &str, wanted: &str) -> Option<u16> {
    let mut columns = line.split_whitespace().skip(1);
    let (local, _remote, state) = (columns.next()?, columns.next()?, columns.next()?);
    if state != wanted {
        return None;
    }
    let (_address, port) = local.rsplit_once(':')?;
    u16::from_str_radix(port, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert!(open_to(&ports).unwrap().is_empty());
    }
}
