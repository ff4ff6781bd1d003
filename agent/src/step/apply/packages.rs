//! Installs packages from the keep.

use super::Steps;
use crate::{
    packages::{
        database::{Database, State},
        transaction::Conditions,
    },
    step::{
        record::{OldPackage, PackageWas, Was},
        stage::changed,
        transaction::conditions,
    },
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    order::Order,
    patch::LockedPackage,
};

impl Steps {
    pub(super) async fn apply_packages(
        &self,
        order: &Order,
        packages: &[LockedPackage],
    ) -> Result<(), Failure> {
        self.wait_for_package_manager(order).await?;
        let change = self.change_packages(order, packages);
        self.outside.drift.account(change).await
    }

    async fn change_packages(
        &self,
        order: &Order,
        packages: &[LockedPackage],
    ) -> Result<(), Failure> {
        let transcript = self.transcript(&order.grant.rollout, "apply");
        let on = conditions(order, &transcript);
        let database = self.manager.database().await?;
        if !self.has_begun(order)? {
            // The host may have changed since they were staged.
            let changed = changed(packages, &database);
            self.refuse_conffiles(&order.conffiles, &changed).await?;
            self.require_room_to_change(&changed).await?;
            let was = self.packages_now(order, &changed, &database).await?;
            self.begin(order, Was::Packages { packages: was })?;
        }
        self.end_what_was_interrupted(packages, &database, on)
            .await?;
        let database = self.manager.database().await?;
        let changed = changed(packages, &database);
        if !changed.is_empty() {
            self.pin_kernel(order, &changed).await?;
            self.replace_conffiles(&order.conffiles, &changed).await?;
            let change = self.install(changed.iter().map(|package| package.sha256));
            match changed
                .iter()
                .any(|package| is_half_done(package, &database))
            {
                // apt, which works out anew how packages fit, may have no way from there to all of them.
                true => self.manager.force(&change, on).await?,
                false => self.change(&change, on, self.lock_wait(order)).await?,
            }
        }
        require_installed(packages, &self.manager.database().await?)?;
        self.keep_own_conffiles(order).await?;
        self.note_conffiles(&order.grant.rollout).await?;
        self.mark_anew(&order.grant.rollout, on).await
    }

    /// Ends what a dpkg that was interrupted left half done, this rollout's before its agent died included.
    async fn end_what_was_interrupted(
        &self,
        packages: &[LockedPackage],
        database: &Database,
        on: Conditions<'_>,
    ) -> Result<(), Failure> {
        let is_older = |package: &&LockedPackage| {
            let entry = database.0.get(&package.name);
            entry.is_some_and(|entry| entry.version != package.version)
        };
        // They are replaced: what they need may have been already.
        let older = packages.iter().filter(is_older);
        let older: Vec<&str> = older.map(|package| package.name.as_str()).collect();
        match self.manager.repair(&older, on).await {
            Err(failure) if !older.is_empty() => {
                // It may need one that is not replaced yet.
                tracing::warn!(%failure, "dpkg could not end what was interrupted");
                Ok(())
            }
            repaired => repaired,
        }
    }

    /// What the host has of the packages that will change.
    async fn packages_now(
        &self,
        order: &Order,
        changed: &[&LockedPackage],
        database: &Database,
    ) -> Result<Vec<PackageWas>, Failure> {
        let automatic = self.manager.automatic().await?;
        let mut conffiles = self.keep_conffiles(&order.grant.rollout, changed).await?;
        let mut was = Vec::new();
        for package in changed {
            let old = match database.0.get(&package.name) {
                None => None,
                Some(entry) => Some(OldPackage {
                    version: entry.version.clone(),
                    sha256: self.old_in_keep(&package.name, &entry.version).await?,
                    automatic: automatic.contains(&package.name),
                    on_hold: entry.on_hold,
                }),
            };
            let has_way_back = old.as_ref().is_none_or(|old| old.sha256.is_some());
            if !has_way_back && !order.one_way {
                // It changed since it was staged.
                return Err(no_way_back(package));
            }
            was.push(PackageWas {
                name: package.name.clone(),
                new_version: package.version.clone(),
                old,
                conffiles: conffiles.remove(&package.name).unwrap_or_default(),
            });
        }
        Ok(was)
    }
}

/// Whether dpkg died while it changed a package.
fn is_half_done(package: &LockedPackage, database: &Database) -> bool {
    let entry = database.0.get(&package.name);
    entry.is_some_and(|entry| entry.state != State::Whole)
}

fn no_way_back(package: &LockedPackage) -> Failure {
    let detail = format!(
        "what is installed of {} changed since it was staged, and its file is not in the keep",
        package.name
    );
    Failure::new(FailureKind::NoWayBack, detail)
}

/// Reads back what apt says it did.
fn require_installed(packages: &[LockedPackage], database: &Database) -> Result<(), Failure> {
    let wrong: Vec<String> = changed(packages, database)
        .into_iter()
        .map(|package| {
            let found = match database.0.get(&package.name) {
                None => "not installed".to_owned(),
                Some(entry) if entry.state == State::Whole => format!("at {}", entry.version),
                Some(entry) => format!("half installed at {}", entry.version),
            };
            format!("{} is {found} instead of {}", package.name, package.version)
        })
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let detail = format!("after installing, {}", wrong.join(", "));
    Err(Failure::new(FailureKind::PackageManager, detail))
}
