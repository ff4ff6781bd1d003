//! What a fleet is made of on disk: certificates, configs, and the commands that start programs.
//!
//! ```text
//! FOLDER/pki/                       the authority and all certificates
//!        coordinator.toml .log      config and output; store and artefacts in coordinator/
//!        control.toml .log          the same of a control plane apart, in control/
//!        hosts/NAME.toml .log       an agent's config and output
//!        hosts/NAME/root            the tree that it works on
//!        hosts/NAME/{state,run}     its journal; its flag
//! ```

use crate::{
    faked_clock,
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
    /// Where agents dial.
    pub listen: SocketAddr,
    /// Where operators dial.
    pub operators: SocketAddr,
    /// Where metrics are.
    pub http: SocketAddr,
    /// Where a health responder answers, when one is started.
    pub health_address: SocketAddr,
    /// Where it answers HAProxy's agent-check.
    pub agent_check: SocketAddr,
    /// The library by which the wall clock of each process is a file's. Absent: they are the machine's.
    faked: Option<PathBuf>,
}

impl Site {
    /// Makes the authority and the coordinator's config.
    ///
    /// # Panics
    /// When something cannot be written.
    pub fn new() -> Self {
        let folder = Folder::new();
        let listen = ports::free();
        let site = Self {
            authority: Authority::new(&folder.join("pki")),
            folder,
            listen,
            operators: listen,
            http: ports::free(),
            health_address: ports::free(),
            agent_check: ports::free(),
            faked: None,
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

    /// Takes the control plane apart from the coordinator, which is its region then.
    ///
    /// # Panics
    /// When a config cannot be written.
    pub fn take_apart(&mut self) {
        self.operators = ports::free();
        let own = self.authority.issue(&Identity::Control);
        let text = format!(
            "listen = \"{}\"\nhttp = \"{}\"\nrole = \"control\"\nheartbeat = \"{HEARTBEAT}\"\ndata_dir = \"{}\"\n{}",
            self.operators,
            ports::free(),
            self.folder.join("control").display(),
            trust(&own)
        );
        fs::write(self.control_config(), text).expect("a config");
        let control = self.operators;
        self.configure_coordinator(&format!(
            "role = \"region\"\nregion = \"r1\"\ncontrol = [\"{control}\"]\n"
        ));
    }

    /// Gives every process that is started from now on a wall clock of its own: see [`Site::set_clock`].
    pub fn fake_clocks(&mut self, library: PathBuf) {
        self.faked = Some(library);
    }

    /// Sets the wall clock of the process with a config, now and whenever it is started.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn set_clock(&self, config: &Path, to: &str) {
        faked_clock::set(&config.with_extension("clock"), to);
    }

    /// The command that starts the control plane apart.
    pub fn control(&self) -> Command {
        self.told("cofferdam-coordinator", "run", &self.control_config())
    }

    /// The config of the control plane apart.
    pub fn control_config(&self) -> PathBuf {
        self.folder.join("control.toml")
    }

    /// What it printed.
    pub fn control_log(&self) -> PathBuf {
        self.folder.join("control.log")
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
            .env("COFFERDAM_ENDPOINT", format!("https://{}", self.operators))
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
        if let Some(library) = &self.faked {
            faked_clock::arrange(&mut command, library, &config.with_extension("clock"));
        }
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
