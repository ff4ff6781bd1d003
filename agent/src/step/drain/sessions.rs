//! The application's own sessions: programs of `sessions.d`, each of which prints how many there are.
//!
//! Its first line is the number, and it ends with status 0. Whatever else it does, also that it may not be
//! run or does not end in time, is no number; and no number is never none. Which files these are, and
//! what each is told, is said in [`crate::host::local_program`].

use crate::{
    checks::side_by_side,
    host::{
        command::{Output, Runner},
        local_program,
        settings::HostSettings,
    },
};
use cofferdam_proto::error_chain;
use std::{fmt, io, path::Path, time::Duration};

/// How long a program may take (guess: as a check).
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// The most characters of what a program said instead of a number that are told.
const MAX_SAID: usize = 100;

/// What one program says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sessions {
    /// The program.
    pub(super) of: String,
    /// How many there are, or why nobody knows.
    pub(super) count: Result<u64, String>,
}

impl Sessions {
    /// Whether there are none.
    pub(super) fn is_over(&self) -> bool {
        self.count == Ok(0)
    }
}

impl fmt::Display for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.count {
            Ok(1) => write!(f, "1 session of {}", self.of),
            Ok(count) => write!(f, "{count} sessions of {}", self.of),
            Err(why) => write!(f, "an unknown number of sessions of {} ({why})", self.of),
        }
    }
}

/// Asks every program at once, in no more than this time. In order of names. No folder: none.
pub(super) async fn read_all(
    runner: &dyn Runner,
    settings: &HostSettings,
    within: Duration,
) -> Vec<Sessions> {
    let folder = &settings.sessions_dir;
    let programs = match local_program::programs_in(folder) {
        Ok(programs) => programs,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            let of = folder.display().to_string();
            let count = Err(error.to_string());
            return vec![Sessions { of, count }];
        }
    };
    let asked = programs
        .iter()
        .map(|program| read(runner, settings, program, within));
    side_by_side(asked.collect()).await
}

async fn read(
    runner: &dyn Runner,
    settings: &HostSettings,
    program: &Path,
    within: Duration,
) -> Sessions {
    let of = program.file_name().unwrap_or_default();
    let of = of.to_string_lossy().into_owned();
    if let Err(why) = local_program::may_run(program) {
        let count = Err(why.to_string());
        return Sessions { of, count };
    }
    let deadline = within.min(DEADLINE);
    let command = local_program::command(program, settings).deadline(deadline);
    let count = match runner.run(&command).await {
        Ok(output) => number(&output),
        Err(error) => Err(error_chain(&error)),
    };
    Sessions { of, count }
}

fn number(output: &Output) -> Result<u64, String> {
    if !output.is_success() {
        return Err(format!(
            "it ended with {}{}",
            output.exit,
            said(&output.text())
        ));
    }
    let text = output.stdout.text();
    let first = text.lines().next().unwrap_or_default().trim();
    let is_plain = first.bytes().all(|byte| byte.is_ascii_digit());
    let count = first.parse().ok().filter(|_| is_plain);
    count.ok_or_else(|| format!("its first line is no number{}", said(first)))
}

/// The first line of what it said, for people.
fn said(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    line.map_or_else(String::new, |line| {
        let line: String = line.chars().take(MAX_SAID).collect();
        format!(": {line}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{process::Processes, settings::samples};
    use std::{fs, os::unix::fs::PermissionsExt};

    #[tokio::test]
    async fn only_a_program_that_says_zero_says_that_there_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let settings = samples::settings(folder.path());
        fs::create_dir(&settings.sessions_dir).unwrap();
        for (name, mode, script) in [
            ("a", 0o755, "echo 0; echo and some words"),
            ("b", 0o755, "echo '  12  '"),
            ("c", 0o755, "echo 0; echo no database; exit 3"),
            ("d", 0o755, "echo none"),
            ("e", 0o755, "true"),
            ("f", 0o755, "echo -1"),
            ("g", 0o755, "echo 0 >&2"),
            ("h", 0o755, "echo 0; kill -9 $$"),
            ("i", 0o755, "exec sleep 60"),
            ("j", 0o777, "echo 0"),
            ("k", 0o755, "echo 99999999999999999999999"),
            ("l~", 0o755, "echo 7"),
        ] {
            let path = settings.sessions_dir.join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        }
        let read = read_all(&Processes, &settings, Duration::from_millis(700)).await;
        let over: Vec<&str> = read
            .iter()
            .filter(|sessions| sessions.is_over())
            .map(|sessions| &*sessions.of)
            .collect();
        assert_eq!(over, ["a"]);
        assert_eq!(read[1].to_string(), "12 sessions of b");
        for (at, why) in [
            (2, "of c (it ended with status 3: 0)"),
            (3, "of d (its first line is no number: none)"),
            (4, "of e (its first line is no number)"),
            (5, "of f (its first line is no number: -1)"),
            (6, "of g (its first line is no number)"),
            (7, "of h (it ended with signal 9: 0)"),
            (8, "was killed after 0.7 s)"),
            (9, "of j (can be written by its group or by others)"),
            (
                10,
                "of k (its first line is no number: 99999999999999999999999)",
            ),
        ] {
            let shown = read[at].to_string();
            assert!(
                shown.starts_with("an unknown number of sessions"),
                "{shown}"
            );
            assert!(shown.ends_with(why), "{shown}");
        }
        assert_eq!(read.len(), 11);
    }

    #[tokio::test]
    async fn no_folder_has_no_sessions_and_one_that_cannot_be_read_an_unknown_number() {
        let folder = tempfile::tempdir().unwrap();
        let settings = samples::settings(folder.path());
        let within = Duration::from_secs(1);
        assert_eq!(read_all(&Processes, &settings, within).await, []);
        fs::write(&settings.sessions_dir, "").unwrap();
        let read = read_all(&Processes, &settings, within).await;
        assert!(!read[0].is_over(), "{}", read[0]);
    }
}
