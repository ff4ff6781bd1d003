//! Finds out which exact bits a wish for packages comes to on this host.

mod upgrade;

use super::Steps;
use crate::{
    actions::SimulatedPackage,
    packages::{archive::Exactly, database::Database, simulation::Simulation},
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    patch::{LockedPackage, VersionWish},
    wish::Wish,
};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// A version of a package that would be on the host, and the one that is.
struct Would {
    version: String,
    installed: Option<String>,
}

impl Steps {
    pub(super) async fn simulate_wish(
        &self,
        wish: &Wish,
    ) -> Result<Vec<SimulatedPackage>, Failure> {
        self.manager
            .update(Instant::now(), self.settings.lock_wait)
            .await?;
        match wish {
            Wish::Packages(packages) => self.simulate_install(packages).await,
            Wish::Security => self.security_updates().await,
            Wish::Fixes(fixes) => self.fixes(fixes).await,
        }
    }

    async fn simulate_install(
        &self,
        packages: &BTreeMap<String, VersionWish>,
    ) -> Result<Vec<SimulatedPackage>, Failure> {
        let simulation = self.manager.simulate(packages).await?;
        refuse_removals(&simulation)?;
        let closure = closure(packages, simulation, &self.manager.database().await?)?;
        let wanted: Vec<Exactly<'_>> = closure
            .iter()
            .map(|(name, would)| Exactly {
                name,
                version: &would.version,
            })
            .collect();
        let offers = self.manager.locked(&wanted).await?;
        let mut simulated = Vec::new();
        for ((name, would), offer) in closure.iter().zip(offers) {
            simulated.push(SimulatedPackage {
                installed: would.installed.clone(),
                needed_by: Vec::new(),
                locked: match offer {
                    Some(locked) => locked,
                    None => self.locked_from_keep(name, &would.version)?,
                },
            });
        }
        Ok(simulated)
    }

    /// A package that is installed and in no repository any more, as the keep has it.
    fn locked_from_keep(&self, name: &str, version: &str) -> Result<LockedPackage, Failure> {
        let nowhere = || {
            let detail = format!("{name} {version} is in no repository, so nobody knows its hash");
            Failure::new(FailureKind::NotFound, detail)
        };
        let kept = self.keep.find_packages(name, version)?;
        let sha256 = *kept.first().ok_or_else(nowhere)?;
        let size = std::fs::metadata(self.keep.package(sha256))
            .map_err(|_| nowhere())?
            .len();
        Ok(LockedPackage {
            name: name.to_owned(),
            version: version.to_owned(),
            sha256,
            size,
        })
    }
}

fn refuse_removals(simulation: &Simulation) -> Result<(), Failure> {
    if simulation.removals.is_empty() {
        return Ok(());
    }
    let detail = format!("it would remove {}", simulation.removals.join(", "));
    Err(Failure::new(FailureKind::Dependency, detail))
}

/// What is installed afterwards: what apt would install, and what was wished for and is there
/// already.
fn closure(
    packages: &BTreeMap<String, VersionWish>,
    simulation: Simulation,
    database: &Database,
) -> Result<BTreeMap<String, Would>, Failure> {
    let mut closure = BTreeMap::new();
    for install in simulation.installs {
        let would = Would {
            version: install.version,
            installed: install.installed,
        };
        closure.insert(install.name, would);
    }
    for name in packages.keys() {
        if closure.contains_key(name) {
            continue;
        }
        let Some(version) = database.version(name) else {
            let detail = format!(
                "the package manager neither installs {name} nor is it installed: is it held?"
            );
            return Err(Failure::new(FailureKind::Dependency, detail));
        };
        let would = Would {
            version: version.to_owned(),
            installed: Some(version.to_owned()),
        };
        closure.insert(name.clone(), would);
    }
    Ok(closure)
}
