//! Patterns of paths: which files of a host are watched.
//!
//! `*` and `?` stand for any characters of one name, a leading dot among them. A pattern that leads to a
//! folder takes all files below it.

use super::hang::Progress;
use crate::{
    guard::channels,
    host::{
        durable::{self, FileError},
        root::Root,
    },
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// The most files and folders that all patterns together may lead to (guess: all of a large `/etc` ten
/// times over; a look at so many takes a good second).
pub const MOST_ENTRIES: usize = 50_000;

/// A pattern of absolute paths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

/// The text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a pattern of files: an absolute path below `/` without `.` and `..` is expected, in \
     which `*` and `?` stand for any characters of a name, as in \"/etc/nginx\" or \"/etc/app/*.conf\""
)]
pub struct PatternError(String);

/// The files of a pattern could not be found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// A folder cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// They are too many.
    #[error(
        "the files that are watched are too many: {0} leads past {MOST_ENTRIES} files and folders; \
         choose fewer by `files` in [drift]"
    )]
    TooMany(Pattern),
}

impl Pattern {
    /// Takes a text as a pattern.
    ///
    /// # Errors
    /// [`PatternError`] when it is none.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let is_name = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\0');
        let whole = text.strip_suffix('/').unwrap_or(text);
        let below = whole.strip_prefix('/');
        if below.is_some_and(|below| below.split('/').all(is_name)) {
            return Ok(Self(whole.to_owned()));
        }
        Err(PatternError(text.to_owned()))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;
    fn try_from(text: String) -> Result<Self, PatternError> {
        Self::parse(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

/// The plain files and symlinks of a root that patterns lead to: their paths below the root, with where
/// they really are. Symlinks on the way are followed within the root, others are not.
///
/// # Errors
/// [`FindError`] when a folder cannot be read, or they are too many.
pub fn find(
    root: &Root,
    patterns: &BTreeSet<Pattern>,
    progress: &Progress,
) -> Result<BTreeMap<String, PathBuf>, FindError> {
    let mut found = BTreeMap::new();
    let mut left = MOST_ENTRIES;
    for pattern in patterns {
        let mut waiting = places(root, pattern, progress)?;
        while let Some((path, place)) = waiting.pop() {
            left = left
                .checked_sub(1)
                .ok_or_else(|| FindError::TooMany(pattern.clone()))?;
            let looked = progress
                .at(&place)
                .and_then(|()| fs::symlink_metadata(&place));
            let Some(meta) = gone_is_none(looked).map_err(FileError::of("looking at", &place))?
            else {
                continue;
            };
            if meta.is_dir() {
                waiting.extend(entries(&path, &place, progress)?);
            } else if meta.is_file() || meta.is_symlink() {
                found.insert(path, place);
            }
        }
    }
    // The guard proves its own files each minute, and they come and go with it.
    let guards_own = channels::paths(root);
    found.retain(|path, place| !(guards_own.contains(path) && is_guards(place)));
    Ok(found)
}

/// Whether the guard wrote what is there. What cannot be read is somebody else's.
fn is_guards(place: &Path) -> bool {
    let content = durable::read(place).ok().flatten();
    content.is_some_and(|content| channels::is_written_by_guard(&content))
}

/// What a pattern itself leads to, there or not.
fn places(
    root: &Root,
    pattern: &Pattern,
    progress: &Progress,
) -> Result<Vec<(String, PathBuf)>, FileError> {
    let mut places = vec![(String::new(), root.path().to_owned())];
    for name in pattern.names() {
        let mut next = Vec::new();
        for (path, _) in places {
            let folder = Path::new("/").join(&path);
            let looked = progress
                .at(&root.join(&folder.to_string_lossy()))
                .and_then(|()| root.resolve(&folder));
            let Some(place) = gone_is_none(looked).map_err(FileError::of("looking up", &folder))?
            else {
                continue;
            };
            if name.contains(['*', '?']) {
                let all = entries(&path, &place, progress)?;
                let fits = |(path, _): &(String, PathBuf)| {
                    path.rsplit('/')
                        .next()
                        .is_some_and(|own| matches(name, own))
                };
                next.extend(all.into_iter().filter(fits));
            } else {
                next.push((format!("{path}/{name}"), place.join(name)));
            }
        }
        places = next;
    }
    Ok(places)
}

/// What is in a folder. Nothing when it is none, or gone.
fn entries(
    path: &str,
    place: &Path,
    progress: &Progress,
) -> Result<Vec<(String, PathBuf)>, FileError> {
    let read = || {
        progress.at(place)?;
        let Some(entries) = gone_is_none(fs::read_dir(place))? else {
            return Ok(Vec::new());
        };
        let named = entries.map(|entry| {
            let entry = entry?;
            let name = entry.file_name();
            Ok((format!("{path}/{}", name.to_string_lossy()), entry.path()))
        });
        named.collect::<io::Result<_>>()
    };
    read().map_err(FileError::of("reading", place))
}

/// Takes an error that says that nothing is there, any more or of that kind, for nothing.
pub(super) fn gone_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether a name fits a pattern of one. Takes at most the product of both lengths.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut in_name) = (0, 0);
    // Where the last star stands, and up to where it has taken the name.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(c) if *c == '?' || *c == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            Some(_) | None => {
                let Some((star_at, taken)) = star else {
                    return false;
                };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                in_name = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::settings::GuardSettings;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_pattern_is_an_absolute_path_without_surprises() {
        for good in ["/etc", "/etc/", "/etc/*.conf", "/a b/ü", "/.x"] {
            assert!(Pattern::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "etc",
            "/etc/../x",
            "/./x",
            "/etc//x",
            "//",
            "/a\0b",
        ] {
            assert!(Pattern::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_fit_their_patterns() {
        for (pattern, name, fits) in [
            ("*", "anything", true),
            ("*", ".hidden", true),
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a*b*c", "aXXbYYbZc", true),
            ("a*b*c", "aXXbYYbZ", false),
            ("?", "ü", true),
            ("a?c", "ac", false),
            ("**a", "bba", true),
            ("a", "ab", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
        // No pattern makes it slow.
        assert!(!matches(&"*a".repeat(500), &"b".repeat(5_000)));
    }

    #[test]
    fn patterns_lead_to_files_and_links_and_never_out_of_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path().join("root")).unwrap();
        fs::create_dir_all(root.join("etc/app/deep/er")).unwrap();
        fs::create_dir_all(root.join("usr/etc")).unwrap();
        for path in ["etc/app/a.conf", "etc/app/deep/er/b", "usr/etc/c.conf"] {
            fs::write(root.join(path), "").unwrap();
        }
        // What only bears the guard's name, and what stands in its place, is not the guard's.
        for path in [
            "etc/sudoers.d/cofferdam-guard-x",
            "etc/sudoers.d/zz-cofferdam-guard",
            "etc/apt/apt.conf.d/zz-cofferdam-guard",
            "etc/dpkg/dpkg.cfg.d/other",
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), "x\n").unwrap();
        }
        let own = channels::drop_ins(&root, &GuardSettings::default(), Path::new("/s"));
        let own = own
            .iter()
            .find(|drop_in| drop_in.channel == "dpkg")
            .unwrap();
        fs::write(root.join(&own.path.to_string_lossy()), &own.content).unwrap();
        symlink("/usr/etc", root.join("etc/linked")).unwrap();
        symlink("../../../../../outside", root.join("etc/app/deep/out")).unwrap();
        fs::create_dir(folder.path().join("outside")).unwrap();
        fs::write(folder.path().join("outside/secret"), "").unwrap();
        for (pattern, paths) in [
            (
                "/etc/sudoers.d",
                &[
                    "/etc/sudoers.d/cofferdam-guard-x",
                    "/etc/sudoers.d/zz-cofferdam-guard",
                ][..],
            ),
            ("/etc/dpkg/dpkg.cfg.d", &["/etc/dpkg/dpkg.cfg.d/other"]),
            (
                "/etc/apt/apt.conf.d",
                &["/etc/apt/apt.conf.d/zz-cofferdam-guard"],
            ),
            (
                "/etc/app",
                &["/etc/app/a.conf", "/etc/app/deep/er/b", "/etc/app/deep/out"],
            ),
            ("/etc/app/*.conf", &["/etc/app/a.conf"]),
            ("/etc/*/deep/er", &["/etc/app/deep/er/b"]),
            ("/etc/linked/*", &["/etc/linked/c.conf"]),
            ("/etc/linked", &["/etc/linked"]),
            ("/etc/app/a.conf/x/*", &[]),
            ("/missing/*/x", &[]),
        ] {
            let patterns = [Pattern::parse(pattern).unwrap()].into();
            let found = find(&root, &patterns, &Progress::default()).unwrap();
            assert_eq!(found.keys().collect::<Vec<_>>(), paths, "{pattern}");
        }
        let through = [Pattern::parse("/etc/linked/c.conf").unwrap()].into();
        let found = find(&root, &through, &Progress::default()).unwrap();
        assert_eq!(found["/etc/linked/c.conf"], root.join("usr/etc/c.conf"));
    }
}
