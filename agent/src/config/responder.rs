//! The part of the config file that the health responder goes by.

use super::{ConfigError, Refusal, probe, read};
use crate::checks::probe::Probe;
use cofferdam_engine::document::Table;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// All interfaces, since load balancers are elsewhere. The port is that of node exporters, which
/// health pages are like; a host that has one says another.
const HEALTH: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 9100);

/// The port beside that of the pages.
const AGENT_CHECK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 9101);

/// What the health responder is told. It asks for no more of the file than that: a mistake in what is the
/// agent's own must not take a host out of traffic that is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponderConfig {
    /// Where the pages are served. Default port 9100 of all interfaces.
    pub health: SocketAddr,
    /// Where HAProxy's agent-check is. Default port 9101 of all interfaces.
    pub agent_check: SocketAddr,
    /// Where the state file is. Default `/run/cofferdam`.
    pub run_dir: PathBuf,
    /// How the application is asked. Empty: it is not.
    pub probes: Vec<Probe>,
}

impl ResponderConfig {
    /// Reads what the responder needs of a config file, and asks for nothing else.
    ///
    /// # Errors
    /// [`ConfigError`], with every mistake of that part at once.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        super::load_part(path, |mut top| {
            let (health, agent_check) = ports(&mut top);
            let run_dir = top.text("run_dir", read::absolute);
            Some(Self {
                health,
                agent_check,
                run_dir: run_dir.unwrap_or_else(|| super::RUN_DIR.into()),
                probes: probe::read(&mut top),
            })
        })
    }
}

/// Reads where the pages and the agent-check are.
pub(super) fn ports(top: &mut Table<'_, Refusal>) -> (SocketAddr, SocketAddr) {
    let health = top.text("health", listening).unwrap_or(HEALTH);
    let agent_check = top.text("agent_check", listening).unwrap_or(AGENT_CHECK);
    if health == agent_check {
        top.refuse("agent_check", Refusal::SamePort);
    }
    (health, agent_check)
}

fn listening(text: &str) -> Result<SocketAddr, Refusal> {
    text.parse().map_err(|_| Refusal::Address(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn load(text: &str) -> Result<ResponderConfig, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.toml");
        fs::write(&path, text).unwrap();
        ResponderConfig::load(&path)
    }

    #[test]
    fn mistakes_in_what_is_the_agents_keep_no_responder_from_its_start() {
        let text = "ramp = 7\nhealth = \"127.0.0.1:80\"\nsurprise = 1\n[drift]\nfirst_boott = \"warn\"\n\
                    [[probe]]\nname = \"web\"\ntcp = \"127.0.0.1:8080\"\n";
        let config = load(text).unwrap();
        assert_eq!(config.health, "127.0.0.1:80".parse().unwrap());
        assert_eq!((config.agent_check.port(), config.probes.len()), (9101, 1));
        assert_eq!(config.run_dir, Path::new("/run/cofferdam"));
    }

    #[test]
    fn mistakes_in_its_own_are_said() {
        for wrong in [
            "health = \"nowhere\"",
            "health = \"0.0.0.0:9101\"",
            "run_dir = \"here\"",
            "[[probe]]\nname = \"web\"\n",
        ] {
            assert!(load(wrong).is_err(), "{wrong}");
        }
    }
}
