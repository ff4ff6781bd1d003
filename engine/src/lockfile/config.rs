//! The files of a config patch in a lock file: `[file]` of one, as the first releases wrote it, or `[[files]]`.

use super::Refusal;
use crate::{
    digest::Digest,
    document::{Table, quote},
    patch::{Files, Locked, LockedFile, LockedFrom, LockedSource, MAX_FILES, Source},
};
use std::{
    fmt::Write as _,
    path::{Component, PathBuf},
};

/// The digits of a commit: SHA-1, or SHA-256.
const COMMIT_DIGITS: [usize; 2] = [40, 64];

pub(super) fn write(text: &mut String, files: &Files<LockedSource>) {
    let heading = match files.count() {
        1 => "[file]",
        _ => "[[files]]",
    };
    for LockedSource { file, of } in files.iter() {
        let LockedFile { sha256, size } = file;
        let written = write!(text, "\n{heading}\nsha256 = \"{sha256}\"\nsize = {size}\n");
        written.expect("a String takes all that is written to it");
        if let Some(of) = of {
            *text += &format!("path = {}\n", quote(&of.path.to_string_lossy()));
            *text += &format!("source = {}\n", quote(&of.source.to_string()));
            let commit = of.commit.iter();
            text.extend(commit.map(|commit| format!("commit = {}\n", quote(commit))));
        }
    }
}

pub(super) fn read(top: &mut Table<'_, Refusal>) -> Option<Locked> {
    let tables = match top.has("files") {
        true => top.tables("files", "[[files]]")?,
        false => {
            top.require("file", "[file]");
            vec![top.table("file", "[file]")?]
        }
    };
    let count = tables.len();
    if count > MAX_FILES {
        top.refuse("files", Refusal::Files(count));
        return None;
    }
    let read: Vec<Option<LockedSource>> = tables.into_iter().map(file).collect();
    let files = Files::of(read.into_iter().collect::<Option<Vec<_>>>()?);
    if files.is_none() {
        top.refuse("files", Refusal::Files(count));
    }
    files.map(Locked::Config)
}

fn file(mut table: Table<'_, Refusal>) -> Option<LockedSource> {
    table.require("sha256", "sha256 = \"..\"");
    table.require("size", "size = 100");
    let sha256 = table.text("sha256", Digest::parse);
    let size = table.count("size", 0);
    let is_said = table.has("path");
    if is_said {
        table.require("source", "source = \"nginx.conf\"");
    }
    let path = table.text("path", host_path);
    let source = table.text("source", Source::parse);
    let commit = table.text("commit", commit);
    table.finish(&[], &[]);
    let of = match is_said {
        true => Some(LockedFrom {
            path: path?,
            source: source?,
            commit,
        }),
        false => None,
    };
    Some(LockedSource {
        file: LockedFile {
            sha256: sha256?,
            size: size?,
        },
        of,
    })
}

fn host_path(text: &str) -> Result<PathBuf, Refusal> {
    let path = PathBuf::from(text);
    let climbs = path.components().any(|part| part == Component::ParentDir);
    match path.is_absolute() && !climbs && !text.contains(char::is_control) {
        true => Ok(path),
        false => Err(Refusal::HostPath(text.to_owned())),
    }
}

fn commit(text: &str) -> Result<String, Refusal> {
    let is_good =
        COMMIT_DIGITS.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    match is_good {
        true => Ok(text.to_owned()),
        false => Err(Refusal::Commit(text.to_owned())),
    }
}
