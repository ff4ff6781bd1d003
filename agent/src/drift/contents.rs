//! What is on a host: its packages and the files that are watched.

use super::{
    hang::Progress,
    installed::{self, InstalledError},
    pattern::{self, FindError, Pattern, gone_is_none},
};
use crate::host::{durable::FileError, keep, root::Root, stamp::Stamp};
use cofferdam_engine::digest::Digest;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::Path,
};

/// What is on a host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contents {
    /// The version of each package, by name and architecture, as in `tea:all`.
    pub packages: BTreeMap<String, String>,
    /// The files, by their paths below the root.
    pub files: BTreeMap<String, FileFacts>,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// What is in it.
    #[serde(flatten)]
    pub holds: Holds,
    /// Its permissions, with those for running as another.
    pub mode: u32,
    /// Its owner, by number.
    pub uid: u32,
    /// Its group, by number.
    pub gid: u32,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// Content of this digest.
    Sha256(Digest),
    /// It is a symlink to this path.
    Link(String),
}

/// What is on a host cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// Its packages cannot.
    #[error(transparent)]
    Installed(#[from] InstalledError),
    /// The files that are watched cannot be found.
    #[error(transparent)]
    Find(#[from] FindError),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Contents {
    /// Takes as expected what changed between two moments, and nothing else: what was found otherwise
    /// than expected before them stays so.
    pub fn follow(&mut self, before: &Self, after: &Self) {
        follow(&mut self.packages, &before.packages, &after.packages);
        follow(&mut self.files, &before.files, &after.files);
    }
}

fn follow<T: Clone + PartialEq>(
    expected: &mut BTreeMap<String, T>,
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
) {
    for (name, _, now) in differences(before, after) {
        match now {
            Some(now) => expected.insert(name.clone(), now.clone()),
            None => expected.remove(name),
        };
    }
}

/// What two maps do not have in common, in order: with what each has. Absent: it has none.
pub(super) fn differences<'a, T: PartialEq>(
    one: &'a BTreeMap<String, T>,
    other: &'a BTreeMap<String, T>,
) -> Vec<(&'a String, Option<&'a T>, Option<&'a T>)> {
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let both = names
        .into_iter()
        .map(|name| (name, one.get(name), other.get(name)));
    both.filter(|(_, one, other)| one != other).collect()
}

/// Reads what is on a host. It remembers files, so that those that have not changed since, as their status
/// says, are not read again.
#[derive(Debug, Default)]
pub struct Reader {
    known: BTreeMap<String, (Stamp, FileFacts)>,
}

impl Reader {
    /// Reads what is on a root now.
    ///
    /// # Errors
    /// [`ContentsError`] when that cannot be told.
    pub fn read(
        &mut self,
        root: &Root,
        patterns: &BTreeSet<Pattern>,
        progress: &Progress,
    ) -> Result<Contents, ContentsError> {
        let mut known = BTreeMap::new();
        for (path, place) in pattern::find(root, patterns, progress)? {
            if let Some(found) = self.file(&path, &place, progress)? {
                known.insert(path, found);
            }
        }
        progress
            .done()
            .map_err(FileError::of("looking at", root.path()))?;
        self.known = known;
        let files = self.known.iter();
        Ok(Contents {
            packages: installed::read(root)?.packages,
            files: files
                .map(|(path, (_, facts))| (path.clone(), facts.clone()))
                .collect(),
        })
    }

    /// Absent: it is gone since it was found.
    fn file(
        &self,
        path: &str,
        place: &Path,
        progress: &Progress,
    ) -> Result<Option<(Stamp, FileFacts)>, FileError> {
        let looked = progress
            .at(place)
            .and_then(|()| fs::symlink_metadata(place));
        let Some(meta) = gone_is_none(looked).map_err(FileError::of("looking at", place))? else {
            return Ok(None);
        };
        let stamp = Stamp::of(&meta);
        if let Some((seen, facts)) = self.known.get(path)
            && *seen == stamp
        {
            return Ok(Some((stamp, facts.clone())));
        }
        let holds =
            gone_is_none(holds(place, &meta, progress)).map_err(FileError::of("reading", place))?;
        Ok(holds.map(|holds| {
            let facts = FileFacts {
                holds,
                mode: meta.mode() & 0o7777,
                uid: meta.uid(),
                gid: meta.gid(),
            };
            (stamp, facts)
        }))
    }
}

fn holds(place: &Path, meta: &Metadata, progress: &Progress) -> std::io::Result<Holds> {
    if meta.is_symlink() {
        let target = fs::read_link(place)?;
        return Ok(Holds::Link(target.to_string_lossy().into_owned()));
    }
    let file = fs::File::open(place)?;
    keep::hash_of(progress.reading(place, file)).map(Holds::Sha256)
}

/// What tells, without reading anything, whether [`Reader::read`] would say the same again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    database: Vec<Option<Stamp>>,
    files: BTreeMap<String, Option<Stamp>>,
}

