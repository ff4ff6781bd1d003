//! Whether a package file is the one that is installed, by rpm's own book.
//!
//! rpm's database has the whole header of an installed package, with the header's SHA-256: its scripts, its
//! files and the digest of their archive. A package file with the same header, whose archive has that digest,
//! is that package, whoever brought it.

use super::{Dnf, dotted};
use cofferdam_engine::failure::{Failure, FailureKind};
use std::path::Path;

/// The format in which rpm is asked for the digest of a header.
const FORMAT: &str = "%{SHA256HEADER}\n";

/// What rpm says where a header has none: packages that were built before rpm 4.14.
const NONE: &str = "(none)";

impl Dnf {
    /// Makes sure that a package file is the installed version of a package. Nothing of it is run.
    ///
    /// # Errors
    /// [`FailureKind::Signature`] when it is another, or has no digest to tell; any other [`Failure`] says
    /// why nobody knows.
    pub async fn require_installed_from(&self, file: &Path, name: &str) -> Result<(), Failure> {
        if self.same_header(file, name).await?.trim() == NONE {
            return Err(other(name));
        }
        let digests = self.rpm().args(["--checksig", "--nosignature"]).arg(file);
        self.must(&digests).await?;
        Ok(())
    }

    /// Makes sure that a package file which nobody forged is the build that is installed. Of packages so old that
    /// their headers have no digest, the version alone says so.
    ///
    /// # Errors
    /// As of [`Self::require_installed_from`].
    pub async fn require_same_build(&self, file: &Path, name: &str) -> Result<(), Failure> {
        self.same_header(file, name).await.map(drop)
    }

    /// The digest that the headers of a package file and of the installed package both have.
    async fn same_header(&self, file: &Path, name: &str) -> Result<String, Failure> {
        let installed = self
            .rpm()
            .args(["--query", "--queryformat", FORMAT, "--"])
            .arg(dotted(name));
        let installed = self.answer(&installed).await?;
        match self.ask_file(file, FORMAT).await? == installed {
            true => Ok(installed),
            false => Err(other(name)),
        }
    }
}

fn other(name: &str) -> Failure {
    let detail = format!("a package file is not the installed {name}: its header is another");
    Failure::new(FailureKind::Signature, detail)
}
