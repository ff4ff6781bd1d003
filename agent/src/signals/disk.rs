//! Free bytes and inodes of file systems.
//!
//! `stat` is asked and not the kernel: a network file system whose server is gone holds whoever asks
//! for ever, and a program can be given up.

use super::settings::{Signals, part, percent};
use crate::{
    checks::verdict::{Limit, Measure, Reading, Verdict},
    host::command::{Command, Runner},
};
use cofferdam_proto::error_chain;
use std::{collections::BTreeMap, time::Duration};

/// How long `stat` may take (guess: it takes a millisecond, or for ever).
const DEADLINE: Duration = Duration::from_secs(5);

/// Total, available bytes, total, free inodes, name.
const FORMAT: &str = "--format=%b %a %c %d %n";

/// What a line of `stat` says of a file system, in its own units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Room {
    blocks: u64,
    blocks_available: u64,
    inodes: u64,
    inodes_free: u64,
}

/// Reads how much is free, two readings a path.
pub(super) async fn read(runner: &dyn Runner, settings: &Signals) -> Vec<Reading> {
    if settings.disks.is_empty() {
        return Vec::new();
    }
    let command = Command::new("stat")
        .args(["--file-system", FORMAT, "--"])
        .args(&settings.disks)
        .deadline(DEADLINE);
    // It ends badly when it cannot tell of one path, and tells of the others all the same.
    match runner.run(&command).await {
        Ok(output) => judge(settings, &output.stdout.text(), &output.stderr.text()),
        Err(error) => judge(settings, "", &error_chain(&error)),
    }
}

fn judge(settings: &Signals, said: &str, complaint: &str) -> Vec<Reading> {
    let rooms = parse(said);
    let least = Limit::AtLeast(percent(settings.disk_free));
    let mut readings = Vec::new();
    for path in &settings.disks {
        let path = path.to_string_lossy();
        let name = format!("disk:{path}");
        let Some(room) = rooms.get(&*path) else {
            let why = complaint.lines().find(|line| line.contains(&*path));
            let why = why.unwrap_or(complaint);
            readings.push(Reading::new(name, Verdict::NoData, why));
            continue;
        };
        let parts = [
            (name, part(room.blocks_available, room.blocks)),
            (
                format!("inodes:{path}"),
                part(room.inodes_free, room.inodes),
            ),
        ];
        // One without inodes of its own, such as btrfs, has a total of none.
        let measured = parts.into_iter().filter_map(|(name, part)| {
            Some(Reading::measured(name, Measure::new(part?, "%", least), ""))
        });
        readings.extend(measured);
    }
    readings
}

/// The file systems by the paths that were asked for. A line of another form is passed over.
fn parse(said: &str) -> BTreeMap<&str, Room> {
    said.lines().filter_map(room).collect()
}

fn room(line: &str) -> Option<(&str, Room)> {
    let mut columns = line.splitn(5, ' ');
    let mut number = || columns.next()?.parse().ok();
    let room = Room {
        blocks: number()?,
        blocks_available: number()?,
        inodes: number()?,
        inodes_free: number()?,
    };
    (room.blocks > 0).then_some((columns.next()?, room))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::process::Processes;
    use std::path::PathBuf;

    /// GNU coreutils 9.1 of Debian 12: a file system with 4 % free, one without inodes, a path that is
    /// not there.
    const SAID: &str = "1000000 40000 6422528 6300000 /\n500 400 0 0 /srv/a b\n";
    const COMPLAINT: &str =
        "stat: cannot read file system information for '/gone': No such file or directory\n";

    fn settings(disks: &[&str]) -> Signals {
        Signals {
            disks: disks.iter().map(PathBuf::from).collect(),
            ..Signals::default()
        }
    }

    #[test]
    fn each_path_is_told_by_itself() {
        let readings = judge(&settings(&["/", "/srv/a b", "/gone"]), SAID, COMPLAINT);
        let said: Vec<String> = readings.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "disk:/: fail: 4%, at least 5%",
                "inodes:/: pass: 98%, at least 5%",
                "disk:/gone: no-data: stat: cannot read file system information for '/gone': No such file or directory",
                "disk:/srv/a b: pass: 80%, at least 5%",
            ]
        );
    }

    #[test]
    fn garbage_tells_of_no_file_system() {
        for garbage in [
            "",
            "1 2 3",
            "1 2 3 4",
            "0 0 0 0 /proc",
            "-1 2 3 4 /",
            "a b c d /",
            "99999999999999999999999 1 1 1 /",
            "\u{0} \u{fffd}",
        ] {
            assert_eq!(parse(garbage), BTreeMap::new(), "{garbage}");
        }
    }

    #[tokio::test]
    async fn this_machine_says_its_room() {
        let mut settings = settings(&["/"]);
        settings.disk_free = cofferdam_engine::share::Share::NONE;
        let readings = read(&Processes, &settings).await;
        assert_eq!(readings[0].verdict, Verdict::Pass, "{}", readings[0]);
    }
}
