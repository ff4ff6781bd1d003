//! A fleet of virtual machines: Debian with its own kernel and boot loader, on disks that forget what was not
//! flushed when their power is cut. Slow, since no machine that this is made for has hardware for it: only
//! `make soak` boots one.
//!
//! ```text
//! network namespace   coordinator, repository: as in a real fleet
//!                             \___ bridge ___/
//!                                 |
//!                          qemu, on a tap --NBD--> volatile: what was written since the last flush
//!                          its console: a file         disk: a copy of one that was made once
//! ```

pub mod disk;
pub mod guest;
pub mod kernels;
pub mod nbd;
pub mod qemu;
pub mod volatile;

use crate::{
    machine::Machine,
    real_fleet::{
        control::Control,
        ground::{Ground, Owner},
        network::{BRIDGE_ADDRESS, Network},
        repository::Repository,
        requirements,
        trouble::FleetError,
    },
    size::Size,
};
use guest::Guest;
use std::path::Path;

/// How often coordinator and agent give a sign of life: an emulated machine that works says nothing for seconds.
const HEARTBEAT: &str = "10s";

/// A fleet of virtual machines. Dropping it takes it down.
#[derive(Debug)]
pub struct VirtualFleet {
    /// The repository that machines install from. It is served.
    pub repository: Repository,
    /// The coordinator. It runs.
    pub control: Control,
    guests: Vec<Guest>,
    ground: Ground,
}

impl VirtualFleet {
    /// Makes a fleet whose machines are off and enrolled, with an agent that starts at boot. Nothing when this is
    /// no soak, or this machine cannot run one: then the test run says so.
    ///
    /// # Panics
    /// When it cannot be made although it should.
    pub async fn lay_out(machines: Vec<Machine>) -> Option<Self> {
        if let Some(why) = missing() {
            eprintln!("left out: virtual machines ({why})");
            return None;
        }
        let made = Self::make(machines).await;
        Some(made.unwrap_or_else(|error| panic!("{error:#?}")))
    }

    async fn make(machines: Vec<Machine>) -> Result<Self, FleetError> {
        let disk = disk::Recipe::of_this_machine()?.make().await?;
        let ground = Ground::claim(Owner::Process)?;
        let numbered = (1..).zip(machines);
        let guests = numbered.map(|(number, machine)| Guest::new(&ground, number, machine));
        let fleet = Self {
            repository: Repository::of(&ground),
            control: Control::of(&ground).with_heartbeat(HEARTBEAT),
            guests: guests.collect(),
            ground,
        };
        fleet.network().create(BRIDGE_ADDRESS).await?;
        fleet.repository.create().await?;
        fleet.repository.open().await?;
        fleet.control.create()?;
        for guest in &fleet.guests {
            guest
                .lay_out(&disk, &fleet.control, &fleet.repository)
                .await?;
        }
        fleet.control.start().await?;
        Ok(fleet)
    }

    /// Its machines, in the order in which they were given.
    pub fn guests(&self) -> &[Guest] {
        &self.guests
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.ground.folder()
    }

    fn network(&self) -> Network {
        Network::in_folder(self.folder())
    }
}

impl Drop for VirtualFleet {
    fn drop(&mut self) {
        let gone = match std::thread::panicking() {
            true => self
                .ground
                .keep()
                .map(|kept| eprintln!("the fleet's folder is kept: {}", kept.display())),
            false => self.ground.remove(),
        };
        if let Err(error) = gone {
            eprintln!("something of a fleet is left: {error:?}");
        }
    }
}

/// Why none can run here, as a clause. Nothing when one can.
fn missing() -> Option<String> {
    if Size::asked() == Size::Small {
        return Some("only `make soak` boots them".to_owned());
    }
    let absent = qemu::COMMANDS
        .iter()
        .find(|(name, _)| !requirements::is_command(name));
    if let Some((name, package)) = absent {
        return Some(format!("{name} is missing: Debian package {package}"));
    }
    requirements::missing()
}
