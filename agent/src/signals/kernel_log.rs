//! Trouble in the kernel's log since a run began: `/dev/kmsg`.
//!
//! Records are told apart by their numbers and not by their times: the log's clock stands still while
//! the machine sleeps, and differs from every other one. A reboot begins a new log, in which a floppy
//! drive that is not there fails as at each boot: what the old log had said before the run, but for its
//! numbers, is no news in the new one.

use crate::{
    checks::verdict::{Limit, Measure, Reading, Verdict},
    host::boot,
};
use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

const NAME: &str = "kernel-log";
const LOG: &str = "/dev/kmsg";

/// More than the longest record, which a shorter buffer would not get at all (`CONSOLE_EXT_LOG_MAX`,
/// 8 KiB).
const RECORD: usize = 16 << 10;

/// The most records of one look (guess: the largest log that a kernel is given has fewer).
const MOST_RECORDS: usize = 200_000;

/// The most troubles that are kept of one look (guess: after these one knows).
const MOST_TROUBLES: usize = 200;

/// What the kernel says when something is wrong (Linux 6.1: `mm/oom_kill.c`, `block/blk-core.c`,
/// `fs/buffer.c`, `fs/ext4/super.c`, `fs/xfs/xfs_message.c`, `fs/btrfs/messages.c`, `kernel/hung_task.c`,
/// `kernel/rcu/tree_stall.h`, `kernel/panic.c`, `arch/*/kernel/traps.c`, `arch/*/mm/fault.c`).
const SAYINGS: [(&str, &str); 17] = [
    ("Kernel panic", "oops"),
    ("Oops: ", "oops"),
    ("Internal error: ", "oops"),
    ("general protection fault", "oops"),
    ("Unable to handle kernel", "oops"),
    ("BUG: ", "bug"),
    ("kernel BUG at ", "bug"),
    ("ut of memory: Kill", "out of memory"),
    ("I/O error", "I/O error"),
    ("critical medium error, dev ", "I/O error"),
    ("EXT4-fs error ", "I/O error"),
    ("BTRFS error ", "I/O error"),
    ("Metadata corruption detected", "I/O error"),
    ("Remounting filesystem read-only", "I/O error"),
    (" blocked for more than ", "hung task"),
    ("self-detected stall on CPU", "hung task"),
    ("detected stalls on CPUs/tasks", "hung task"),
];

/// A place in the kernel's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The boot whose log it is.
    pub boot_id: String,
    /// The number of the last record before it. Absent: there was none.
    pub up_to: Option<u64>,
    /// What trouble there was before it, without its digits.
    pub known: BTreeSet<String>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record<'a> {
    number: u64,
    /// Whether the kernel said it, and not a program.
    is_kernels: bool,
    message: &'a str,
}

/// A log that was looked through.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Looked {
    last: Option<u64>,
    troubles: Vec<Trouble>,
}

#[derive(Debug, PartialEq, Eq)]
struct Trouble {
    number: u64,
    kind: &'static str,
    message: String,
}

/// The end of the log as it stands. Absent: this host has no log, as in a container.
pub(super) fn mark() -> Option<Mark> {
    match look() {
        Ok(looked) => Some(looked.mark(boot::id().unwrap_or_default())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        // What cannot be read now is no data then.
        Err(_) => Some(Looked::default().mark(String::new())),
    }
}

/// Reads what trouble there was since a mark.
pub(super) fn read(since: &Mark) -> Vec<Reading> {
    let unknown = |why: &str| vec![Reading::new(NAME, Verdict::NoData, why)];
    let boot_id = match boot::id() {
        Ok(boot_id) => boot_id,
        Err(error) => return unknown(&error.to_string()),
    };
    match look() {
        Ok(looked) => vec![looked.judge(since, &boot_id)],
        Err(error) => unknown(&format!("{LOG}: {error}")),
    }
}

fn look() -> io::Result<Looked> {
    let mut log = File::options()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(Path::new(LOG))?;
    let mut looked = Looked::default();
    let mut record = [0; RECORD];
    for _ in 0..MOST_RECORDS {
        match log.read(&mut record) {
            Ok(0) => break,
            Ok(length) => looked.take(&String::from_utf8_lossy(&record[..length])),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            // The kernel has overwritten the record: the next read goes on with the oldest.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(looked)
}

impl Looked {
    pub(super) fn take(&mut self, text: &str) {
        let Some(record) = parse(text) else { return };
        self.last = self.last.max(Some(record.number));
        let Some(kind) = trouble(&record) else { return };
        if self.troubles.len() >= MOST_TROUBLES {
            // The newest are those since the mark.
            self.troubles.remove(0);
        }
        self.troubles.push(Trouble {
            number: record.number,
            kind,
            message: record.message.to_owned(),
        });
    }

    fn mark(self, boot_id: String) -> Mark {
        let known = self.troubles.iter().map(|trouble| gist(&trouble.message));
        Mark {
            boot_id,
            up_to: self.last,
            known: known.collect(),
        }
    }

    fn judge(&self, since: &Mark, boot_id: &str) -> Reading {
        let is_new = |trouble: &&Trouble| match since.boot_id == boot_id {
            true => Some(trouble.number) > since.up_to,
            false => !since.known.contains(&gist(&trouble.message)),
        };
        let new: Vec<&Trouble> = self.troubles.iter().filter(is_new).collect();
        let first = new.first().map(|trouble| {
            let Trouble { kind, message, .. } = trouble;
            format!("{kind}: {message}")
        });
        let count = u32::try_from(new.len()).unwrap_or(u32::MAX);
        let measure = Measure::new(count.into(), "", Limit::AtMost(0.0));
        Reading::measured(NAME, measure, &first.unwrap_or_default())
    }
}

/// What a message says, whatever its numbers.
fn gist(message: &str) -> String {
    message.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// A record of `/dev/kmsg`: `PRIORITY,NUMBER,TIME,FLAGS[,...];MESSAGE`, and lines that tell its device
/// (`Documentation/ABI/testing/dev-kmsg`). Absent: it is of another form.
pub(super) fn parse(text: &str) -> Option<Record<'_>> {
    let (head, rest) = text.split_once(';')?;
    let mut fields = head.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    Some(Record {
        number: fields.next()?.parse().ok()?,
        // Below the three bits of the level is who said it: 0 is the kernel.
        is_kernels: priority >> 3 == 0,
        message: rest.lines().next()?,
    })
}

/// What sort of trouble a record tells of. Absent: none.
fn trouble(record: &Record<'_>) -> Option<&'static str> {
    if !record.is_kernels {
        return None;
    }
    let mut sayings = SAYINGS.iter();
    let said = sayings.find(|(saying, _)| record.message.contains(saying));
    said.map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests;
