//! The config files of a `[patch]` table: one in the table itself, or several in `[[patch.files]]`.

use super::super::Refusal;
use crate::{
    document::Table,
    id::MAX_NAME_LEN,
    patch::{
        ConfigFile, ConfigPatch, FileMode, Files, MAX_FILES, OwnerName, Patch, Rights, Source,
    },
    unit,
};
use std::{collections::BTreeSet, path::PathBuf};

pub(super) const CONFIG_KEYS: [&str; 8] = [
    "path", "source", "mode", "owner", "group", "files", "validate", "reload",
];

/// The keys of one file.
const FILE_KEYS: [&str; 5] = ["path", "source", "mode", "owner", "group"];

pub(super) fn read(table: &mut Table<'_, Refusal>) -> Option<Patch> {
    let files = match table.has("files") {
        true => several(table),
        false => file(table).map(Files::from),
    };
    let validate = table.text("validate", validate_name);
    let reload = table.text("reload", unit_name);
    Some(Patch::Config(ConfigPatch {
        files: files?,
        validate,
        reload,
    }))
}

fn several(table: &mut Table<'_, Refusal>) -> Option<Files<ConfigFile>> {
    for key in FILE_KEYS {
        table.know(&[key]);
        if table.has(key) {
            table.refuse(key, Refusal::BesideFiles);
        }
    }
    let tables = table.tables("files", "[[patch.files]]")?;
    if tables.len() > MAX_FILES {
        table.refuse("files", Refusal::TooManyFiles(tables.len()));
        return None;
    }
    let mut paths = BTreeSet::new();
    let mut files = Vec::new();
    let mut is_whole = true;
    for mut one in tables {
        let read = file(&mut one);
        if let Some(twice) = read
            .as_ref()
            .filter(|file| !paths.insert(file.path.clone()))
        {
            let path = twice.path.display().to_string();
            one.refuse("path", Refusal::FileTwice(path));
        }
        one.finish(&[], &[]);
        is_whole &= read.is_some();
        files.extend(read);
    }
    let files = Files::of(files);
    if files.is_none() && is_whole {
        table.refuse("files", Refusal::NoFiles);
    }
    files.filter(|_| is_whole)
}

fn file(table: &mut Table<'_, Refusal>) -> Option<ConfigFile> {
    table.require("path", "path = \"/etc/nginx/nginx.conf\"");
    table.require("source", "source = \"nginx.conf\"");
    let path = table.text("path", host_path);
    let source = table.text("source", Source::parse);
    let rights = Rights {
        mode: table.text("mode", FileMode::parse),
        owner: table.text("owner", |text| OwnerName::new(text)),
        group: table.text("group", |text| OwnerName::new(text)),
    };
    Some(ConfigFile {
        path: path?,
        source: source?,
        rights,
    })
}

fn host_path(text: &str) -> Result<PathBuf, Refusal> {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    let is_good = text
        .strip_prefix('/')
        .is_some_and(|rest| rest.split('/').all(is_plain))
        && !text.contains(char::is_control);
    if !is_good {
        return Err(Refusal::HostPath(text.to_owned()));
    }
    Ok(PathBuf::from(text))
}

fn validate_name(text: &str) -> Result<String, Refusal> {
    if !is_name(text) {
        return Err(Refusal::ValidateName(text.to_owned()));
    }
    Ok(text.to_owned())
}

fn unit_name(text: &str) -> Result<String, Refusal> {
    unit::check(text)?;
    Ok(text.to_owned())
}

fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME_LEN
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}
