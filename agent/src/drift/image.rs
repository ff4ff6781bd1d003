//! The seal of an image: what was on it when it was made.
//!
//! It lies within the image, and outside the agent's own folder, which image builders empty so that hosts
//! do not share a journal. Its digest tells one seal from every other one, and a damaged one from a whole.

use super::{contents::Contents, pattern::Pattern};
use crate::host::{
    durable::{self, FileError},
    root::Root,
};
use cofferdam_engine::{digest::Digest, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Where it is, below the root.
pub const PATH: &str = "/var/lib/cofferdam/image.json";

/// The format that this program reads and writes.
pub const FORMAT: u32 = 1;

/// The most bytes that are read: some hundred thousand packages and files.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// What was on an image when it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// When, by the wall clock of whoever sealed it.
    pub sealed_at: Timestamp,
    /// Which files are watched.
    pub watched: BTreeSet<Pattern>,
    /// What was on it.
    pub contents: Contents,
}

/// An image as it was found, with the digest of its seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The digest of the seal.
    pub seal: Digest,
    /// What was sealed.
    pub image: Image,
}

/// The seal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is longer than any seal.
    #[error("the seal {} has more than {MOST_BYTES} bytes; seal again", .0.display())]
    TooLong(PathBuf),
    /// It is not what a seal is.
    #[error("the seal {} is garbled; seal again", path.display())]
    Garbled {
        /// The file.
        path: PathBuf,
        /// Where.
        #[source]
        source: serde_json::Error,
    },
    /// It has another format.
    #[error(
        "the seal {} has format {found}, {FORMAT} is expected; seal again with this agent",
        path.display()
    )]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// It was changed since it was written.
    #[error("the seal {} was changed: it does not have the digest that it names; seal again", .0.display())]
    Changed(PathBuf),
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    sha256: Digest,
    image: Image,
}

/// Where the seal of a root really is.
///
/// # Errors
/// [`FileError`] when its path cannot be followed.
pub fn place(root: &Root) -> Result<PathBuf, FileError> {
    let path = Path::new(PATH);
    root.resolve(path)
        .map_err(FileError::of("looking up", path))
}

impl Image {
    /// Seals a root with it, in place of any seal before, and says what the digest of the seal is.
    ///
    /// # Errors
    /// [`ImageError`] when it cannot be written; then the seal before stands.
    pub fn write(self, root: &Root) -> Result<Digest, ImageError> {
        let written = Written {
            format: FORMAT,
            sha256: self.digest(),
            image: self,
        };
        let json = serde_json::to_vec_pretty(&written).expect("plain data becomes JSON");
        durable::write(&place(root)?, &json)?;
        Ok(written.sha256)
    }

    /// Finds the seal of a root. Absent: it is not sealed.
    ///
    /// # Errors
    /// [`ImageError`] when there is one that cannot be used.
    pub fn find(root: &Root) -> Result<Option<Sealed>, ImageError> {
        let path = place(root)?;
        let Some(json) = durable::read_some(&path, MOST_BYTES + 1)? else {
            return Ok(None);
        };
        if json.len() > MOST_BYTES {
            return Err(ImageError::TooLong(path));
        }
        let garbled = |source| ImageError::Garbled {
            path: path.clone(),
            source,
        };
        let Format { format: found } = serde_json::from_slice(&json).map_err(garbled)?;
        if found != FORMAT {
            return Err(ImageError::OtherFormat { path, found });
        }
        let written: Written = serde_json::from_slice(&json).map_err(garbled)?;
        if written.image.digest() != written.sha256 {
            return Err(ImageError::Changed(path));
        }
        Ok(Some(Sealed {
            seal: written.sha256,
            image: written.image,
        }))
    }

    /// Maps are in order, so the same image has the same text.
    fn digest(&self) -> Digest {
        Digest::of(serde_json::to_vec(self).expect("plain data becomes JSON"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::contents::{FileFacts, Holds};
    use std::fs;

    fn image() -> Image {
        let plain = FileFacts {
            holds: Holds::Sha256(Digest::of("a")),
            mode: 0o644,
            uid: 0,
            gid: 0,
        };
        let link = FileFacts {
            holds: Holds::Link("a".to_owned()),
            mode: 0o777,
            uid: 0,
            gid: 7,
        };
        Image {
            sealed_at: Timestamp(1_764_000_000_000),
            watched: [Pattern::parse("/etc/app").unwrap()].into(),
            contents: Contents {
                packages: [("tea:all".to_owned(), "1".to_owned())].into(),
                files: [
                    ("/etc/app/a".to_owned(), plain),
                    ("/etc/app/l".to_owned(), link),
                ]
                .into(),
            },
        }
    }

    #[test]
    fn a_seal_reads_back_what_was_written_and_a_root_without_one_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path()).unwrap();
        assert_eq!(Image::find(&root).unwrap(), None);
        let seal = image().write(&root).unwrap();
        let image = image();
        assert_eq!(Image::find(&root).unwrap(), Some(Sealed { seal, image }));
    }

    /// What the first version of the agent wrote; every later one must read it.
    const FIRST: &str = r#"{"format":1,
        "sha256":"aa6c1942f31d1403a9f6c0f8aa589e7c217c3109156213271460d79aa26d1e4a",
        "image":{"sealed_at":1764000000000,"watched":["/etc/app"],
        "contents":{"packages":{"tea:all":"1"},"files":{
        "/etc/app/a":{"sha256":"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        "mode":420,"uid":0,"gid":0},
        "/etc/app/l":{"link":"a","mode":511,"uid":0,"gid":7}}}}}"#;

    #[test]
    fn a_seal_of_the_first_format_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path()).unwrap();
        let path = place(&root).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, FIRST).unwrap();
        assert_eq!(Image::find(&root).unwrap().unwrap().image, image());
    }

    #[test]
    fn a_seal_that_cannot_be_used_says_why_and_where() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path()).unwrap();
        image().write(&root).unwrap();
        let path = place(&root).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        for (text, why) in [
            (String::new(), "is garbled"),
            (whole[..whole.len() / 2].to_owned(), "is garbled"),
            ("\u{0}{}".to_owned(), "is garbled"),
            ("[1, 2]".to_owned(), "is garbled"),
            (whole.replace("\"/etc/app\"", "\"etc/app\""), "is garbled"),
            (
                whole.replace("\"format\": 1", "\"format\": 2"),
                "has format 2, 1 is expected",
            ),
            (
                whole.replace("\"tea:all\": \"1\"", "\"tea:all\": \"2\""),
                "was changed",
            ),
        ] {
            fs::write(&path, text).unwrap();
            let error = Image::find(&root).unwrap_err().to_string();
            assert!(
                error.contains(why) && error.contains("image.json"),
                "{error}"
            );
        }
    }
}
