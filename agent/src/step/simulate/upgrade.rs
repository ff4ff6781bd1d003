//! Finds out which exact bits the upgrades of this host come to: security updates, or the fixes of
//! an advisory.

use super::Steps;
use crate::{
    actions::SimulatedPackage,
    packages::{archive::Exactly, simulation::Simulation, upgrade::offer::Offer},
};
use cofferdam_engine::failure::{Failure, FailureKind};
use std::collections::BTreeMap;

impl Steps {
    /// The upgrades that the repositories mark as security updates, with what they need. None: the
    /// host has them all.
    pub(super) async fn security_updates(&self) -> Result<Vec<SimulatedPackage>, Failure> {
        let pending = self.manager.pending().await?;
        let marked = pending.installs.iter().filter(|install| {
            install.installed.is_some() && install.origins.iter().any(|origin| origin.is_security())
        });
        let names: Vec<&str> = marked.map(|install| install.name.as_str()).collect();
        let upgrade = self.upgrade_of(&names).await?;
        Ok(upgrade.into_iter().map(|(_, one)| one).collect())
    }

    /// The upgrades of every installed package that was built of one of these sources before the
    /// version that fixes it. None: the host needs none.
    ///
    /// # Errors
    /// [`FailureKind::NotFound`] when the repositories do not have the fixed version.
    pub(super) async fn fixes(
        &self,
        fixes: &BTreeMap<String, String>,
    ) -> Result<Vec<SimulatedPackage>, Failure> {
        let format = self.manager.format();
        let sources = self.manager.sources().await?.0;
        let affected: BTreeMap<&str, &String> = sources
            .iter()
            .filter_map(|(package, source)| {
                let fixed = fixes.get(&source.name)?;
                let is_older = format.compare(&source.version, fixed).is_lt();
                is_older.then_some((package.as_str(), fixed))
            })
            .collect();
        let names: Vec<&str> = affected.keys().copied().collect();
        let upgrade = self.upgrade_of(&names).await?;
        for (package, fixed) in affected {
            let offered = upgrade
                .iter()
                .find(|(offer, _)| offer.locked.name == package);
            let offered = offered.map(|(offer, _)| offer);
            let is_fixed = |offer: &&Offer| format.compare(&offer.source_version, fixed).is_ge();
            if offered.filter(is_fixed).is_none() {
                return Err(not_fixed(package, fixed, offered));
            }
        }
        Ok(upgrade.into_iter().map(|(_, one)| one).collect())
    }

    /// What an upgrade of these packages brings, each with what a repository says of it.
    async fn upgrade_of(&self, names: &[&str]) -> Result<Vec<(Offer, SimulatedPackage)>, Failure> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let simulation = self.manager.upgrade_of(names).await?;
        super::refuse_removals(&simulation)?;
        let wanted: Vec<Exactly<'_>> = simulation
            .installs
            .iter()
            .map(|install| Exactly {
                name: &install.name,
                version: &install.version,
            })
            .collect();
        let offers = self.manager.offers(&wanted).await?;
        let offers: Option<Vec<Offer>> = offers.into_iter().collect();
        let offers = offers.ok_or_else(|| {
            let detail = "a repository offers one of the upgrades without its SHA-256";
            Failure::new(FailureKind::NotFound, detail)
        })?;
        explained(&simulation, offers)
    }
}

/// Says of each package that is new on the host which others need it.
fn explained(
    simulation: &Simulation,
    offers: Vec<Offer>,
) -> Result<Vec<(Offer, SimulatedPackage)>, Failure> {
    let mut explained = Vec::new();
    for (install, offer) in simulation.installs.iter().zip(&offers) {
        let needs_it = |other: &&Offer| *other != offer && other.needs(offer);
        let needed_by: Vec<String> = match install.installed {
            Some(_) => Vec::new(),
            None => {
                let needs = offers.iter().filter(needs_it);
                needs.map(|other| other.locked.name.clone()).collect()
            }
        };
        if install.installed.is_none() && needed_by.is_empty() {
            let detail = format!(
                "the upgrade would add {}, which nothing in it needs",
                install.name
            );
            return Err(Failure::new(FailureKind::Dependency, detail));
        }
        let simulated = SimulatedPackage {
            installed: install.installed.clone(),
            locked: offer.locked.clone(),
            needed_by,
        };
        explained.push((offer.clone(), simulated));
    }
    Ok(explained)
}

fn not_fixed(package: &str, fixed: &str, offered: Option<&Offer>) -> Failure {
    let has = offered.map_or_else(
        || "have no newer version (or it is on hold)".to_owned(),
        |offer| {
            format!(
                "have {} of source {}",
                offer.locked.version, offer.source_version
            )
        },
    );
    let detail =
        format!("{package} is fixed from source version {fixed} on; the repositories {has}");
    Failure::new(FailureKind::NotFound, detail)
}
