//! What a fleet is made of on disk: certificates, configs, and the commands that start programs.
//!
//! ```text
//! FOLDER/pki/                       the authority and all certificates
//!        coordinator.toml .log      config and output; store and artefacts in coordinator/
//!        hosts/NAME.toml .log       an agent's config and output
//!        hosts/NAME/root            the tree that it works on
//!        hosts/NAME/{state,run}     its journal; its flag
//! ```

use crate::{
    folder::Folder,
    machine::Machine,
    pki::{Authority, Credentials, TRUST_DOMAIN},
    ports,
    process::binary,
};
use cofferdam_engine::{
    id::{HostId, OperatorId, Region},
    identity::Identity,
};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

/// How often coordinator and agents give a sign of life in tests: a lost peer is noticed after 3 s.
const HEARTBEAT: &str = "1s";

/// No load balancer looks, so nobody is waited for ...
const DRAIN: &str = "[drain]\nat_least = \"0s\"\n";

/// ... and all traffic comes back at once, in whose config this stands.
pub const NO_RAMP: &str = "ramp = \"0s\"\n";

/// A fleet on disk.
pub struct Site {
    folder: Folder,
    /// Who issues certificates.
    pub authority: Authority,
    /// Where agents and operators dial.
    pub listen: SocketAddr,
    /// Where metrics are.
    pub http: SocketAddr,
    /// Where a health responder answers, when one is started.
    pub health_address: SocketAddr,
    /// Where it answers HAProxy's agent-check.
    pub agent_check: SocketAddr,
}

impl Site {
    /// Makes the authority and the coordinator's config.
    ///
    /// # Panics
    /// When something cannot be written.
    pub fn new() -> Self {
        let folder = Folder::new();
        let site = Self {
            authority: Authority::new(&folder.join("pki")),
            folder,
            listen: ports::free(),
            http: ports::free(),
            health_address: ports::free(),
            agent_check: ports::free(),
        };
        fs::create_dir_all(site.folder.join("hosts")).expect("a folder for hosts");
        let region = Region::new("r1").expect("a good name");
        let own = site.authority.issue(&Identity::Coordinator(region));
        fs::write(site.coordinator_config(), site.coordinator_text(&own)).expect("a config");
        site
    }

    /// The folder of all.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The coordinator's config.
    pub fn coordinator_config(&self) -> PathBuf {
        self.folder.join("coordinator.toml")
    }

    /// Where the coordinator keeps its store and artefacts.
    pub fn coordinator_data(&self) -> PathBuf {
        self.folder.join("coordinator")
    }

    /// What the coordinator printed.
    pub fn coordinator_log(&self) -> PathBuf {
        self.folder.join("coordinator.log")
    }

    /// An agent's config.
    pub fn agent_config(&self, host: &HostId) -> PathBuf {
        self.folder.join(format!("hosts/{host}.toml"))
    }

    /// What an agent printed.
    pub fn agent_log(&self, host: &HostId) -> PathBuf {
        self.folder.join(format!("hosts/{host}.log"))
    }

    /// A folder of an agent: `root`, `state` or `run`.
    pub fn agent_folder(&self, host: &HostId, name: &str) -> PathBuf {
        self.folder.join(format!("hosts/{host}/{name}"))
    }

    /// An agent's journal.
    pub fn journal(&self, host: &HostId) -> PathBuf {
        self.agent_folder(host, "state").join("journal")
    }

    /// Gives a host its certificate and its agent's config.
    ///
    /// # Panics
    /// When something cannot be written.
    pub fn enrol(&self, machine: &Machine) {
        let own = self.authority.issue(&Identity::Agent(machine.host.clone()));
        self.enrol_with(machine, &own);
    }

    /// Writes the config of a host whose agent shows these credentials.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn enrol_with(&self, machine: &Machine, credentials: &Credentials) {
        let text = self.agent_text(machine, credentials);
        fs::write(self.agent_config(&machine.host), text).expect("a config");
    }

    /// The credentials of an operator.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn operator(&self) -> Credentials {
        let name = OperatorId::new("ana").expect("a good name");
        self.authority.issue(&Identity::Operator(name))
    }

    /// Adds to the coordinator's config, before it is started.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn configure_coordinator(&self, more: &str) {
        let path = self.coordinator_config();
        let text = fs::read_to_string(&path).expect("it was written");
        fs::write(path, text + more).expect("a config");
    }

    /// The command that starts the coordinator.
    pub fn coordinator(&self) -> Command {
        self.told("cofferdam-coordinator", "run", &self.coordinator_config())
    }

    /// The command that starts an agent.
    pub fn agent(&self, host: &HostId) -> Command {
        let mut command = self.told("cofferdam-agent", "run", &self.agent_config(host));
        command.arg("--root").arg(self.agent_folder(host, "root"));
        command
    }

    /// The operator's command with its connection in the environment; arguments are to follow.
    pub fn command(&self) -> Command {
        let own = self.operator();
        let mut command = self.program("cofferdam");
        command
            .env("COFFERDAM_ENDPOINT", format!("https://{}", self.listen))
            .env("COFFERDAM_CERT", own.cert)
            .env("COFFERDAM_KEY", own.key)
            .env("COFFERDAM_CA", own.ca);
        command
    }

    /// The command that starts a host's health responder.
    pub fn health(&self, host: &HostId) -> Command {
        let mut command = self.program("cofferdam-health");
        command.arg("--config").arg(self.agent_config(host));
        command
    }

    /// A program of ours told to do something with a config.
    pub fn told(&self, name: &str, subcommand: &str, config: &Path) -> Command {
        let mut command = self.program(name);
        command.args([subcommand, "--config"]).arg(config);
        command
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(binary(name));
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            .env("HOME", self.path())
            .current_dir(self.path());
        command
    }

    fn coordinator_text(&self, own: &Credentials) -> String {
        format!(
            "listen = \"{}\"\nhttp = \"{}\"\nheartbeat = \"{HEARTBEAT}\"\ndata_dir = \"{}\"\n{}",
            self.listen,
            self.http,
            self.coordinator_data().display(),
            trust(own)
        )
    }

    fn agent_text(&self, machine: &Machine, own: &Credentials) -> String {
        let folder = |name| self.agent_folder(&machine.host, name);
        format!(
            "coordinators = [\"{}\"]\nhealth = \"{}\"\nagent_check = \"{}\"\nstate_dir = \"{}\"\nrun_dir = \"{}\"\nchecks_dir = \"{}\"\n{NO_RAMP}{}\n{}\n{DRAIN}",
            self.listen,
            self.health_address,
            self.agent_check,
            folder("state").display(),
            folder("run").display(),
            folder("root").join("etc/cofferdam/checks.d").display(),
            trust(own),
            machine.labels(),
        )
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

fn trust(own: &Credentials) -> String {
    format!(
        "trust_domain = \"{TRUST_DOMAIN}\"\ncert = \"{}\"\nkey = \"{}\"\nca = \"{}\"\n",
        own.cert.display(),
        own.key.display(),
        own.ca.display()
    )
}
