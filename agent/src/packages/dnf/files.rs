//! Versions of packages as their files say them: found on this host, or fetched by dnf.

use super::{
    Dnf, label,
    repositories::{FETCH_DEADLINE, RESOLVED},
};
use crate::{
    host::{
        durable::{self, FileError},
        keep,
    },
    packages::{
        archive::{Download, Exactly, files_in},
        stanza,
        upgrade::offer::Offer,
    },
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    package::PackageFormat,
    patch::LockedPackage,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

impl Dnf {
    /// Hashes and sizes of versions of packages, by their files, in the same order. Absent: no repository
    /// has it.
    ///
    /// # Errors
    /// A [`Failure`] when dnf cannot be asked.
    pub async fn locked(
        &self,
        wanted: &[Exactly<'_>],
    ) -> Result<Vec<Option<LockedPackage>>, Failure> {
        let files = self.files_of(wanted).await?;
        let mut locked = Vec::new();
        for (one, file) in wanted.iter().zip(files) {
            locked.push(match file {
                None => None,
                Some(file) => Some(LockedPackage {
                    name: one.name.to_owned(),
                    version: one.version.to_owned(),
                    sha256: keep::digest_of(&file).await?,
                    size: fs::metadata(&file)
                        .map_err(FileError::of("reading", &file))?
                        .len(),
                }),
            });
        }
        Ok(locked)
    }

    /// What the files of versions of packages say, in the same order. Absent: no repository has it.
    ///
    /// # Errors
    /// A [`Failure`] when dnf cannot be asked.
    pub async fn offers(&self, wanted: &[Exactly<'_>]) -> Result<Vec<Option<Offer>>, Failure> {
        let locked = self.locked(wanted).await?;
        let mut offers = Vec::new();
        for (file, locked) in self.files_of(wanted).await?.into_iter().zip(locked) {
            offers.push(match (file, locked) {
                (Some(file), Some(locked)) => {
                    let said = self.relations(&file).await?;
                    let source = said
                        .source
                        .map(|(_, version)| with_epoch_of(&locked.version, &version));
                    Some(Offer::new(locked, said.needs, said.stands_for, source))
                }
                (None, _) | (_, None) => None,
            });
        }
        Ok(offers)
    }

    /// Fetches package files into an empty folder, and writes down how. What was fetched before one failed
    /// stays there.
    ///
    /// # Errors
    /// A [`Failure`] when not all could be fetched.
    pub async fn fetch(
        &self,
        wanted: &[Exactly<'_>],
        download: Download<'_>,
    ) -> Result<(), Failure> {
        let architecture = self.architecture().await?;
        let (foreign, native): (Vec<_>, Vec<_>) =
            wanted.iter().partition(|one| one.name.contains(':'));
        for (some, arguments) in [
            (
                native,
                vec!["--arch", architecture.as_str(), "--arch", "noarch"],
            ),
            (foreign, Vec::new()),
        ] {
            if some.is_empty() {
                continue;
            }
            let command = self
                .dnf_at(download.rate)?
                .args(["download", "--destdir"])
                .arg(download.folder)
                .args(arguments)
                .args(some.into_iter().map(Exactly::nevra))
                .deadline(FETCH_DEADLINE)
                .transcript(download.transcript.to_owned());
            self.must(&command).await?;
        }
        Ok(())
    }

    /// The files on this host that may be a version of a package, by their names: of what was resolved, and
    /// in dnf's own cache.
    ///
    /// # Errors
    /// A [`Failure`] when a folder is there and cannot be read.
    pub fn cached(&self, wanted: Exactly<'_>) -> Result<Vec<PathBuf>, Failure> {
        let mut folders = vec![self.folder.join(RESOLVED)];
        let cache = fs::read_dir(self.root.join("var/cache/dnf"));
        folders.extend(
            cache
                .into_iter()
                .flatten()
                .flatten()
                .map(|it| it.path().join("packages")),
        );
        let version = wanted.version.rsplit(':').next().unwrap_or(wanted.version);
        let base = stanza::base(wanted.name);
        let start = format!("{base}-{version}.");
        let mut found = Vec::new();
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            let files = files_in(folder, PackageFormat::Rpm)?;
            found.extend(files.into_iter().filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(&start)
            }));
        }
        Ok(found)
    }

    /// The files of versions of packages, in the same order: of what was resolved last, or fetched beside
    /// it now.
    async fn files_of(&self, wanted: &[Exactly<'_>]) -> Result<Vec<Option<PathBuf>>, Failure> {
        let folder = self.folder.join(RESOLVED);
        let mut files = Vec::new();
        for one in wanted {
            let mut file = self.find(*one).await?;
            if file.is_none() {
                let log = self.folder.join("resolved.log");
                durable::remove(&log)?;
                let download = Download {
                    folder: &folder,
                    transcript: &log,
                    rate: None,
                };
                match self.fetch(&[*one], download).await {
                    Err(failure) if failure.kind == FailureKind::NotFound => {}
                    fetched => fetched?,
                }
                file = self.find(*one).await?;
            }
            files.push(file);
        }
        Ok(files)
    }

    async fn find(&self, wanted: Exactly<'_>) -> Result<Option<PathBuf>, Failure> {
        for file in self.cached(wanted)? {
            let label = self.label(&file).await?;
            if label.is_version_of(wanted.name, wanted.version) {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// What a package file needs and stands for.
    pub(super) async fn relations(&self, file: &Path) -> Result<label::Relations, Failure> {
        Ok(label::relations(
            &self.ask_file(file, label::RELATIONS).await?,
        ))
    }
}

impl Exactly<'_> {
    /// As rpm and dnf write it: `name-epoch:version-release`, and its architecture where it is another.
    pub(super) fn nevra(&self) -> String {
        match self.name.split_once(':') {
            Some((name, architecture)) => format!("{name}-{}.{architecture}", self.version),
            None => format!("{}-{}", self.name, self.version),
        }
    }
}

/// The name of a source package's file does not tell its epoch, which is that of what is built of it.
fn with_epoch_of(version: &str, source: &str) -> String {
    match version.split_once(':') {
        Some((epoch, _)) => format!("{epoch}:{source}"),
        None => source.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_packages_are_written_as_dnf_reads_them() {
        let nevra = |name, version| Exactly { name, version }.nevra();
        assert_eq!(nevra("openssl", "1:3.0.7-24.el9"), "openssl-1:3.0.7-24.el9");
        assert_eq!(nevra("glibc:i686", "2.34-60.el9"), "glibc-2.34-60.el9.i686");
    }
}
