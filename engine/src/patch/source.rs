//! Where the content of a config file comes from.

use crate::digest::{Digest, DigestError};
use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf};

/// How a source begins that is in the artefact store.
const STORED: &str = "sha256:";
/// How a source begins that is fetched by HTTPS.
const HTTPS: &str = "https://";
/// How a source begins that is in a git repository.
const GIT: &str = "git+";

/// The ways to a git repository: proved ones, and the operator's own disk.
const WAYS: [&str; 3] = [HTTPS, "ssh://", "file:///"];

/// Where the content of a config file comes from. Hosts know none of these: they take it from the artefact
/// store, by its digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Source {
    /// A path beside the rollout file.
    Beside(PathBuf),
    /// The artefact store has it already.
    Stored(Digest),
    /// An address that begins with `https://`.
    Https(String),
    /// A file of a git repository.
    Git(GitSource),
}

/// A file of a git repository, as in `git+https://git.example.net/fleet.git@v1.2#nginx/nginx.conf`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitSource {
    /// Where the repository is: its address without `git+`.
    pub repository: String,
    /// A branch, a tag, or a commit by its whole name. The lock file says which commit that was.
    pub revision: String,
    /// The file's path within it.
    pub path: String,
}

/// A text is no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// It is no path.
    #[error("`{0}` is no path of a file")]
    Path(String),
    /// It is no address that may be fetched from.
    #[error(
        "`{0}` is no address to fetch from: `https://HOST/PATH`, without a password in it, is expected"
    )]
    Address(String),
    /// It names no file of a repository.
    #[error(
        "`{0}` names no file of a git repository: \
         `git+https://HOST/REPOSITORY@REVISION#PATH` is expected, or `git+ssh://`, or `git+file:///`"
    )]
    Git(String),
}

impl Source {
    /// Reads what a rollout file says.
    ///
    /// # Errors
    /// [`SourceError`] when no content can be found by it.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let path = Self::beside(text)?;
        if let Some(digest) = text.strip_prefix(STORED) {
            return Ok(Self::Stored(Digest::parse(digest)?));
        }
        if let Some(rest) = text.strip_prefix(GIT) {
            let git = GitSource::parse(rest);
            return Ok(Self::Git(
                git.ok_or_else(|| SourceError::Git(text.to_owned()))?,
            ));
        }
        if text.contains("://") {
            let is_good = text.strip_prefix(HTTPS).is_some_and(is_address);
            return match is_good {
                true => Ok(Self::Https(text.to_owned())),
                false => Err(SourceError::Address(text.to_owned())),
            };
        }
        Ok(Self::Beside(path))
    }

    /// Reads the path of a file beside the rollout file.
    ///
    /// # Errors
    /// [`SourceError::Path`] when there cannot be one.
    pub fn beside(text: &str) -> Result<PathBuf, SourceError> {
        match text.is_empty() || text.ends_with('/') || text.contains(char::is_control) {
            true => Err(SourceError::Path(text.to_owned())),
            false => Ok(PathBuf::from(text)),
        }
    }
}

impl GitSource {
    fn parse(text: &str) -> Option<Self> {
        let (place, path) = text.split_once('#')?;
        let (repository, revision) = place.rsplit_once('@')?;
        let way = WAYS.iter().find(|way| repository.starts_with(**way))?;
        let rest = &repository[way.len()..];
        // A user stands in an address of ssh; elsewhere it could only be there for its password.
        let is_good = match *way {
            HTTPS => is_address(rest),
            _ => is_plain(rest),
        };
        let is_revision = is_plain(revision) && !revision.contains(':');
        let is_path = |path: &str| path.split('/').all(is_part) && !path.contains(':');
        (is_good && is_revision && is_path(path)).then(|| Self {
            repository: repository.to_owned(),
            revision: revision.to_owned(),
            path: path.to_owned(),
        })
    }
}

/// What follows `https://`.
fn is_address(rest: &str) -> bool {
    let host = rest.split('/').next().unwrap_or_default();
    is_plain(rest) && !host.is_empty() && !host.contains('@')
}

/// A word that no program takes for an option.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && !text.contains(char::is_whitespace)
}

fn is_part(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && !part.starts_with('-')
}

/// What was checked when the rollout file was read: of anything else it would be a path.
impl From<String> for Source {
    fn from(text: String) -> Self {
        Self::parse(&text).unwrap_or_else(|_| Self::Beside(PathBuf::from(text)))
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beside(path) => write!(f, "{}", path.display()),
            Self::Stored(digest) => write!(f, "{STORED}{digest}"),
            Self::Https(address) => f.write_str(address),
            Self::Git(git) => write!(f, "{GIT}{git}"),
        }
    }
}

impl fmt::Display for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            repository,
            revision,
            path,
        } = self;
        write!(f, "{repository}@{revision}#{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_told_by_how_it_begins_and_written_as_it_was_read() {
        let digest = format!("sha256:{}", Digest::of("x"));
        let git = "git+https://git.example.net/fleet.git@v1.2#nginx/nginx.conf";
        let ssh = "git+ssh://git@git.example.net/fleet.git@main#a";
        for text in [
            "files/nginx.conf",
            &digest,
            "https://example.net/a?b=c",
            git,
            ssh,
            "git+file:///srv/fleet@release/1#a",
        ] {
            let source = Source::parse(text).unwrap();
            assert_eq!(source.to_string(), text);
            assert_eq!(Source::from(text.to_owned()), source);
        }
        let Ok(Source::Git(ssh)) = Source::parse(ssh) else {
            panic!("a repository is expected");
        };
        assert_eq!(ssh.repository, "ssh://git@git.example.net/fleet.git");
        assert_eq!((ssh.revision.as_str(), ssh.path.as_str()), ("main", "a"));
    }

    #[test]
    fn what_could_be_read_in_the_open_or_as_an_option_is_no_source() {
        for text in [
            "",
            "a/",
            "a\nb",
            "sha256:12",
            "http://example.net/a",
            "ftp://example.net/a",
            "https:///a",
            "https://me:secret@example.net/a",
            "git+http://example.net/a@main#a",
            "git+ext::sh -c true@main#a",
            "git+https://example.net/a#a",
            "git+https://me:secret@example.net/a@main#a",
            "git+https://example.net/a@--upload-pack=x#a",
            "git+https://example.net/a@main:x#a",
            "git+https://example.net/a@main#../a",
            "git+https://example.net/a@main#/a",
            "git+https://example.net/a@main",
            "git+file://host/a@main#a",
        ] {
            assert!(Source::parse(text).is_err(), "{text}");
        }
    }
}
