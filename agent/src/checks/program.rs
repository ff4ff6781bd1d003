//! The programs of `checks.d`: exit 0 is a pass, 1 a failure, anything else no data.
//!
//! Which files those are, and what each is told, is said in [`crate::host::local_program`]. A check runs
//! at most [`DEADLINE`] long.

use super::{
    side_by_side,
    verdict::{Reading, Verdict},
};
use crate::host::{
    command::{Exit, Runner},
    local_program,
    settings::HostSettings,
};
use std::{io, path::Path, time::Duration};

/// How long a check may take (guess: checks are made every second).
pub const DEADLINE: Duration = Duration::from_secs(10);

/// The name of the reading that says why the folder of checks gives none.
const FOLDER: &str = "checks.d";

/// Runs all checks at once. In order of names. No folder: no checks.
pub(super) async fn read_all(runner: &dyn Runner, settings: &HostSettings) -> Vec<Reading> {
    let programs = match local_program::programs_in(&settings.checks_dir) {
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

async fn read(runner: &dyn Runner, settings: &HostSettings, program: &Path) -> Reading {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    if let Err(why) = local_program::may_run(program) {
        return Reading::new(name, Verdict::NoData, &why.to_string());
    }
    let command = local_program::command(program, settings).deadline(DEADLINE);
    match runner.run(&command).await {
        Ok(output) => Reading::new(name, verdict(output.exit), &output.text()),
        Err(error) => Reading::new(name, Verdict::NoData, &error.to_string()),
    }
}

fn verdict(exit: Exit) -> Verdict {
    match exit {
        Exit::Status(0) => Verdict::Pass,
        Exit::Status(1) => Verdict::Fail,
        Exit::Status(_) | Exit::Signal(_) => Verdict::NoData,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{process::Processes, settings::samples};
    use std::{fs, os::unix::fs::PermissionsExt};

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
