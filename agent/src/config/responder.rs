//! The part of the config file that the health responder goes by.
//!
//! It keeps a copy of the last file that was of use: with one that is of none it goes on by that copy, on
//! the ports that load balancers ask at.

use super::{ConfigError, Refusal, probe, read};
use crate::{
    checks::probe::Probe,
    host::durable::{self, FileError},
};
use cofferdam_engine::document::Table;
use cofferdam_proto::error_chain;
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
    /// What all of this was read from.
    pub basis: Basis,
}

/// What a responder's config was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// The config file.
    File,
    /// The copy of the last one that was of use. With why the file is of none, in one line.
    Copy(String),
    /// Neither, so nobody knows how the application is asked. With why, in one line.
    Nothing(String),
}

impl ResponderConfig {
    /// What is to be gone by, whatever became of the file. `copy` is where the last file of use is kept;
    /// absent: nowhere.
    pub fn find(path: &Path, copy: Option<&Path>) -> Self {
        let error = match Self::load(path) {
            Ok((config, text)) => {
                if let Some(Err(error)) = copy.map(|copy| keep(copy, &text)) {
                    let why = error_chain(&error);
                    eprintln!("cofferdam-health: the config file is not kept: {why}");
                }
                return config;
            }
            Err(error) => error,
        };
        let mistakes = error_chain(&error);
        let mistakes: Vec<&str> = mistakes.lines().map(str::trim).collect();
        let why = format!("the config file is of no use: {}", mistakes.join("; "));
        match copy.and_then(|copy| Self::load(copy).ok()) {
            Some((config, _)) => Self {
                basis: Basis::Copy(why),
                ..config
            },
            None => Self::bare(path, Basis::Nothing(why)),
        }
    }

    /// Reads what the responder needs of a config file, and asks for nothing else. The file's text with it.
    fn load(path: &Path) -> Result<(Self, String), ConfigError> {
        let text = super::text(path)?;
        let config = super::read_part(path, &text, |mut top| {
            let (health, agent_check) = ports(&mut top);
            let run_dir = top.text("run_dir", read::absolute);
            Some(Self {
                health,
                agent_check,
                run_dir: run_dir.unwrap_or_else(|| super::RUN_DIR.into()),
                probes: probe::read(&mut top),
                basis: Basis::File,
            })
        })?;
        Ok((config, text))
    }

    /// What a file that is of no use says of ports, as far as it can be told.
    fn bare(path: &Path, basis: Basis) -> Self {
        let said = super::load_part(path, |mut top| Some(ports(&mut top)));
        let (health, agent_check) = said.unwrap_or((HEALTH, AGENT_CHECK));
        Self {
            health,
            agent_check,
            run_dir: super::RUN_DIR.into(),
            probes: Vec::new(),
            basis,
        }
    }
}

/// Keeps a file's text. One that is kept already is not written again.
fn keep(copy: &Path, text: &str) -> Result<(), FileError> {
    // One that cannot be read is written anew.
    let kept = durable::read(copy).ok().flatten();
    match kept.is_some_and(|kept| kept == text.as_bytes()) {
        true => Ok(()),
        false => durable::write(copy, text.as_bytes()),
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

    /// A folder with a config file, and what is made of it.
    struct Bench(tempfile::TempDir);

    impl Bench {
        fn new(text: &str) -> Self {
            let bench = Self(tempfile::tempdir().unwrap());
            bench.write(text);
            bench
        }

        fn write(&self, text: &str) {
            fs::write(self.0.path().join("agent.toml"), text).unwrap();
        }

        fn found(&self) -> ResponderConfig {
            let copy = self.0.path().join("copy");
            ResponderConfig::find(&self.0.path().join("agent.toml"), Some(&copy))
        }
    }

    const WELL: &str = "ramp = 7\nhealth = \"127.0.0.1:80\"\nsurprise = 1\n[drift]\nfirst_boott = 1\n\
                        [[probe]]\nname = \"web\"\ntcp = \"127.0.0.1:8080\"\n";

    #[test]
    fn mistakes_in_what_is_the_agents_change_nothing() {
        let config = Bench::new(WELL).found();
        assert_eq!(config.basis, Basis::File);
        assert_eq!(config.health, "127.0.0.1:80".parse().unwrap());
        assert_eq!((config.agent_check.port(), config.probes.len()), (9101, 1));
        assert_eq!(config.run_dir, Path::new("/run/cofferdam"));
    }

    #[test]
    fn a_file_that_is_of_no_use_is_said_and_what_it_can_say_of_ports_holds() {
        for (wrong, why, port) in [
            ("[[", "agent.toml:1:", 9100),
            ("health = \"nowhere\"", "nowhere", 9100),
            ("health = \"0.0.0.0:9101\"", "agent_check", 9100),
            ("health = \"0.0.0.0:80\"\nrun_dir = \"here\"", "run_dir", 80),
            (
                "health = \"0.0.0.0:80\"\n[[probe]]\nname = \"web\"\n",
                "probe",
                80,
            ),
        ] {
            let config = Bench::new(wrong).found();
            let Basis::Nothing(said) = &config.basis else {
                panic!("{wrong}: {config:?}");
            };
            assert!(said.starts_with("the config file is of no use: "), "{said}");
            assert!(
                said.contains(why) && !said.contains('\n'),
                "{wrong}: {said}"
            );
            assert_eq!(config.health.port(), port, "{wrong}");
        }
    }

    #[test]
    fn the_last_file_that_was_of_use_holds_while_one_is_of_none() {
        let bench = Bench::new(WELL);
        let well = bench.found();
        for wrong in [Some("[["), None] {
            match wrong {
                Some(text) => bench.write(text),
                None => fs::remove_file(bench.0.path().join("agent.toml")).unwrap(),
            }
            let config = bench.found();
            assert!(matches!(&config.basis, Basis::Copy(_)), "{config:?}");
            let basis = Basis::File;
            assert_eq!(ResponderConfig { basis, ..config }, well);
        }
        // Who mends it is heeded.
        bench.write("health = \"127.0.0.1:81\"");
        assert_eq!(bench.found().health.port(), 81);
        bench.write("[[");
        assert_eq!(bench.found().health.port(), 81);
    }
}
