//! Finds out what a query asks: the same readers that a run has, and no change.

use super::Steps;
use crate::{
    effect::kernel,
    host::unit_state,
    packages::database::{Database, State},
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    query::{Found, Installed, UnitFound, Wants},
};
use std::collections::{BTreeMap, BTreeSet};

impl Steps {
    pub(super) async fn find_wanted(&self, wants: &Wants) -> Result<Found, Failure> {
        Ok(Found {
            format: self.manager.format(),
            packages: self.find_packages(&wants.packages).await?,
            kernel: match wants.kernel {
                true => Some(kernel::running_package()?),
                false => None,
            },
            units: self.find_units(&wants.units).await?,
        })
    }

    async fn find_packages(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Vec<Installed>>, Failure> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let architecture = self.manager.architecture().await?;
        let database = self.manager.database().await?;
        let found = names.iter().map(|name| {
            let installed = installed(&database, name, &architecture);
            (name.clone(), installed)
        });
        Ok(found.collect())
    }

    async fn find_units(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, UnitFound>, Failure> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        if !self.settings.root.is_machine() {
            let detail =
                "this agent works on another tree than the machine's own, which runs no units";
            return Err(Failure::new(FailureKind::Unsupported, detail));
        }
        let names: Vec<String> = names.iter().cloned().collect();
        let states = unit_state::ask(&*self.outside.runner, &names).await?;
        let found = names.into_iter().zip(states).map(|(name, state)| {
            let found = UnitFound {
                active: state.active,
                load: state.load,
            };
            (name, found)
        });
        Ok(found.collect())
    }
}

fn installed(database: &Database, name: &str, architecture: &str) -> Vec<Installed> {
    let found = database.called(name, architecture);
    let installed = found.map(|(name, entry)| Installed {
        name: name.to_owned(),
        version: entry.version.clone(),
        is_whole: entry.state == State::Whole,
    });
    installed.collect()
}
