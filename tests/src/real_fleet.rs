//! A real fleet: Debian hosts with systemd in containers, on a bridge of their own, with a signed apt
//! repository and a coordinator. They boot, reboot, lose power and install packages for real.
//!
//! ```text
//! network namespace    coordinator 10.203.0.1:7300     repository 10.203.0.1:80     HAProxy 10.203.0.1:8080
//!                                \_____ bridge _____/
//!                                   |           |
//!                      host web-1 10.203.1.1   web-2 10.203.1.2 ...    systemd-nspawn, each on
//!                      upper     upper   ...                           an overlay of its own
//!                      image: our programs, the repository's key       one a fleet
//!                      layer: further packages, where wanted           one a machine and choice, cached
//!                      tree: Debian, by mmdebstrap                     one a machine, cached
//! ```
//!
//! A test asks [`missing`] first, and leaves itself out where a fleet cannot run. A fleet is taken down
//! when it is dropped; when its process is killed, by whoever makes the next one, or by
//! `make fleet-down`. [`ground`] says how.

pub mod balancer;
pub mod cgroup;
pub mod command;
pub mod container;
pub mod control;
pub mod ground;
pub mod host;
pub mod image;
pub mod launch;
pub mod limit;
pub mod network;
pub mod overlay;
pub mod regions;
pub mod repository;
pub mod requirements;
pub mod seat;
pub mod teardown;
pub mod tree;
pub mod trouble;

use crate::machine::Machine;
use balancer::FleetBalancer;
use control::Control;
use ground::{Ground, Owner};
use host::Host;
use image::Image;
use network::{BRIDGE_ADDRESS, Inside, Network};
use repository::Repository;
use requirements::missing;
use std::path::{Path, PathBuf};
use tree::Recipe;
use trouble::{FleetError, file};

/// The units of an enrolled host.
const UNITS: &str = "cofferdam-health.service cofferdam-agent.service";

/// A real fleet. Dropping it takes it down, unless it is a person's.
#[derive(Debug)]
pub struct RealFleet {
    /// The repository that hosts install from. It is served.
    pub repository: Repository,
    /// The coordinator. It is started by [`RealFleet::manage`].
    pub control: Control,
    hosts: Vec<Host>,
    ground: Ground,
    owner: Owner,
}

impl RealFleet {
    /// Makes a fleet for a test, boots its hosts, and waits for them. Nothing when this machine cannot
    /// run one: then the test run says so, and counts it.
    ///
    /// # Panics
    /// When it cannot be made although it should.
    pub async fn boot(machines: Vec<Machine>) -> Option<Self> {
        Self::boot_with(None, machines).await
    }

    /// The same, with further packages of Debian on each host, separated by commas.
    ///
    /// # Panics
    /// When it cannot be made although it should.
    pub async fn boot_with(packages: Option<&str>, machines: Vec<Machine>) -> Option<Self> {
        let fleet = Self::lay_out_with(packages, machines).await?;
        fleet
            .switch_on()
            .await
            .unwrap_or_else(|error| panic!("{error:#?}"));
        Some(fleet)
    }

    /// The same, with every host off.
    ///
    /// # Panics
    /// When it cannot be made although it should.
    pub async fn lay_out(machines: Vec<Machine>) -> Option<Self> {
        Self::lay_out_with(None, machines).await
    }

    async fn lay_out_with(packages: Option<&str>, machines: Vec<Machine>) -> Option<Self> {
        if let Some(why) = missing() {
            requirements::say_left_out(&why);
            return None;
        }
        let made = Self::make(packages, machines, Owner::Process).await;
        Some(made.unwrap_or_else(|error| panic!("{error:#?}")))
    }

    /// Makes a fleet with every host off, with further packages of Debian on each if they are named.
    ///
    /// # Errors
    /// When it cannot be made. What was made of it is gone then.
    pub async fn make(
        packages: Option<&str>,
        machines: Vec<Machine>,
        owner: Owner,
    ) -> Result<Self, FleetError> {
        if network::address(machines.len()).is_none() {
            let why = "a fleet has at least one host, and at most 254";
            return Err(FleetError::Refused(why.to_owned()));
        }
        let recipe = Recipe::of_this_machine()?;
        let mut trees = vec![recipe.make().await?];
        if let Some(packages) = packages {
            trees.insert(0, recipe.make_layer(packages).await?);
        }
        let mut fleet = Self::on(Ground::claim(owner)?, machines);
        // Until it is whole it is nobody's to keep.
        fleet.owner = Owner::Process;
        fleet.furnish(&trees).await?;
        fleet.owner = owner;
        Ok(fleet)
    }

