//! Whether a package file is the one that is installed, by dpkg's own book.
//!
//! dpkg keeps a package's maintainer scripts and its other control files as they were, and the MD5 sums
//! of its files and config files. A package file that has the same scripts, nothing but these files with
//! these sums, and no rights that the installed ones lack, does what the installed one did. Who brought
//! it does not matter then.

use super::Apt;
use crate::host::{
    command::Command,
    durable::{self, FileError},
};
use cofferdam_engine::failure::{Failure, FailureKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// Where dpkg keeps control files, below the root.
const INFO: &str = "var/lib/dpkg/info";

/// Where a package file's own are once it is unpacked.
const CONTROL: &str = "DEBIAN";

/// The control file that dpkg keeps in its book instead.
const IN_BOOK: &str = "control";

/// What dpkg writes itself where a package brings none.
const SUMS: &str = "md5sums";

/// What a package may not lack if the installed one has it: they are run.
const RUN: [&str; 5] = ["preinst", "postinst", "prerm", "postrm", "config"];

/// Set-user-id, set-group-id, and everybody's leave to write.
const RIGHTS: u32 = 0o6002;

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
        same_control_files(&tree.join(CONTROL), &book)?;
        let sums = self.sums_in_book(name, &book).await?;
        self.same_files(tree, &found, &sums).await?;
        self.same_rights(tree, &found)
    }

    /// The control files that dpkg keeps of a package, by their kind.
    async fn control_files(&self, name: &str) -> Result<BTreeMap<String, PathBuf>, Failure> {
        let native = format!("{name}:{}", self.architecture().await?);
        let folder = self.root.join(INFO);
        let entries = fs::read_dir(&folder).map_err(FileError::of("reading", &folder))?;
        let mut files = BTreeMap::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            if stem == name || stem == native.as_str() {
                let kind = path.extension().unwrap_or_default().to_string_lossy();
                files.insert(kind.into_owned(), path.clone());
            }
        }
        Ok(files)
    }

    /// The sums of the installed version's files.
    async fn sums_in_book(
        &self,
        name: &str,
        book: &BTreeMap<String, PathBuf>,
    ) -> Result<Sums, Failure> {
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

    /// No file may have rights that the installed one lacks.
    fn same_rights(&self, tree: &Path, found: &Tree) -> Result<(), Failure> {
        let rights = |path: &Path| {
            let mode = fs::symlink_metadata(path).map(|found| found.permissions().mode());
            mode.map_or(0, |mode| mode & RIGHTS)
        };
        for inner in found.files.iter().chain(&found.folders) {
            let installed = rights(&self.root.join(&inner.to_string_lossy()));
            if rights(&tree.join(inner)) & !installed != 0 {
                return Err(other(inner, "has rights that the installed one lacks"));
            }
        }
        Ok(())
    }
}

/// Every control file is as dpkg keeps it, and none is missing that is run.
fn same_control_files(control: &Path, book: &BTreeMap<String, PathBuf>) -> Result<(), Failure> {
    let entries = fs::read_dir(control).map_err(FileError::of("reading", control))?;
    let mut brought = BTreeSet::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let kind = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if kind != IN_BOOK {
            let kept = match book.get(&kind) {
                Some(kept) => durable::read(kept)?,
                None => None,
            };
            if kept.is_none() || kept != durable::read(&path)? {
                return Err(other(Path::new(&kind), "is not as dpkg keeps it"));
            }
        }
        brought.insert(kind);
    }
    match RUN
        .iter()
        .find(|kind| book.contains_key(**kind) && !brought.contains(**kind))
    {
        Some(lacks) => Err(other(Path::new(lacks), "is not in it")),
        None => Ok(()),
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
