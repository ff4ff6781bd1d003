//! Where package files are to be had from, and their bytes.

use super::{
    bounds::{MAX_CHUNK_BYTES, MAX_PACKAGES},
    field::{At, FieldError, Problem},
    read, write,
};
use crate::{
    artefact::{
        FetchArtefact, FindArtefacts, MAX_BUILDS, PackageFile, SuppliedArtefact, SupplyRequest,
        WantedArtefact, Whereabouts,
    },
    v1::{self, found_artefact},
};
use cofferdam_engine::patch::Content;

impl From<FetchArtefact> for v1::FetchArtefactRequest {
    fn from(wanted: FetchArtefact) -> Self {
        Self {
            digest: write::digest(wanted.digest),
            offset: wanted.offset,
        }
    }
}

impl TryFrom<v1::FetchArtefactRequest> for FetchArtefact {
    type Error = FieldError;
    fn try_from(wire: v1::FetchArtefactRequest) -> Result<Self, FieldError> {
        Ok(Self {
            digest: read::digest(&wire.digest).at("digest")?,
            offset: read::size(wire.offset).at("offset")?,
        })
    }
}

impl v1::Chunk {
    /// The bytes of the chunk: at least one, at most [`MAX_CHUNK_BYTES`].
    ///
    /// # Errors
    /// [`FieldError`] when it has none, or more.
    pub fn into_bytes(self) -> Result<Vec<u8>, FieldError> {
        let (len, max) = (self.data.len(), MAX_CHUNK_BYTES);
        let checked = match len {
            0 => Err(Problem::Empty),
            _ if len > max => Err(Problem::TooLong { len, max }),
            _ => Ok(self.data),
        };
        checked.at("data")
    }
}

impl From<PackageFile> for v1::PackageFile {
    fn from(package: PackageFile) -> Self {
        Self {
            platform: Some(package.platform.into()),
            name: package.name,
            version: package.version,
        }
    }
}

impl TryFrom<v1::PackageFile> for PackageFile {
    type Error = FieldError;
    fn try_from(wire: v1::PackageFile) -> Result<Self, FieldError> {
        Ok(Self {
            platform: read::message(wire.platform).at("platform")?,
            name: read::package_name(wire.name).at("name")?,
            version: read::package_version(wire.version).at("version")?,
        })
    }
}

impl From<WantedArtefact> for v1::WantedArtefact {
    fn from(wanted: WantedArtefact) -> Self {
        Self {
            package: Some(wanted.package.into()),
            locked: wanted.locked.map(Into::into),
            has_it: wanted.has_it,
            refused: wanted.refused.into_iter().map(write::digest).collect(),
        }
    }
}

impl TryFrom<v1::WantedArtefact> for WantedArtefact {
    type Error = FieldError;
    fn try_from(wire: v1::WantedArtefact) -> Result<Self, FieldError> {
        Ok(Self {
            package: read::message(wire.package).at("package")?,
            locked: read::optional(wire.locked).at("locked")?,
            has_it: wire.has_it,
            refused: read::list_of(wire.refused, MAX_BUILDS, |digest| read::digest(&digest))
                .at("refused")?
                .into_iter()
                .collect(),
        })
    }
}

impl From<FindArtefacts> for v1::FindArtefactsRequest {
    fn from(asked: FindArtefacts) -> Self {
        Self {
            wanted: write::list(asked.wanted),
            cannot: write::list(asked.cannot),
        }
    }
}

impl TryFrom<v1::FindArtefactsRequest> for FindArtefacts {
    type Error = FieldError;
    fn try_from(wire: v1::FindArtefactsRequest) -> Result<Self, FieldError> {
        Ok(Self {
            wanted: read::list(wire.wanted, MAX_PACKAGES).at("wanted")?,
            cannot: read::list(wire.cannot, MAX_PACKAGES).at("cannot")?,
        })
    }
}

impl From<Vec<Whereabouts>> for v1::FindArtefactsReply {
    fn from(found: Vec<Whereabouts>) -> Self {
        let found = write::list(found);
        Self { found }
    }
}

impl TryFrom<v1::FindArtefactsReply> for Vec<Whereabouts> {
    type Error = FieldError;
    fn try_from(wire: v1::FindArtefactsReply) -> Result<Self, FieldError> {
        read::list(wire.found, MAX_PACKAGES).at("found")
    }
}

impl From<Whereabouts> for v1::FoundArtefact {
    fn from(found: Whereabouts) -> Self {
        use found_artefact::{Bring, Elsewhere, Found, Wait};
        let found = match found {
            Whereabouts::Stored(file) => Found::Stored(file.into()),
            Whereabouts::Bring => Found::Bring(Bring {}),
            Whereabouts::Wait { reason } => Found::Wait(Wait {
                reason: write::line(&reason),
            }),
            Whereabouts::Elsewhere { reason } => Found::Elsewhere(Elsewhere {
                reason: write::line(&reason),
            }),
        };
        let found = Some(found);
        Self { found }
    }
}

impl TryFrom<v1::FoundArtefact> for Whereabouts {
    type Error = FieldError;
    fn try_from(wire: v1::FoundArtefact) -> Result<Self, FieldError> {
        use found_artefact::{Bring, Elsewhere, Found, Wait};
        match read::required(wire.found).at("found")? {
            Found::Stored(file) => Ok(Self::Stored(file.try_into().at("stored")?)),
            Found::Bring(Bring {}) => Ok(Self::Bring),
            Found::Wait(Wait { reason }) => Ok(Self::Wait {
                reason: read::line(reason).at("wait.reason")?,
            }),
            Found::Elsewhere(Elsewhere { reason }) => Ok(Self::Elsewhere {
                reason: read::line(reason).at("elsewhere.reason")?,
            }),
        }
    }
}

impl From<SuppliedArtefact> for v1::SuppliedArtefact {
    fn from(supplied: SuppliedArtefact) -> Self {
        Self {
            package: Some(supplied.package.into()),
            file: Some(supplied.file.into()),
        }
    }
}

impl TryFrom<v1::SuppliedArtefact> for SuppliedArtefact {
    type Error = FieldError;
    fn try_from(wire: v1::SuppliedArtefact) -> Result<Self, FieldError> {
        Ok(Self {
            package: read::message(wire.package).at("package")?,
            file: read::message(wire.file).at("file")?,
        })
    }
}

impl From<SupplyRequest> for v1::Supply {
    fn from(request: SupplyRequest) -> Self {
        let SupplyRequest { packages, reach } = request;
        let packages = Content::Packages { packages, reach };
        Self {
            content: Some(packages.into()),
        }
    }
}

impl TryFrom<v1::Supply> for SupplyRequest {
    type Error = FieldError;
    fn try_from(wire: v1::Supply) -> Result<Self, FieldError> {
        match read::message(wire.content).at("content")? {
            Content::Packages { packages, reach } => Ok(Self { packages, reach }),
            Content::Config { .. } | Content::Noop => Err(Problem::Missing).at("content.packages"),
        }
    }
}
