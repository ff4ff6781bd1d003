//! Room for a patch of packages, on every file system that it needs: before anything is fetched, and
//! before anything is changed.

use super::Steps;
use crate::{
    host::{
        durable::FileError,
        space::{self, Load},
    },
    packages::stanza::base,
};
use cofferdam_engine::{failure::Failure, patch::LockedPackage};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead as _, BufReader},
    path::Path,
};

/// Where packages unpack to: all of it may go to either.
const UNPACKED_TO: [&str; 2] = ["", "usr"];

/// Where dpkg has its lists of what packages brought.
const LISTS: &str = "var/lib/dpkg/info";

/// Where kernels are, and what is made for them at their installation.
const BOOT: &str = "boot";

/// What a new kernel needs there beside its package: its initial file system, and a second one while it is
/// made (guess: 50 to 100 MB each on Debian 12 with all drivers).
const INITRD_BYTES: u64 = 200 << 20;

impl Steps {
    /// Makes sure that the keep takes so many bytes of package files.
    pub(super) fn require_room_to_stage(&self, bytes: u64) -> Result<(), Failure> {
        let load = Load::bytes(bytes);
        Ok(space::require(
            &*self.outside.space,
            self.keep.folder(),
            load,
        )?)
    }

    /// Makes sure that there is room to unpack: package managers write the new files beside the old ones, so all of
    /// them need room at once, in bytes and in files; and they write their own book anew.
    pub(in crate::step) async fn require_room_to_change(
        &self,
        changed: &[&LockedPackage],
    ) -> Result<(), Failure> {
        if changed.is_empty() {
            return Ok(());
        }
        let mut unpacked = Load::default();
        let mut not_said = Vec::new();
        for package in changed {
            let label = self.keep.label(package.sha256);
            let kib = label.as_ref().map_or(0, |label| label.installed_kib);
            let bytes = kib.saturating_mul(1024).saturating_add(package.size);
            unpacked.bytes = unpacked.bytes.saturating_add(bytes);
            match label.and_then(|label| label.files) {
                Some(files) => unpacked.files = unpacked.files.saturating_add(files),
                None => not_said.push(*package),
            }
        }
        unpacked.files = unpacked.files.saturating_add(self.files_of(&not_said)?);
        for inner in UNPACKED_TO {
            self.require_room_at(inner, unpacked)?;
        }
        let book = self.manager.book().await?;
        let bytes = fs::metadata(&book).map_or(0, |book| book.len());
        self.require_room_in(book.parent().unwrap_or(&book), Load::bytes(bytes))?;
        match changed.iter().any(|package| is_kernel(&package.name)) {
            true => self.require_room_at(BOOT, Load::bytes(INITRD_BYTES)),
            false => Ok(()),
        }
    }

    fn require_room_at(&self, inner: &str, load: Load) -> Result<(), Failure> {
        self.require_room_in(&self.settings.root.join(inner), load)
    }

    fn require_room_in(&self, path: &Path, load: Load) -> Result<(), Failure> {
        if !path.exists() {
            return Ok(());
        }
        Ok(space::require(&*self.outside.space, path, load)?)
    }

    /// How many files packages have on the host: their next versions have as many, as far as anybody knows.
    /// One that is new here is in the margin.
    fn files_of(&self, packages: &[&LockedPackage]) -> Result<u64, Failure> {
        if packages.is_empty() {
            return Ok(0);
        }
        let folder = self.settings.root.join(LISTS);
        let names = packages.iter().map(|package| base(&package.name));
        let mut most: BTreeMap<&str, u64> = names.map(|name| (name, 0)).collect();
        let lists = fs::read_dir(&folder).map_err(FileError::of("reading", &folder))?;
        for path in lists.flatten().map(|list| list.path()) {
            if path.extension().is_none_or(|ending| ending != "list") {
                continue;
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            // Of a package that several architectures may have side by side, dpkg says which.
            if let Some(most) = most.get_mut(base(&stem)) {
                *most = (*most).max(lines(&path).map_err(FileError::of("reading", &path))?);
            }
        }
        // Each of several architectures brings its own.
        let files = packages
            .iter()
            .filter_map(|package| most.get(base(&package.name)));
        Ok(files.fold(0, |sum, files| sum.saturating_add(*files)))
    }
}

fn is_kernel(name: &str) -> bool {
    name.starts_with("linux-image-") || name.starts_with("kernel-core")
}

fn lines(path: &Path) -> io::Result<u64> {
    let lines = BufReader::new(fs::File::open(path)?).split(b'\n');
    lines.map(|line| line.map(|_| 1)).sum()
}
