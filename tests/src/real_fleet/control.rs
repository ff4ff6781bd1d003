//! The coordinator of a real fleet, and who may talk to it.
//!
//! ```text
//! FOLDER/pki/                      the authority and all certificates, as `cofferdam pki` makes them
//!        coordinator.toml .log     config and output; store and artefacts in coordinator/
//!        cofferdam/config.toml     the operator's, for whom FOLDER is $XDG_CONFIG_HOME
//! ```

use super::{
    cgroup::Cgroup,
    ground::Ground,
    host::Host,
    launch::Place,
    network::{BRIDGE_ADDRESS, Network},
    seat::Seat,
    trouble::{FleetError, file, part},
};
use crate::{process::binary, site::NO_RAMP};
use cofferdam::{
    clock,
    pki::{AUTHORITY_CERTIFICATE, Authority, Pair, ServerNames, Validity},
};
use cofferdam_engine::{
    id::{HostId, OperatorId},
    identity::Identity,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// The trust domain of every real fleet.
const TRUST_DOMAIN: &str = "fleet.example";

/// How many days certificates last; their authority a day longer, so that the second does not matter.
const DAYS: u32 = 30;

/// How long ago a certificate was made that has ended: it lasts a day.
const ENDED_AGO: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// How often coordinator and agent give a sign of life: a lost peer is noticed after 3 s.
const HEARTBEAT: &str = "1s";

/// Where a host's agent looks for its certificates, as the packages document it.
const PKI: &str = "etc/cofferdam/pki";

/// The coordinator of a fleet.
#[derive(Debug)]
pub struct Control {
    folder: PathBuf,
    network: Network,
    cgroup: Cgroup,
    heartbeat: &'static str,
    seat: Seat,
    pki: PathBuf,
}

impl Control {
    /// The coordinator of a fleet, made or not.
    pub fn of(ground: &Ground) -> Self {
        Self {
            folder: ground.folder().to_owned(),
            network: Network::in_folder(ground.folder()),
            cgroup: ground.cgroup().within("coordinator"),
            heartbeat: HEARTBEAT,
            seat: Seat::Both,
            pki: ground.folder().join("pki"),
        }
    }

    /// The same, with a part of a fleet.
    #[must_use]
    pub fn seated(self, seat: Seat) -> Self {
        Self { seat, ..self }
    }

    /// The same, with the authority of another that was created.
    #[must_use]
    pub fn trusting(self, other: &Self) -> Self {
        let pki = other.pki.clone();
        Self { pki, ..self }
    }

    /// The same, with another heartbeat, for hosts that are slower than containers.
    #[must_use]
    pub fn with_heartbeat(self, heartbeat: &'static str) -> Self {
        Self { heartbeat, ..self }
    }

    /// Makes the authority, the coordinator's config and the operator's.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn create(&self) -> Result<(), FleetError> {
        if !self.pki.exists() {
            let authority = Authority::create(&self.pki, TRUST_DOMAIN, validity(DAYS + 1));
            authority.map_err(part("the authority"))?;
        }
        let names = ServerNames {
            dns: Vec::new(),
            ip: vec![self.seat.address().into()],
        };
        let own = self.issue(&self.seat.identity()?, &names)?;
        write(&self.config(), &self.config_text(&own))?;
        if !self.seat.has_operators() {
            return Ok(());
        }
        let ana = OperatorId::new("ana").map_err(part("an operator's name"))?;
        let own = self.issue(&Identity::Operator(ana), &ServerNames::default())?;
        let path = self.folder.join("cofferdam/config.toml");
        write(&path, &self.operator_text(&own))
    }

    /// Starts the coordinator, and does not wait.
    ///
    /// # Errors
    /// When it cannot be launched. That it fails later stands in its log.
    pub async fn start(&self) -> Result<(), FleetError> {
        let log = self.log();
        let place = Place {
            network: &self.network,
            cgroup: &self.cgroup,
            log: &log,
        };
        let program = binary("cofferdam-coordinator").into_os_string();
        let config = self.config().into_os_string();
        let words = vec![program, "run".into(), "--config".into(), config];
        place.launch(words).await
    }

    /// Kills the coordinator as a power cut would.
    ///
    /// # Errors
    /// When it does not go.
    pub fn kill(&self) -> Result<(), FleetError> {
        self.cgroup.kill()
    }

    /// What the coordinator printed.
    pub fn log(&self) -> PathBuf {
        self.folder.join("coordinator.log")
    }

    /// The operator's command in the fleet's network; arguments are to follow.
    pub fn operator(&self) -> Command {
        let mut command = self.network.command(binary("cofferdam"));
        command.env("XDG_CONFIG_HOME", &self.folder);
        command
    }

    /// The folder for `XDG_CONFIG_HOME`, by which the operator's command finds the coordinator.
    pub fn config_home(&self) -> &Path {
        &self.folder
    }

    /// Gives a host its certificate, its agent's config, and the units that start at boot.
    ///
    /// # Errors
    /// When it was enrolled before, or something cannot be written.
    pub fn enrol(&self, host: &Host) -> Result<(), FleetError> {
        self.enrol_at(host.name(), &host.root(), &host.machine().labels())
    }

    /// The same for a host whose root tree is there, by its name and the labels of its config.
    ///
    /// # Errors
    /// As [`Control::enrol`].
    pub fn enrol_at(&self, host: &HostId, root: &Path, labels: &str) -> Result<(), FleetError> {
        let identity = Identity::Agent(host.clone());
        let own = self.issue(&identity, &ServerNames::default())?;
        let files = [
            (self.pki.join(AUTHORITY_CERTIFICATE), "ca.pem"),
            (own.certificate, "agent.pem"),
            (own.key, "agent.key"),
        ];
        for (from, name) in files {
            let text = fs::read_to_string(&from).map_err(file("read", &from))?;
            write(&root.join(PKI).join(name), &text)?;
        }
        let text = self.seat.agent_config().to_owned() + &agent_text(labels);
        write(&root.join("etc/cofferdam/agent.toml"), &text)
    }

    /// Gives a host a certificate that has just ended in place of its own.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn expire(&self, host: &Host) -> Result<(), FleetError> {
        let identity = Identity::Agent(host.name().clone());
        let authority = Authority::load(&self.pki).map_err(part("the authority"))?;
        // What was issued is never overwritten.
        for kind in ["crt", "key"] {
            let old = self.pki.join(format!("agent-{}.{kind}", host.name()));
            fs::remove_file(&old).map_err(file("remove", &old))?;
        }
        let ended = Validity {
            now: clock::date() - ENDED_AGO,
            days: 1,
        };
        let issued = authority.issue(&identity, &ServerNames::default(), ended);
        let own = issued.map_err(part("a certificate"))?;
        for (from, name) in [(own.certificate, "agent.pem"), (own.key, "agent.key")] {
            let text = fs::read(&from).map_err(file("read", &from))?;
            host.write(&format!("{PKI}/{name}"), text)?;
        }
        Ok(())
    }

    fn issue(&self, identity: &Identity, names: &ServerNames) -> Result<Pair, FleetError> {
        let authority = Authority::load(&self.pki).map_err(part("the authority"))?;
        let issued = authority.issue(identity, names, validity(DAYS));
        issued.map_err(part("a certificate"))
    }

    fn config(&self) -> PathBuf {
        self.folder.join("coordinator.toml")
    }

    fn config_text(&self, own: &Pair) -> String {
        let address = self.seat.address();
        format!(
            "listen = \"{address}:7300\"\nhttp = \"{address}:7301\"\n{}\
             heartbeat = \"{}\"\ndata_dir = \"{}\"\ntrust_domain = \"{TRUST_DOMAIN}\"\n\
             cert = \"{}\"\nkey = \"{}\"\nca = \"{}\"\n",
            self.seat.config(),
            self.heartbeat,
            self.folder.join("coordinator").display(),
            own.certificate.display(),
            own.key.display(),
            self.pki.join(AUTHORITY_CERTIFICATE).display(),
        )
    }

    fn operator_text(&self, own: &Pair) -> String {
        format!(
            "endpoint = \"https://{}:7300\"\nca = \"{}\"\ncert = \"{}\"\nkey = \"{}\"\n",
            self.seat.address(),
            self.pki.join(AUTHORITY_CERTIFICATE).display(),
            own.certificate.display(),
            own.key.display(),
        )
    }
}

fn agent_text(labels: &str) -> String {
    format!(
        "coordinators = [\"{BRIDGE_ADDRESS}:7300\"]\n{NO_RAMP}trust_domain = \"{TRUST_DOMAIN}\"\n\
         cert = \"/{PKI}/agent.pem\"\nca = \"/{PKI}/ca.pem\"\n\
         key = \"/run/credentials/cofferdam-agent.service/key.pem\"\n\n\
         # No load balancer sends traffic here, so none needs time to see the flag.\n\
         drain = {{ at_least = \"0s\" }}\n\n\
         # All hosts share one kernel, its log and its load.\n\
         signals = {{ off = [\"kernel-log\", \"load\"] }}\n\n{labels}"
    )
}

fn validity(days: u32) -> Validity {
    Validity {
        now: clock::date(),
        days,
    }
}

fn write(path: &Path, text: &str) -> Result<(), FleetError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(file("make", folder))?;
    }
    fs::write(path, text).map_err(file("write", path))
}
