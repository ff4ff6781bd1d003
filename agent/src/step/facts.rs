//! What the host finds out about itself.

use super::Steps;
use crate::{
    effect::kernel,
    host::{durable, os_release},
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    inventory::{Facts, PackageSet, Platform},
};
use std::path::{Path, PathBuf};

impl Steps {
    pub(super) async fn find_facts(&self) -> Result<(Facts, PackageSet), Failure> {
        let packages = self.manager.database().await?.package_set();
        let facts = Facts {
            platform: self.platform().await?,
            kernel: kernel::running()?,
            packages: packages.digest(),
        };
        Ok((facts, packages))
    }

    /// What package files of this host are made for.
    pub(super) async fn platform(&self) -> Result<Platform, Failure> {
        Ok(Platform {
            os_release: self.os_release()?,
            architecture: self.manager.architecture().await?,
        })
    }

    /// The release that the root says; a root that says none has the machine's.
    fn os_release(&self) -> Result<String, Failure> {
        let files = ["etc/os-release", "usr/lib/os-release"];
        let roots = files.map(|file| self.settings.root.join(file));
        let machine = files.map(|file| Path::new("/").join(file));
        let all: Vec<PathBuf> = roots.into_iter().chain(machine).collect();
        for path in &all {
            let text = durable::read(path)?.unwrap_or_default();
            if let Some(release) = os_release::parse(&String::from_utf8_lossy(&text)) {
                return Ok(release);
            }
        }
        let detail = "no os-release file names this distribution";
        Err(Failure::new(FailureKind::Unsupported, detail))
    }
}