impl Glance {
    /// Looks at a root.
    ///
    /// # Errors
    /// [`ContentsError`] when a folder cannot be read.
    pub fn at(
        root: &Root,
        patterns: &BTreeSet<Pattern>,
        progress: &Progress,
    ) -> Result<Self, ContentsError> {
        let mut files = BTreeMap::new();
        for (path, place) in pattern::find(root, patterns, progress)? {
            progress
                .at(&place)
                .map_err(FileError::of("looking at", &place))?;
            files.insert(path, stamp(&place));
        }
        progress
            .done()
            .map_err(FileError::of("looking at", root.path()))?;
        Ok(Self {
            database: installed::stamps(root)?,
            files,
        })
    }
}

/// The stamp of what is at a path. Absent: nothing that can be looked at.
pub(super) fn stamp(place: &Path) -> Option<Stamp> {
    fs::symlink_metadata(place)
        .ok()
        .map(|meta| Stamp::of(&meta))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn root(folder: &tempfile::TempDir) -> (Root, BTreeSet<Pattern>) {
        let root = Root::new(folder.path()).unwrap();
        fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
        let status = "Package: tea\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n";
        fs::write(root.join(installed::STATUS), status).unwrap();
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(root.join("etc/a"), "one").unwrap();
        fs::set_permissions(root.join("etc/a"), PermissionsExt::from_mode(0o640)).unwrap();
        symlink("a", root.join("etc/link")).unwrap();
        (root, [Pattern::parse("/etc").unwrap()].into())
    }

    #[test]
    fn packages_and_files_are_read_with_what_tells_them_apart() {
        let folder = tempfile::tempdir().unwrap();
        let (root, patterns) = root(&folder);
        let contents = Reader::default()
            .read(&root, &patterns, &Progress::default())
            .unwrap();
        assert_eq!(contents.packages["tea:all"], "1");
        assert_eq!(
            contents.files["/etc/a"].holds,
            Holds::Sha256(Digest::of("one"))
        );
        assert_eq!(contents.files["/etc/a"].mode, 0o640);
        assert_eq!(
            contents.files["/etc/link"].holds,
            Holds::Link("a".to_owned())
        );
        let json = serde_json::to_string(&contents).unwrap();
        assert_eq!(serde_json::from_str::<Contents>(&json).unwrap(), contents);
    }

    #[test]
    fn a_file_is_read_again_only_when_its_status_moved() {
        let folder = tempfile::tempdir().unwrap();
        let (root, patterns) = root(&folder);
        let mut reader = Reader::default();
        let first = reader.read(&root, &patterns, &Progress::default()).unwrap();
        let glance = Glance::at(&root, &patterns, &Progress::default()).unwrap();
        // What it remembers is believed as long as the status stands.
        for (_, facts) in reader.known.values_mut() {
            facts.uid = 4_711;
        }
        assert_eq!(
            reader
                .read(&root, &patterns, &Progress::default())
                .unwrap()
                .files["/etc/a"]
                .uid,
            4_711
        );
        assert_eq!(
            Glance::at(&root, &patterns, &Progress::default()).unwrap(),
            glance
        );
        fs::write(root.join("etc/a"), "three").unwrap();
        assert_ne!(
            Glance::at(&root, &patterns, &Progress::default()).unwrap(),
            glance
        );
        let third = reader.read(&root, &patterns, &Progress::default()).unwrap();
        assert_eq!(third.files["/etc/a"].uid, first.files["/etc/a"].uid);
        assert_ne!(third.files["/etc/a"].holds, first.files["/etc/a"].holds);
        fs::remove_file(root.join("etc/a")).unwrap();
        let fourth = reader.read(&root, &patterns, &Progress::default()).unwrap();
        assert_eq!(fourth.files.keys().collect::<Vec<_>>(), ["/etc/link"]);
    }

    /// Each case: what was expected, what was there before and after an order, what is expected then.
    #[test]
    fn what_an_order_changes_is_expected_and_what_had_drifted_before_stays_drift() {
        let map = |version: Option<&str>| -> BTreeMap<String, String> {
            version
                .map(|v| ("tea:all".to_owned(), v.to_owned()))
                .into_iter()
                .collect()
        };
        for (expected, before, after, then) in [
            (Some("1"), Some("1"), Some("2"), Some("2")),
            (Some("1"), Some("9"), Some("9"), Some("1")),
            (Some("1"), Some("9"), Some("2"), Some("2")),
            (Some("1"), Some("1"), None, None),
            (None, None, Some("1"), Some("1")),
            (None, Some("9"), Some("9"), None),
            (None, Some("9"), None, None),
        ] {
            let mut follows = map(expected);
            follow(&mut follows, &map(before), &map(after));
            assert_eq!(follows, map(then), "{expected:?} {before:?} {after:?}");
        }
    }
}