    /// The fleet of the person at the keyboard.
    ///
    /// # Errors
    /// When there is none.
    pub fn persons() -> Result<Self, FleetError> {
        let ground = Ground::persons()?;
        let hosts = ground.folder().join("hosts");
        let hosts = std::fs::read_dir(&hosts).map_err(file("read", &hosts))?;
        let mut fleet = Self::on(ground, Machine::several(hosts.count()));
        fleet.owner = Owner::Person;
        Ok(fleet)
    }

    /// Its hosts, in the order in which they were given.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// A host by its name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn host(&self, name: &str) -> Result<&Host, FleetError> {
        let found = self.hosts.iter().find(|host| host.name().as_str() == name);
        found.ok_or_else(|| FleetError::Refused(format!("there is no host {name}")))
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.ground.folder()
    }

    /// Its network.
    pub fn network(&self) -> Network {
        Network::in_folder(self.folder())
    }

    /// Puts an HAProxy before its hosts. Nothing when it is not installed: then the test run says so, once.
    ///
    /// # Errors
    /// When it cannot be launched.
    pub async fn balance(&self) -> Result<Option<FleetBalancer>, FleetError> {
        FleetBalancer::start(&self.ground, &self.hosts).await
    }

    /// Takes the calling thread into its network: see [`Network::enter`].
    ///
    /// # Errors
    /// When this process may not.
    pub fn enter(&self) -> Result<Inside, FleetError> {
        self.network().enter()
    }

    /// Switches every host on that is off, and waits until all have booted.
    ///
    /// # Errors
    /// When one has not after 90 s.
    pub async fn switch_on(&self) -> Result<(), FleetError> {
        for host in self.hosts.iter().filter(|host| host.init().is_none()) {
            host.power_on().await?;
        }
        for host in &self.hosts {
            host.booted().await?;
        }
        Ok(())
    }

    /// Starts the coordinator, and enrols every host: its agent and its health responder are started now
    /// where the host is on, else with its next boot.
    ///
    /// # Errors
    /// When one was enrolled before, or a unit does not start.
    pub async fn manage(&self) -> Result<(), FleetError> {
        self.control.start().await?;
        for host in &self.hosts {
            self.control.enrol(host)?;
            host.enable(UNITS).await?;
        }
        Ok(())
    }

    /// Takes it down: every process, mount, link and file of it.
    ///
    /// # Errors
    /// When something cannot be ended or removed.
    pub fn take_down(self) -> Result<(), FleetError> {
        self.ground.remove()
    }

    fn on(ground: Ground, machines: Vec<Machine>) -> Self {
        let numbered = (1..).zip(machines);
        let hosts = numbered.map(|(number, machine)| Host::new(&ground, number, machine));
        Self {
            repository: Repository::of(&ground),
            control: Control::of(&ground),
            hosts: hosts.collect(),
            owner: Owner::Process,
            ground,
        }
    }

    async fn furnish(&self, trees: &[PathBuf]) -> Result<(), FleetError> {
        self.network().create(BRIDGE_ADDRESS).await?;
        self.repository.create().await?;
        self.repository.open().await?;
        self.control.create()?;
        let key = self.repository.public_key();
        let mut trees: Vec<&Path> = trees.iter().map(PathBuf::as_path).collect();
        let image = Image::make(self.folder(), &trees, &key).await?;
        let image = image.files();
        trees.insert(0, &image);
        self.hosts.iter().try_for_each(|host| host.lay_out(&trees))
    }
}

impl Drop for RealFleet {
    fn drop(&mut self) {
        // Also when it was taken down already: then there is nothing to find.
        let gone = match self.owner {
            Owner::Person => return,
            Owner::Process if std::thread::panicking() && self.folder().exists() => {
                let kept = self.ground.keep();
                kept.map(|kept| eprintln!("the fleet's folder is kept: {}", kept.display()))
            }
            Owner::Process => self.ground.remove(),
        };
        if let Err(error) = gone {
            eprintln!("something of a fleet is left: {error:?}");
        }
    }
}
