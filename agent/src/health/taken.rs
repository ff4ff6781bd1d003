//! Ports of the responder that somebody else has. It would not start, and load balancers would find nobody; so who
//! writes the config file hears of it first.

use super::listening;
use crate::{
    config::Settings,
    host::{
        connections, owner,
        process_table::{self, Entry},
    },
};
use std::{fmt, io::ErrorKind, net::SocketAddr};

/// The responder's program, as the kernel shows its name.
const RESPONDER: &str = "cofferdam-healt";

/// A port that somebody else has.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    /// The key that names it in the config file.
    key: &'static str,
    address: SocketAddr,
    /// Who. Absent: it cannot be seen from here.
    by: Option<String>,
}

/// Warns on the standard error of ports that somebody else has.
pub fn warn(settings: &Settings) {
    let ports = [
        ("health", settings.health),
        ("agent_check", settings.agent_check),
    ];
    for (key, address) in ports {
        if let Some(taken) = Taken::find(key, address) {
            eprintln!("cofferdam-agent: {taken}");
        }
    }
}

impl Taken {
    /// Absent: it is free, or the responder has it, or systemd, which keeps it for one that is started again.
    fn find(key: &'static str, address: SocketAddr) -> Option<Self> {
        let refused = listening::bind(address).err()?;
        if refused.kind() != ErrorKind::AddrInUse {
            return None;
        }
        // What cannot be read names nobody.
        let sockets = connections::listening_on(address.port()).unwrap_or_default();
        let owners = owner::owners(&sockets);
        let is_ours = |owner: &Entry| owner.name == RESPONDER || owner.pid == 1;
        let is_kept = match owners.is_empty() {
            false => owners.values().any(is_ours),
            // Only root sees what others have open.
            true => process_table::all()
                .unwrap_or_default()
                .iter()
                .any(|process| process.name == RESPONDER),
        };
        if is_kept {
            return None;
        }
        let by = owners.values().next().map(owner::description);
        Some(Self { key, address, by })
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, address, by } = self;
        let by = by.as_deref();
        let by = by.unwrap_or("somebody whom only root may be able to see");
        write!(
            f,
            "warning: {address} (`{key}`) is taken by {by}: cofferdam-health cannot listen there; stop that, or \
             give `{key}` another port"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_port_that_somebody_has_is_told_with_who_and_a_free_one_is_not() {
        let others = TcpListener::bind("0.0.0.0:0").unwrap();
        let address = others.local_addr().unwrap();
        let everywhere = Taken::find("health", address).unwrap();
        let told = everywhere.to_string();
        let begins = format!("warning: {address} (`health`) is taken by ");
        assert!(told.starts_with(&begins), "{told}");
        let program = std::env::args().next().unwrap();
        let by = everywhere.by.unwrap();
        assert!(program.starts_with(&by) || by.starts_with(&program), "{by}");
        let here = SocketAddr::new([127, 0, 0, 1].into(), address.port());
        assert!(Taken::find("agent_check", here).is_some());
        drop(others);
        assert_eq!(Taken::find("health", address), None);
        // The responder may take an address that the host gets later.
        let later = "192.0.2.1:9100".parse().unwrap();
        assert_eq!(Taken::find("health", later), None);
    }
}
