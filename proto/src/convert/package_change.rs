//! What becomes of packages, as operators see it.

use super::{
    bounds::MAX_PACKAGES,
    field::{At, FieldError},
    read, write,
};
use crate::{
    operator::{PackageChangeView, PlatformChangeView},
    v1,
};

impl From<PlatformChangeView> for v1::PlatformChange {
    fn from(change: PlatformChangeView) -> Self {
        Self {
            platform: write::line(&change.platform),
            advisory: change.advisory,
            hosts: change.hosts,
            unaffected: change.unaffected,
            packages: write::list(change.packages),
        }
    }
}

impl TryFrom<v1::PlatformChange> for PlatformChangeView {
    type Error = FieldError;
    fn try_from(wire: v1::PlatformChange) -> Result<Self, FieldError> {
        Ok(Self {
            platform: read::filled_line(wire.platform).at("platform")?,
            advisory: read::optional_line(wire.advisory).at("advisory")?,
            hosts: wire.hosts,
            unaffected: wire.unaffected,
            packages: read::list(wire.packages, MAX_PACKAGES).at("packages")?,
        })
    }
}

impl From<PackageChangeView> for v1::PackageChange {
    fn from(change: PackageChangeView) -> Self {
        Self {
            name: write::line(&change.name),
            from: write::lines(change.from),
            to: write::line(&change.to),
            replaced: change.replaced,
            added: change.added,
        }
    }
}

impl TryFrom<v1::PackageChange> for PackageChangeView {
    type Error = FieldError;
    fn try_from(wire: v1::PackageChange) -> Result<Self, FieldError> {
        Ok(Self {
            name: read::filled_line(wire.name).at("name")?,
            from: read::lines(wire.from).at("from")?,
            to: read::filled_line(wire.to).at("to")?,
            replaced: wire.replaced,
            added: wire.added,
        })
    }
}
