//! Which DNS servers are asked.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// Where the system says which servers to ask.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The port of DNS.
const PORT: u16 = 53;

/// The most servers that count, as for the system's own resolver (resolv.conf(5), MAXNS).
const MOST: usize = 3;

/// The system's servers as they are now: they change with a machine's network. Without any, the one of the
/// machine itself, as resolv.conf(5) has it.
pub(super) fn of_system() -> Vec<SocketAddr> {
    listed(&fs::read_to_string(RESOLV_CONF).unwrap_or_default())
}

fn listed(text: &str) -> Vec<SocketAddr> {
    let server = |line: &str| {
        let mut words = line.split_whitespace();
        let address = (words.next() == Some("nameserver")).then(|| words.next())??;
        // A link-local address with its interface is not an IpAddr, and is passed over.
        Some(SocketAddr::new(address.parse::<IpAddr>().ok()?, PORT))
    };
    let mut servers: Vec<SocketAddr> = text.lines().filter_map(server).take(MOST).collect();
    if servers.is_empty() {
        servers.push((Ipv4Addr::LOCALHOST, PORT).into());
    }
    servers
}

#[cfg(test)]
mod tests {
    #[test]
    fn three_servers_of_the_system_are_asked_or_the_machine_itself() {
        let text = "# nameserver 9.9.9.9\nsearch example.org\nnameserver fe80::1%eth0\n\
                    nameserver 10.0.0.2 \nnameserver ::1\nnameserver\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n";
        let listed = |text| -> Vec<String> {
            let servers = super::listed(text).into_iter();
            servers.map(|server| server.to_string()).collect()
        };
        assert_eq!(listed(text), ["10.0.0.2:53", "[::1]:53", "10.0.0.3:53"]);
        assert_eq!(listed("options edns0\n"), ["127.0.0.1:53"]);
    }
}
