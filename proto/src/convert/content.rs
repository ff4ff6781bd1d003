//! What a host is to stage and apply, and what it found out about itself.

use super::{
    bounds::MAX_PACKAGES,
    config,
    field::{At, FieldError, Problem},
    read, write,
};
use crate::v1::{self, content};
use cofferdam_engine::{
    inventory::{Facts, Platform},
    patch::{Content, LockedPackage},
    reach::Reach,
};
use std::collections::{BTreeMap, BTreeSet};

impl From<Platform> for v1::Platform {
    fn from(platform: Platform) -> Self {
        Self {
            os_release: platform.os_release,
            architecture: platform.architecture,
        }
    }
}

impl TryFrom<v1::Platform> for Platform {
    type Error = FieldError;
    fn try_from(wire: v1::Platform) -> Result<Self, FieldError> {
        Ok(Self {
            os_release: read::filled_line(wire.os_release).at("os_release")?,
            architecture: read::filled_line(wire.architecture).at("architecture")?,
        })
    }
}

impl From<Facts> for v1::Facts {
    fn from(facts: Facts) -> Self {
        Self {
            platform: Some(facts.platform.into()),
            kernel: facts.kernel,
            packages: write::digest(facts.packages),
        }
    }
}

impl TryFrom<v1::Facts> for Facts {
    type Error = FieldError;
    fn try_from(wire: v1::Facts) -> Result<Self, FieldError> {
        Ok(Self {
            platform: read::message(wire.platform).at("platform")?,
            kernel: read::line(wire.kernel).at("kernel")?,
            packages: read::digest(&wire.packages).at("packages")?,
        })
    }
}

impl From<LockedPackage> for v1::LockedPackage {
    fn from(package: LockedPackage) -> Self {
        Self {
            name: package.name,
            version: package.version,
            sha256: write::digest(package.sha256),
            size: package.size,
        }
    }
}

impl TryFrom<v1::LockedPackage> for LockedPackage {
    type Error = FieldError;
    fn try_from(wire: v1::LockedPackage) -> Result<Self, FieldError> {
        Ok(Self {
            name: read::package_name(wire.name).at("name")?,
            version: read::package_version(wire.version).at("version")?,
            sha256: read::digest(&wire.sha256).at("sha256")?,
            size: read::size(wire.size).at("size")?,
        })
    }
}

impl From<Content> for v1::Content {
    fn from(content: Content) -> Self {
        let content = match content {
            Content::Packages { packages, reach } => {
                content::Content::Packages(content::Packages {
                    packages: write::list(packages),
                    upgrade_only: reach_to_wire(reach),
                })
            }
            Content::Config { config, files } => config::to_wire(config, files),
            Content::Noop => content::Content::Noop(content::Noop {}),
        };
        Self {
            content: Some(content),
        }
    }
}

impl TryFrom<v1::Content> for Content {
    type Error = FieldError;
    fn try_from(wire: v1::Content) -> Result<Self, FieldError> {
        match read::required(wire.content)? {
            content::Content::Packages(wire) => {
                let packages = read::list(wire.packages, MAX_PACKAGES).at("packages.packages")?;
                let reach = reach_from_wire(wire.upgrade_only);
                let reach = reach.at("packages.upgrade_only")?;
                Ok(Self::Packages { packages, reach })
            }
            content::Content::Config(wire) => config::one(wire).at("config"),
            content::Content::ConfigFiles(wire) => config::several(wire).at("config_files"),
            content::Content::Noop(content::Noop {}) => Ok(Self::Noop),
        }
    }
}

fn reach_to_wire(reach: Reach) -> Option<v1::UpgradeOnly> {
    let Reach::Upgrade { needed_by } = reach else {
        return None;
    };
    let additions = needed_by.into_iter().map(|(name, by)| v1::Addition {
        name,
        needed_by: by.into_iter().collect(),
    });
    Some(v1::UpgradeOnly {
        additions: additions.collect(),
    })
}

fn reach_from_wire(wire: Option<v1::UpgradeOnly>) -> Result<Reach, FieldError> {
    let Some(wire) = wire else {
        return Ok(Reach::Every);
    };
    let mut needed_by = BTreeMap::new();
    for Addition { name, by } in read::list(wire.additions, MAX_PACKAGES).at("additions")? {
        if needed_by.insert(name.clone(), by).is_some() {
            return Err(Problem::Twice(name)).at("additions");
        }
    }
    Ok(Reach::Upgrade { needed_by })
}

struct Addition {
    name: String,
    by: BTreeSet<String>,
}

impl TryFrom<v1::Addition> for Addition {
    type Error = FieldError;
    fn try_from(wire: v1::Addition) -> Result<Self, FieldError> {
        let by = read::package_names(wire.needed_by).at("needed_by")?;
        Ok(Self {
            name: read::package_name(wire.name).at("name")?,
            by: by.into_iter().collect(),
        })
    }
}
