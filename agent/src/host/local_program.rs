//! Programs that the host's people put into a folder for the agent to run: checks and hooks.
//!
//! A program is a file whose name begins with a letter or a digit and ends neither in `~` nor in one
//! of dpkg's marks. It runs with `COFFERDAM_ROOT`, `COFFERDAM_HOST` and one `COFFERDAM_LABEL_<NAME>`
//! a label. The agent runs it as root, so it runs only what root alone can change.

use super::{command::Command, settings::HostSettings};
use nix::unistd::Uid;
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Why a program is not run.
#[derive(Debug, thiserror::Error)]
pub enum Untrusted {
    /// It cannot be looked at.
    #[error("cannot be looked at: {0}")]
    Unreadable(io::Error),
    /// It is a folder, a socket or the like.
    #[error("is not a file")]
    NoFile,
    /// Nobody may execute it.
    #[error("is not executable")]
    NotExecutable,
    /// Another user could put something else into it.
    #[error("belongs to user {0}: root or the agent's own user must own it")]
    Foreign(u32),
    /// Others than its owner may write it.
    #[error("can be written by its group or by others")]
    Writable,
    /// The same of the folder that it stands in.
    #[error("stands in {}, which {why}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: Box<Untrusted>,
    },
}

/// The programs of a folder, in order of names.
///
/// # Errors
/// The system's error when the folder cannot be read, also when there is none.
pub fn programs_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_program_name(&entry.file_name()) {
            programs.push(entry.path());
        }
    }
    programs.sort();
    Ok(programs)
}

/// Whether a file of this name is a program, and no editor's or package manager's leftover.
fn is_program_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let leftovers = ["~", ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".dpkg-tmp"];
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !leftovers.iter().any(|end| name.ends_with(end))
}

/// Whether a program may be run: only what root or the agent's own user wrote, and nobody else can
/// change. The program is looked at, and the folder that it stands in, where anybody who may write
/// could put another.
///
/// # Errors
/// [`Untrusted`] when it may not.
pub fn may_run(program: &Path) -> Result<(), Untrusted> {
    let meta = fs::metadata(program).map_err(Untrusted::Unreadable)?;
    if !meta.is_file() {
        return Err(Untrusted::NoFile);
    }
    nobody_else_changes(&meta)?;
    if meta.permissions().mode() & 0o111 == 0 {
        return Err(Untrusted::NotExecutable);
    }
    is_safe_folder(program.parent().unwrap_or(Path::new("/")))
}

/// Whether nobody but root and the agent's own user can put programs into a folder.
///
/// # Errors
/// [`Untrusted::Folder`] when others can.
pub fn is_safe_folder(folder: &Path) -> Result<(), Untrusted> {
    let looked = fs::metadata(folder).map_err(Untrusted::Unreadable);
    looked
        .and_then(|meta| nobody_else_changes(&meta))
        .map_err(|why| Untrusted::Folder {
            folder: folder.to_owned(),
            why: Box::new(why),
        })
}

fn nobody_else_changes(meta: &fs::Metadata) -> Result<(), Untrusted> {
    if meta.uid() != 0 && meta.uid() != Uid::effective().as_raw() {
        return Err(Untrusted::Foreign(meta.uid()));
    }
    if meta.permissions().mode() & 0o022 != 0 {
        return Err(Untrusted::Writable);
    }
    Ok(())
}

/// A program with what every one is told about its host.
pub fn command(program: &Path, settings: &HostSettings) -> Command {
    let told = Command::new(program)
        .env("COFFERDAM_ROOT", settings.root.path())
        .env("COFFERDAM_HOST", settings.host.as_str());
    let labels = settings.labels.iter();
    labels.fold(told, |command, (label, value)| {
        command.env(variable(label), value)
    })
}

/// The variable that shows a label: its name in capitals, with `_` for what variables cannot have.
fn variable(label: &str) -> String {
    let name = label.chars().map(|c| match c.to_ascii_uppercase() {
        c if c.is_ascii_alphanumeric() => c,
        _ => '_',
    });
    format!("COFFERDAM_LABEL_{}", name.collect::<String>())
}
