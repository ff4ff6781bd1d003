//! A package file's control files, against what dpkg keeps of the installed package's.

use super::{other, rights::Rights};
use crate::{
    host::{
        command::Command,
        durable::{self, FileError},
    },
    packages::{Apt, whole},
};
use cofferdam_engine::failure::Failure;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Where dpkg keeps control files, below the root.
const INFO: &str = "var/lib/dpkg/info";

/// The control file that dpkg keeps in its book instead.
const IN_BOOK: &str = "control";

/// What dpkg writes itself where a package brings none, and the list of a package's files, which it always
/// writes.
pub(super) const SUMS: &str = "md5sums";
const LIST: &str = "list";

/// What dpkg goes by of a package's `control`, in the format that dpkg-deb and dpkg-query share. The rest is
/// for people, or for those who choose packages.
const FIELDS: &str = "${Package}\n${Version}\n${Architecture}\n${Essential}\n${Protected}\n${Important}\n\
    ${Multi-Arch}\n${Pre-Depends}\n${Depends}\n${Conflicts}\n${Breaks}\n${Replaces}\n${Provides}\n";

/// The control files that dpkg keeps of a package, by their kind.
pub(super) type Book = BTreeMap<String, PathBuf>;

impl Apt {
    /// The control files that dpkg keeps of a package, by their kind.
    pub(super) async fn control_files(&self, name: &str) -> Result<Book, Failure> {
        let native = format!("{name}:{}", self.architecture().await?);
        let folder = self.root.join(INFO);
        let entries = fs::read_dir(&folder).map_err(FileError::of("reading", &folder))?;
        let mut files = Book::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            if stem == name || stem == native.as_str() {
                let kind = path.extension().unwrap_or_default().to_string_lossy();
                files.insert(kind.into_owned(), path.clone());
            }
        }
        Ok(files)
    }

    /// Makes sure that a package file's control files, which lie unpacked in a folder, are the installed one's.
    pub(super) async fn same_control(
        &self,
        deb: &Path,
        name: &str,
        (control, book): (&Path, &Book),
    ) -> Result<(), Failure> {
        let question = Command::new("dpkg-deb").args(["--show", "--showformat", FIELDS]);
        let question = question.arg(deb);
        let brought = self.must(&question).await?;
        whole(&question, &brought)?;
        if brought.stdout.text() != self.query_of(FIELDS, &[name]).await? {
            return Err(other(Path::new(IN_BOOK), "is not as dpkg has it"));
        }
        // dpkg unpacks them with their owners, and runs them from there.
        let info = Rights::at(&self.root.join(INFO)).unwrap_or_else(Rights::none);
        require_harmless(control, info)?;
        let folder = fs::symlink_metadata(control).map_err(FileError::of("reading", control))?;
        match folder.is_dir() {
            true => same_control_files(control, book),
            false => Err(other(control, "is no folder")),
        }
    }
}

/// Every control file is as dpkg keeps it, and none is missing that it has from the package.
fn same_control_files(control: &Path, book: &Book) -> Result<(), Failure> {
    let entries = fs::read_dir(control).map_err(FileError::of("reading", control))?;
    let mut brought = BTreeSet::from([SUMS, LIST].map(str::to_owned));
    for path in entries.flatten().map(|entry| entry.path()) {
        let kind = path.file_name().unwrap_or_default();
        let kind = kind.to_string_lossy().into_owned();
        // What a link leads to may be another thing by the time it is run.
        let is_file = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
        let rights = book.get(&kind).and_then(|kept| Rights::at(kept));
        require_harmless(&path, rights.unwrap_or_else(Rights::none))?;
        if kind == IN_BOOK && is_file {
            continue;
        }
        let kept = match book.get(&kind) {
            Some(kept) if is_file => durable::read(kept)?,
            Some(_) | None => None,
        };
        if kept.is_none() || kept != durable::read(&path)? {
            return Err(other(Path::new(&kind), "is not as dpkg keeps it"));
        }
        brought.insert(kind);
    }
    match book.keys().find(|kind| !brought.contains(*kind)) {
        Some(lacks) => Err(other(Path::new(lacks), "is not in it")),
        None => Ok(()),
    }
}

fn require_harmless(control: &Path, kept: Rights) -> Result<(), Failure> {
    let brought = Rights::at(control);
    match brought.is_some_and(|brought| brought.give_no_more_than(kept)) {
        true => Ok(()),
        false => Err(other(control, "could be written by others")),
    }
}
