//! Whether a package file is the one that is installed, by dpkg's own book.
//!
//! dpkg keeps a package's maintainer scripts and its other control files as they were, and the MD5 sums
//! of its files and config files. A package file that has the same scripts, nothing but these files with
//! these sums, and gives nobody more of them than the installed ones do, does what the installed one did.
//! Who brought it does not matter then.

mod control;
mod rights;
mod size;

use super::Apt;
use crate::host::{
    command::Command,
    durable::{self, FileError},
};
use cofferdam_engine::failure::{Failure, FailureKind};
use control::{Book, SUMS};
use rights::Rights;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// Where a package file's own are once it is unpacked.
const CONTROL: &str = "DEBIAN";

/// Files whose sums are asked for at once: their names are arguments, and come back in the answer.
const AT_ONCE: usize = 200;

/// What dpkg's book has of a package's files: MD5 sums by path, without the first `/`.
struct Sums {
    files: BTreeMap<PathBuf, String>,
    /// Those of earlier versions too, which it may not bring any more.
    conffiles: BTreeMap<PathBuf, String>,
}

impl Sums {
    fn of(&self, inner: &Path) -> Option<&String> {
        self.files.get(inner).or_else(|| self.conffiles.get(inner))
    }
}

/// How the files of a package file are found.
#[derive(Debug, Default)]
struct Tree {
    files: Vec<PathBuf>,
    links: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    odd: Vec<PathBuf>,
}

impl Apt {
    /// Makes sure that a package file is the installed version of a package. It is unpacked into `tree`,
    /// which must not exist, and nothing of it is run.
    ///
    /// # Errors
    /// [`FailureKind::Signature`] names what is other; any other [`Failure`] says why nobody knows.
    pub async fn require_installed_from(
        &self,
        deb: &Path,
        name: &str,
        tree: &Path,
    ) -> Result<(), Failure> {
        let unpack = Command::new("dpkg-deb").arg("--raw-extract").arg(deb);
        self.must(&unpack.arg(tree)).await?;
        let book = self.control_files(name).await?;
        let found = Tree::of(tree).map_err(FileError::of("reading", tree))?;
        let control = tree.join(CONTROL);
        self.same_control(deb, name, (&control, &book)).await?;
        let sums = self.sums_in_book(name, &book).await?;
        self.same_files(tree, &found, &sums).await?;
        self.same_rights(tree, &found)
    }

    /// Makes sure that a package file has the control files of the installed version, among which are the sums of
    /// all that is in it. They are unpacked into `folder`, which is empty.
    ///
    /// # Errors
    /// As of [`Self::require_installed_from`].
    pub async fn require_same_build(
        &self,
        deb: &Path,
        name: &str,
        folder: &Path,
    ) -> Result<(), Failure> {
        let unpack = Command::new("dpkg-deb").arg("--control").arg(deb);
        self.must(&unpack.arg(folder)).await?;
        let book = self.control_files(name).await?;
        self.same_control(deb, name, (folder, &book)).await
    }

    /// The sums of the installed version's files.
    async fn sums_in_book(&self, name: &str, book: &Book) -> Result<Sums, Failure> {
        let mut files = BTreeMap::new();
        if let Some(path) = book.get(SUMS) {
            let text = durable::read(path)?.unwrap_or_default();
            for line in String::from_utf8_lossy(&text).lines() {
                if let Some((sum, path)) = line.split_once("  ") {
                    files.insert(PathBuf::from(path), sum.to_owned());
                }
            }
        }
        let conffiles = self.conffiles(&[name]).await?.0.into_values().flatten();
        let inner = |(path, sum): (PathBuf, String)| {
            (path.strip_prefix("/").unwrap_or(&path).to_owned(), sum)
        };
        let conffiles = conffiles.map(inner).collect();
        Ok(Sums { files, conffiles })
    }

    async fn same_files(&self, tree: &Path, found: &Tree, sums: &Sums) -> Result<(), Failure> {
        if let Some(odd) = found.odd.first() {
            return Err(other(odd, "is no file, folder or link"));
        }
        for files in found.files.chunks(AT_ONCE) {
            let paths: Vec<PathBuf> = files.iter().map(|inner| tree.join(inner)).collect();
            let have = self.sums(&paths).await?;
            let is_other = |(inner, path): &(&PathBuf, &PathBuf)| {
                let sum = have.get(*path);
                sum.is_none() || sum != sums.of(inner)
            };
            if let Some((inner, _)) = files.iter().zip(&paths).find(is_other) {
                return Err(other(inner, "is not as it was installed"));
            }
        }
        let brought: BTreeSet<&PathBuf> = found.files.iter().collect();
        if let Some(lacks) = sums.files.keys().find(|inner| !brought.contains(inner)) {
            return Err(other(lacks, "is not in it"));
        }
        for inner in &found.links {
            let target = |path: PathBuf| fs::read_link(path).ok();
            let installed = self.root.join(&inner.to_string_lossy());
            if target(tree.join(inner)) != target(installed) {
                return Err(other(inner, "leads elsewhere than the installed one"));
            }
        }
        Ok(())
    }

    /// Nobody may have more of a file or a folder than of the installed one.
    fn same_rights(&self, tree: &Path, found: &Tree) -> Result<(), Failure> {
        for inner in found.files.iter().chain(&found.folders) {
            // A folder may be reached by a link, as `/lib` is.
            let installed = self.root.resolve(&Path::new("/").join(inner));
            let installed = installed.ok().and_then(|path| Rights::at(&path));
            let brought = Rights::at(&tree.join(inner));
            let is_harmless = brought.is_some_and(|brought| {
                brought.give_no_more_than(installed.unwrap_or_else(Rights::none))
            });
            if !is_harmless {
                let how = "has another owner or other rights than the installed one";
                return Err(other(inner, how));
            }
        }
        Ok(())
    }
}

impl Tree {
    /// All below a folder but the control files.
    fn of(folder: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        let mut open = vec![PathBuf::new()];
        while let Some(inner) = open.pop() {
            for entry in fs::read_dir(folder.join(&inner))? {
                let entry = entry?;
                let path = inner.join(entry.file_name());
                let kind = entry.file_type()?;
                if path == Path::new(CONTROL) {
                    continue;
                } else if kind.is_dir() {
                    open.push(path.clone());
                    tree.folders.push(path);
                } else if kind.is_file() {
                    tree.files.push(path);
                } else if kind.is_symlink() {
                    tree.links.push(path);
                } else {
                    tree.odd.push(path);
                }
            }
        }
        Ok(tree)
    }
}

fn other(what: &Path, how: &str) -> Failure {
    let detail = format!(
        "a package file is not the installed one: {} {how}",
        what.display()
    );
    Failure::new(FailureKind::Signature, detail)
}
