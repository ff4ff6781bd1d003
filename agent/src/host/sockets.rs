//! The kernel's tables of sockets: `/proc/net/tcp` and its like.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// States of a socket in the kernel's tables (`include/net/tcp_states.h`). A UDP socket that has a peer is
/// established.
pub const ESTABLISHED: &str = "01";
/// Somebody may dial in.
pub const LISTEN: &str = "0A";
/// The peer has ended its half, and may still read what comes.
pub const CLOSE_WAIT: &str = "08";
/// This host has ended its half; what it sent before may still be on its way.
pub const CLOSING: [&str; 3] = ["04", "09", "0B"];
/// A peer asks to come in.
pub const SYN_RECEIVED: &str = "03";

/// A line of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket<'a> {
    /// Its port on this host.
    pub local_port: u16,
    /// Who is at its other end. Nobody: an address of zeros.
    pub peer: SocketAddr,
    /// Its state, as in [`ESTABLISHED`].
    pub state: &'a str,
    /// How many bytes the peer has not acknowledged.
    pub unsent: u64,
    /// Its number in the kernel, by which its owner is found. 0: it has none any more.
    pub inode: u64,
}

/// The sockets of a table. A line that is none of a socket says nothing.
pub fn read(table: &str) -> impl Iterator<Item = Socket<'_>> {
    table.lines().filter_map(Socket::read)
}

/// A table, by its path. Absent: the kernel has none, as of IPv6 on a host without it.
///
/// # Errors
/// The system's error when it is there and cannot be read.
pub fn table(path: &str) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl<'a> Socket<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut columns = line.split_whitespace().skip(1);
        let (local, peer, state) = (columns.next()?, columns.next()?, columns.next()?);
        let (unsent, _) = columns.next()?.split_once(':')?;
        Some(Self {
            local_port: address(local)?.port(),
            peer: address(peer)?,
            state,
            unsent: u64::from_str_radix(unsent, 16).ok()?,
            inode: columns.nth(4)?.parse().ok()?,
        })
    }
}

/// An address as the kernel prints it: words of four bytes as this machine keeps them, and a port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |text: &str| Some(u32::from_str_radix(text, 16).ok()?.to_ne_bytes());
    let ip: IpAddr = match ip.len() {
        8 => Ipv4Addr::from(word(ip)?).into(),
        32 => {
            let mut bytes = [0; 16];
            for (place, bytes) in bytes.chunks_exact_mut(4).enumerate() {
                bytes.copy_from_slice(&word(ip.get(8 * place..8 * place + 8)?)?);
            }
            Ipv6Addr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}
