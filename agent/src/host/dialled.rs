//! Which addresses this host has dialled: the kernel's tables of sockets, `/proc/net/tcp` and its like.

use super::sockets::{self, ESTABLISHED, LISTEN, SYN_RECEIVED, Socket};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    net::SocketAddr,
};

/// The kernel's tables, and what they are of.
const TABLES: [(&str, Protocol); 4] = [
    ("/proc/net/tcp", Protocol::Tcp),
    ("/proc/net/tcp6", Protocol::Tcp),
    ("/proc/net/udp", Protocol::Udp),
    ("/proc/net/udp6", Protocol::Udp),
];

/// What is spoken.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Connections, from the moment that they are asked for to a minute after their end.
    Tcp,
    /// Sockets with a peer, while they are open.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// Where somebody on this host has dialled to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dialled {
    /// What is spoken.
    pub protocol: Protocol,
    /// Where to.
    pub to: SocketAddr,
}

/// All that is dialled now, each with its socket's number in the kernel, by which its owner is found. 0: it
/// has none any more. The host itself is left out, and who dials in.
///
/// # Errors
/// The system's error when a table is there that cannot be read.
pub fn now() -> io::Result<BTreeMap<Dialled, u64>> {
    let mut all = BTreeMap::new();
    for (table, protocol) in TABLES {
        let text = sockets::table(table)?.unwrap_or_default();
        all.extend(read(&text, protocol));
    }
    Ok(all)
}

/// All that is dialled by one of the kernel's tables. A line that is none of a socket says nothing.
pub fn read(table: &str, protocol: Protocol) -> BTreeMap<Dialled, u64> {
    let sockets: Vec<Socket> = sockets::read(table).collect();
    let listening = sockets.iter().filter(|socket| socket.state == LISTEN);
    let listening: BTreeSet<u16> = listening.map(|socket| socket.local_port).collect();
    let dialled = sockets.iter().filter(|socket| {
        let is_dialled = match protocol {
            Protocol::Tcp => ![LISTEN, SYN_RECEIVED].contains(&socket.state),
            Protocol::Udp => socket.state == ESTABLISHED,
        };
        let goes_out = socket.peer.port() != 0 && !listening.contains(&socket.local_port);
        let peer = socket.peer.ip();
        is_dialled && goes_out && !peer.is_loopback() && !peer.is_unspecified()
    });
    dialled
        .map(|socket| {
            let to = socket.peer;
            (Dialled { protocol, to }, socket.inode)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Lines of `/proc/net/tcp` and `tcp6` of a Debian 12 host with an sshd that a person is on, which asks
    /// a repository for something, and has just left another one.
    const TCP: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3221
   1: 0A00000A:0016 0100000A:C0FE 01 00000000:00000000 00:00000000 00000000     0        0 3222
   2: 0A00000A:C0FE 6400000A:0050 02 00000000:00000000 00:00000000 00000000   100        0 3223
   3: 0A00000A:C0FA 6500000A:01BB 06 00000000:00000000 03:00000C21 00000000     0        0 0
   4: 0100007F:C0FB 0100007F:1F40 01 00000000:00000000 00:00000000 00000000     0        0 3224
";
    const TCP6: &str = "\
   0: B80D0120000000000000000001000000:D3A2 B80D0120000000000000000002000000:01BB 01 \
00000000:00000000 00:00000000 00000000     0        0 4242 1 ffff 20 4 30 10 -1
";
    const UDP: &str = "\
  610: 0A00000A:B1F2 3500000A:0035 01 00000000:00000000 00:00000000 00000000   101        0 5000 2 f 0
  611: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 5001 2 f 0
";

    fn shown(table: &str, protocol: Protocol) -> Vec<(String, u64)> {
        let all = read(table, protocol).into_iter();
        all.map(|(dialled, inode)| (dialled.to.to_string(), inode))
            .collect()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn what_goes_out_of_the_host_was_dialled_and_nothing_else() {
        let expected = [
            ("10.0.0.100:80".to_owned(), 3223),
            ("10.0.0.101:443".to_owned(), 0),
        ];
        assert_eq!(shown(TCP, Protocol::Tcp), expected);
        let expected = [("[2001:db8::2]:443".to_owned(), 4242)];
        assert_eq!(shown(TCP6, Protocol::Tcp), expected);
        let expected = [("10.0.0.53:53".to_owned(), 5000)];
        assert_eq!(shown(UDP, Protocol::Udp), expected);
    }

    #[test]
    fn garbage_is_no_socket() {
        let garbage =
            "x\n 1: nonsense z 01\n 2: A:FFFFF B:1 01\n\u{0}\n3:\n0: é:1 é:1 01 0 0 0 0 0 1";
        assert!(read(garbage, Protocol::Tcp).is_empty());
    }

    #[test]
    fn the_kernels_own_tables_can_be_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap();
        assert!(now().unwrap().keys().all(|dialled| dialled.to != own));
    }
}
