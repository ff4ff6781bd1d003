//! Where package files are to be had from: the region's artefact store, a host that brings them to it,
//! or the repositories.

use cofferdam_engine::{
    digest::Digest,
    inventory::Platform,
    patch::{LockedFile, LockedPackage},
    reach::Reach,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// The most files that the store has of one version of a package (guess: an archive builds one anew once, a mirror of
/// a company perhaps too).
pub const MAX_BUILDS: usize = 4;

/// A version of a package on a platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageFile {
    /// Whose package it is.
    pub platform: Platform,
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl fmt::Display for PackageFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.name, self.version, self.platform)
    }
}

/// A package file that an agent asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedArtefact {
    /// The package.
    pub package: PackageFile,
    /// The exact bits. Absent: any file of this package, which the agent proves itself.
    pub locked: Option<LockedFile>,
    /// Whether the agent has the file, and asks only whether the store wants it.
    pub has_it: bool,
    /// Which files of this package it is not: the agent has proved that. At most [`MAX_BUILDS`].
    pub refused: BTreeSet<Digest>,
}

/// What an agent asks of package files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindArtefacts {
    /// Where these are to be had from.
    pub wanted: Vec<WantedArtefact>,
    /// What it was told to bring and cannot.
    pub cannot: Vec<WantedArtefact>,
}

/// Where a package file is to be had from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// The store has it.
    Stored(LockedFile),
    /// The host's own repositories have it, and it is to be supplied to the store: nobody else does that.
    Bring,
    /// Another host brings it: ask again.
    Wait {
        /// Who does, for people.
        reason: String,
    },
    /// The host's own repositories have it; the store is not to be waited for.
    Elsewhere {
        /// Why, for people.
        reason: String,
    },
}

/// A package file that an agent brings to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppliedArtefact {
    /// The package.
    pub package: PackageFile,
    /// What its bytes are.
    pub file: LockedFile,
}

/// The bytes of one artefact that an agent wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchArtefact {
    /// The digest of all its bytes.
    pub digest: Digest,
    /// How many of the first bytes it has already.
    pub offset: u64,
}

/// Packages whose files a host is to bring to the store, and those that they replace there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplyRequest {
    /// As a lock file has them for the host's platform.
    pub packages: Vec<LockedPackage>,
    /// Which of them go on the host.
    pub reach: Reach,
}
