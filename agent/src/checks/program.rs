//! The programs of `checks.d`: exit 0 is a pass, 1 a failure, anything else no data.
//!
//! A check is a file whose name begins with a letter or a digit and ends neither in `~` nor in one
//! of dpkg's marks. It runs with `COFFERDAM_ROOT`, `COFFERDAM_HOST` and one
//! `COFFERDAM_LABEL_<NAME>` a label, at most [`DEADLINE`] long.

use super::{
    side_by_side,
    verdict::{Reading, Verdict},
};
use crate::host::{
    command::{Command, Exit, Runner},
    settings::HostSettings,
};
use nix::unistd::Uid;
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a check may take (guess: checks are made every second).
pub const DEADLINE: Duration = Duration::from_secs(10);

/// The name of the reading that says why the folder of checks gives none.
const FOLDER: &str = "checks.d";

/// Runs all checks at once. In order of names. No folder: no checks.
pub(super) async fn read_all(runner: &dyn Runner, settings: &HostSettings) -> Vec<Reading> {
    let programs = match programs_in(&settings.checks_dir) {
        Ok(programs) => programs,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            let why = format!("{}: {error}", settings.checks_dir.display());
            return vec![Reading::new(FOLDER, Verdict::NoData, &why)];
        }
    };
    let checks = programs
        .iter()
        .map(|program| read(runner, settings, program));
    side_by_side(checks.collect()).await
}

fn programs_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_check_name(&entry.file_name()) {
            programs.push(entry.path());
        }
    }
    programs.sort();
    Ok(programs)
}

/// Whether a file of this name is a check, and no editor's or package manager's leftover.
fn is_check_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let leftovers = ["~", ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".dpkg-tmp"];
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !leftovers.iter().any(|end| name.ends_with(end))
}

async fn read(runner: &dyn Runner, settings: &HostSettings, program: &Path) -> Reading {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    if let Err(why) = may_run(program) {
        return Reading::new(name, Verdict::NoData, &why);
    }
    let mut command = Command::new(program)
        .deadline(DEADLINE)
        .env("COFFERDAM_ROOT", settings.root.path())
        .env("COFFERDAM_HOST", settings.host.as_str());
    for (label, value) in &settings.labels {
        command = command.env(variable(label), value);
    }
    match runner.run(&command).await {
        Ok(output) => Reading::new(name, verdict(output.exit), &output.text()),
        Err(error) => Reading::new(name, Verdict::NoData, &error.to_string()),
    }
}

/// Only what root or the agent's own user wrote, and nobody else can change, is run: the program is
/// looked at, and the folder that it stands in, where anybody who may write could put another.
fn may_run(program: &Path) -> Result<(), String> {
    let meta = fs::metadata(program).map_err(|error| error.to_string())?;
    if !meta.is_file() {
        return Err("is not a file".to_owned());
    }
    nobody_else_changes(&meta)?;
    if meta.permissions().mode() & 0o111 == 0 {
        return Err("is not executable".to_owned());
    }
    let folder = program.parent().unwrap_or(Path::new("/"));
    fs::metadata(folder)
        .map_err(|error| error.to_string())
        .and_then(|meta| nobody_else_changes(&meta))
        .map_err(|why| format!("stands in {}, which {why}", folder.display()))
}

fn nobody_else_changes(meta: &fs::Metadata) -> Result<(), String> {
    if meta.uid() != 0 && meta.uid() != Uid::effective().as_raw() {
        return Err(format!(
            "belongs to user {}: root or the agent's own user must own it",
            meta.uid()
        ));
    }
    if meta.permissions().mode() & 0o022 != 0 {
        return Err("can be written by its group or by others".to_owned());
    }
    Ok(())
}

fn verdict(exit: Exit) -> Verdict {
    match exit {
        Exit::Status(0) => Verdict::Pass,
        Exit::Status(1) => Verdict::Fail,
        Exit::Status(_) | Exit::Signal(_) => Verdict::NoData,
    }
}

/// The variable that shows a label: its name in capitals, with `_` for what variables cannot have.
fn variable(label: &str) -> String {
    let name = label.chars().map(|c| match c.to_ascii_uppercase() {
        c if c.is_ascii_alphanumeric() => c,
        _ => '_',
    });
    format!("COFFERDAM_LABEL_{}", name.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{process::Processes, settings::samples};

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn check(&self, name: &str, mode: u32, script: &str) {
            let path = self.0.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        }

        async fn read(&self) -> Vec<String> {
            let mut settings = samples::settings(self.0.path());
            settings.checks_dir = self.0.path().to_owned();
            settings.labels.insert("instance-type".into(), "m5".into());
            let readings = read_all(&Processes, &settings).await;
            readings.iter().map(ToString::to_string).collect()
        }
    }

    #[tokio::test]
    async fn the_exit_status_is_the_verdict() {
        let folder = Folder::new();
        folder.check("a", 0o755, "exit 0");
        folder.check("b", 0o755, "echo the type is wrong; exit 1");
        folder.check("c", 0o755, "exit 2");
        folder.check("d", 0o755, "kill -9 $$");
        let expected = [
            "a: pass",
            "b: fail: the type is wrong",
            "c: no-data",
            "d: no-data",
        ];
        assert_eq!(folder.read().await, expected);
    }

    #[tokio::test]
    async fn a_check_sees_its_host_and_labels() {
        let folder = Folder::new();
        folder.check(
            "a",
            0o700,
            "echo $COFFERDAM_HOST $COFFERDAM_LABEL_INSTANCE_TYPE; exit 1",
        );
        assert_eq!(folder.read().await, ["a: fail: web-1 m5"]);
    }

    #[tokio::test]
    async fn what_others_could_have_written_is_not_run() {
        let folder = Folder::new();
        folder.check("a", 0o777, "exit 0");
        folder.check("b", 0o644, "exit 0");
        fs::create_dir(folder.0.path().join("c")).unwrap();
        let readings = folder.read().await;
        assert_eq!(
            readings[0],
            "a: no-data: can be written by its group or by others"
        );
        assert_eq!(readings[1], "b: no-data: is not executable");
        assert_eq!(readings[2], "c: no-data: is not a file");
    }

    #[tokio::test]
    async fn nothing_is_run_from_a_folder_that_others_can_change() {
        let folder = Folder::new();
        folder.check("a", 0o755, "exit 0");
        fs::set_permissions(folder.0.path(), PermissionsExt::from_mode(0o777)).unwrap();
        let why = format!(
            "a: no-data: stands in {}, which can be written by its group or by others",
            folder.0.path().display()
        );
        assert_eq!(folder.read().await, [why]);
    }

    #[tokio::test]
    async fn leftovers_are_no_checks_and_no_folder_has_none() {
        let folder = Folder::new();
        for name in [".hidden", "a~", "a.dpkg-old", "_x"] {
            folder.check(name, 0o755, "exit 1");
        }
        assert!(folder.read().await.is_empty());
        let mut settings = samples::settings(folder.0.path());
        settings.checks_dir = folder.0.path().join("nowhere");
        assert!(read_all(&Processes, &settings).await.is_empty());
    }
}
