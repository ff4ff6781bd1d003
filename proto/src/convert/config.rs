//! Config files that a host is to stage and apply.

use super::{
    field::{At, FieldError, Problem},
    read, write,
};
use crate::v1::{
    self,
    content::{self, Content as Wire},
};
use cofferdam_engine::patch::{
    ConfigFile, ConfigPatch, Content, FileMode, Files, LockedFile, MAX_FILES, OwnerName, Rights,
    Source,
};
use std::collections::BTreeSet;

impl From<LockedFile> for v1::LockedFile {
    fn from(file: LockedFile) -> Self {
        Self {
            sha256: write::digest(file.sha256),
            size: file.size,
        }
    }
}

impl TryFrom<v1::LockedFile> for LockedFile {
    type Error = FieldError;
    fn try_from(wire: v1::LockedFile) -> Result<Self, FieldError> {
        Ok(Self {
            sha256: read::digest(&wire.sha256).at("sha256")?,
            size: read::size(wire.size).at("size")?,
        })
    }
}

/// One plain file goes as agents of the first releases know it.
pub(super) fn to_wire(config: ConfigPatch, locked: Files<LockedFile>) -> Wire {
    let ConfigPatch {
        files,
        validate,
        reload,
    } = config;
    if files.count() == 1 && files.first().rights == Rights::default() {
        let file = files.first();
        let config = v1::ConfigPatch {
            path: write::path(&file.path),
            source: file.source.to_string(),
            validate,
            reload,
        };
        return Wire::Config(content::Config {
            config: Some(config),
            file: Some(locked.first().clone().into()),
        });
    }
    let files = files.into_iter().zip(locked);
    Wire::ConfigFiles(content::ConfigFiles {
        files: files
            .map(|(file, locked)| file_to_wire(file, locked))
            .collect(),
        validate,
        reload,
    })
}

fn file_to_wire(file: ConfigFile, locked: LockedFile) -> v1::ConfigFile {
    let Rights { mode, owner, group } = file.rights;
    v1::ConfigFile {
        path: write::path(&file.path),
        source: file.source.to_string(),
        mode: mode.map(FileMode::bits),
        owner: owner.map(Into::into),
        group: group.map(Into::into),
        file: Some(locked.into()),
    }
}

pub(super) fn one(wire: content::Config) -> Result<Content, FieldError> {
    let config: ConfigPatch = read::message(wire.config).at("config")?;
    let file: LockedFile = read::message(wire.file).at("file")?;
    Ok(Content::Config {
        config,
        files: file.into(),
    })
}

impl TryFrom<v1::ConfigPatch> for ConfigPatch {
    type Error = FieldError;
    fn try_from(wire: v1::ConfigPatch) -> Result<Self, FieldError> {
        let file = ConfigFile {
            path: read::host_path(wire.path).at("path")?,
            source: source(wire.source).at("source")?,
            rights: Rights::default(),
        };
        Ok(Self {
            files: file.into(),
            validate: read::optional_line(wire.validate).at("validate")?,
            reload: read::optional_unit(wire.reload).at("reload")?,
        })
    }
}

pub(super) fn several(wire: content::ConfigFiles) -> Result<Content, FieldError> {
    let files: Vec<LockedConfigFile> = read::list(wire.files, MAX_FILES).at("files")?;
    let mut paths = BTreeSet::new();
    for LockedConfigFile(file, _) in &files {
        if !paths.insert(&file.path) {
            let path = write::path(&file.path);
            return Err(Problem::Twice(path)).at("files");
        }
    }
    let (files, locked): (Vec<_>, Vec<_>) = files
        .into_iter()
        .map(|LockedConfigFile(file, locked)| (file, locked))
        .unzip();
    let files = Files::of(files).ok_or(Problem::Missing).at("files")?;
    let locked = Files::of(locked).ok_or(Problem::Missing).at("files")?;
    let config = ConfigPatch {
        files,
        validate: read::optional_line(wire.validate).at("validate")?,
        reload: read::optional_unit(wire.reload).at("reload")?,
    };
    Ok(Content::Config {
        config,
        files: locked,
    })
}

/// A file and its bits, which travel together.
struct LockedConfigFile(ConfigFile, LockedFile);

impl TryFrom<v1::ConfigFile> for LockedConfigFile {
    type Error = FieldError;
    fn try_from(wire: v1::ConfigFile) -> Result<Self, FieldError> {
        let rights = Rights {
            mode: wire.mode.map(mode).transpose().at("mode")?,
            owner: wire.owner.map(owner).transpose().at("owner")?,
            group: wire.group.map(owner).transpose().at("group")?,
        };
        let file = ConfigFile {
            path: read::host_path(wire.path).at("path")?,
            source: source(wire.source).at("source")?,
            rights,
        };
        Ok(Self(file, read::message(wire.file).at("file")?))
    }
}

fn source(text: String) -> Result<Source, Problem> {
    read::filled_line(text).map(Source::from)
}

fn mode(bits: u32) -> Result<FileMode, Problem> {
    Ok(FileMode::try_from(bits)?)
}

fn owner(text: String) -> Result<OwnerName, Problem> {
    Ok(OwnerName::new(text)?)
}
