//! Upgrades of what is installed: which there are, where they come from, what they need.

pub mod offer;
pub mod source;

use super::{
    Apt,
    archive::{Exactly, not_understood},
    simulation::Simulation,
    whole,
};
use cofferdam_engine::failure::Failure;
use offer::Offer;
use source::Sources;

impl Apt {
    /// All upgrades that apt would make now, without making them. What is on hold is not among
    /// them.
    ///
    /// # Errors
    /// A [`Failure`] when apt cannot be asked.
    pub async fn pending(&self) -> Result<Simulation, Failure> {
        self.simulate_upgrade(&["dist-upgrade"]).await
    }

    /// What the upgrade of these packages to the newest version would do, without doing it. What
    /// is recommended stays away: an upgrade adds only what it cannot do without.
    ///
    /// # Errors
    /// A [`Failure`] that says why apt cannot.
    pub async fn upgrade_of(&self, names: &[&str]) -> Result<Simulation, Failure> {
        let words = ["--only-upgrade", "install", "--"];
        self.simulate_upgrade(&[&words, names].concat()).await
    }

    async fn simulate_upgrade(&self, words: &[&str]) -> Result<Simulation, Failure> {
        let command = self
            .online("apt-get")
            .args(["--simulate", "--no-install-recommends"])
            .args(words);
        let output = self.must(&command).await?;
        whole(&command, &output)?;
        Simulation::parse(&output.stdout.text()).ok_or_else(|| not_understood(&command.to_string()))
    }

    /// What the repositories say of versions of packages, in the same order. Absent: no repository
    /// has it.
    ///
    /// # Errors
    /// A [`Failure`] when apt cannot be asked.
    pub async fn offers(&self, wanted: &[Exactly<'_>]) -> Result<Vec<Option<Offer>>, Failure> {
        let answer = self.show(wanted).await?;
        let offers = wanted.iter().map(|one| offer::find(&answer, *one));
        Ok(offers.collect())
    }

    /// The source packages of what is installed.
    ///
    /// # Errors
    /// A [`Failure`] when the database cannot be read.
    pub async fn sources(&self) -> Result<Sources, Failure> {
        let architecture = self.architecture().await?;
        let answer = self.query(source::FORMAT).await?;
        Ok(Sources::parse(&answer, &architecture))
    }
}
