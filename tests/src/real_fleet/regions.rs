//! A fleet of several regions: each a real fleet in a network of its own, and the control plane in a third,
//! with a link to each region that can be cut.
//!
//! ```text
//! control plane 10.202.0.1 --- bridge --- up-1 ===== uplink 10.202.1.1   in the network of region r1
//!                                |
//!                               up-2 ===== uplink 10.202.1.2   in the network of region r2
//! ```
//!
//! Every region has the addresses of a fleet alone, so its hosts are as those of any other. All install what one
//! repository holds; each region serves it in its own network, so that a cut takes it from nobody.

use super::{
    Owner, RealFleet,
    control::Control,
    ground::Ground,
    host::Host,
    network::{CONTROL_ADDRESS, Network, uplink_address},
    requirements::{self, missing},
    seat::Seat,
    tree::Recipe,
    trouble::FleetError,
};
use crate::machine::Machine;
use std::path::PathBuf;

/// Names of regions.
const NAMES: [&str; 2] = ["r1", "r2"];

/// Regions with their hosts, and the control plane. Dropping it takes all of it down.
#[derive(Debug)]
pub struct Regions {
    /// The control plane.
    pub control: Control,
    // Before the ground that their links lead to.
    regions: Vec<RealFleet>,
    ground: Ground,
}

impl Regions {
    /// Makes two regions of so many hosts each, boots them, and enrols every host at its region. Nothing when
    /// this machine cannot run a fleet: then the test run says so, and counts it.
    ///
    /// # Panics
    /// When it cannot be made although it should.
    pub async fn boot(hosts: usize) -> Option<Self> {
        if let Some(why) = missing() {
            requirements::say_left_out(&why);
            return None;
        }
        let made = Self::make(hosts).await;
        Some(made.unwrap_or_else(|error| panic!("{error:#?}")))
    }

    async fn make(hosts: usize) -> Result<Self, FleetError> {
        let trees = vec![Recipe::of_this_machine()?.make().await?];
        let ground = Ground::claim(Owner::Process)?;
        let mut fleet = Self {
            control: Control::of(&ground).seated(Seat::Control),
            regions: Vec::new(),
            ground,
        };
        fleet.network().create(CONTROL_ADDRESS).await?;
        fleet.control.create()?;
        for name in NAMES {
            fleet.add(name, hosts, &trees).await?;
        }
        fleet.control.start().await?;
        for region in &fleet.regions {
            region.switch_on().await?;
            region.manage().await?;
        }
        Ok(fleet)
    }

    /// The regions, in the order of their names.
    pub fn regions(&self) -> &[RealFleet] {
        &self.regions
    }

    /// Every host, region by region.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.regions.iter().flat_map(RealFleet::hosts)
    }

    /// Cuts the link between a region, from 1, and the control plane: nothing passes, and nobody is told.
    ///
    /// # Errors
    /// When there is no such region.
    pub async fn cut(&self, region: usize) -> Result<(), FleetError> {
        self.link(region, "down").await
    }

    /// Mends it.
    ///
    /// # Errors
    /// When there is no such region.
    pub async fn mend(&self, region: usize) -> Result<(), FleetError> {
        self.link(region, "up").await
    }

    /// Takes it down: every process, mount, link and file of it.
    ///
    /// # Errors
    /// When something cannot be ended or removed.
    pub fn take_down(mut self) -> Result<(), FleetError> {
        for region in std::mem::take(&mut self.regions) {
            region.take_down()?;
        }
        self.ground.remove()
    }

    async fn add(
        &mut self,
        name: &'static str,
        hosts: usize,
        trees: &[PathBuf],
    ) -> Result<(), FleetError> {
        let number = self.regions.len() + 1;
        let machines = Machine::of_region(name, hosts);
        let mut region = RealFleet::on(Ground::claim(Owner::Process)?, machines);
        let control = Control::of(&region.ground).seated(Seat::Region(name));
        region.control = control.trusting(&self.control);
        if let Some(first) = self.regions.first() {
            region.repository = first.repository.also_in(&region.ground);
        }
        region.furnish(trees).await?;
        let network = region.network();
        let here = self.network();
        let peer = format!("peer name up-{number} netns {}", here.namespace().display());
        let link = format!("link add uplink type veth {peer}");
        network.ip(&link).await?;
        let address = uplink_address(number);
        network
            .ip(&format!("addr add {address} dev uplink"))
            .await?;
        network.ip("link set uplink up").await?;
        here.plug(&format!("up-{number}")).await?;
        self.regions.push(region);
        Ok(())
    }

    async fn link(&self, region: usize, state: &str) -> Result<(), FleetError> {
        let link = format!("link set up-{region} {state}");
        self.network().ip(&link).await
    }

    fn network(&self) -> Network {
        Network::in_folder(self.ground.folder())
    }
}

impl Drop for Regions {
    fn drop(&mut self) {
        // The regions are taken down by themselves; also when all was already.
        let gone = match std::thread::panicking() && self.ground.folder().exists() {
            true => self.ground.keep().map(|kept| {
                eprintln!("the control plane's folder is kept: {}", kept.display());
            }),
            false => self.ground.remove(),
        };
        if let Err(error) = gone {
            eprintln!("something of a control plane is left: {error:?}");
        }
    }
}
