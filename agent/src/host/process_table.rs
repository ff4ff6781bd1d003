//! The kernel's table of processes: `/proc/PID/stat` and `cmdline`.

use crate::clock;
use std::{fs, io, time::Duration};

/// How many of the ticks in which the kernel shows times make a second: `USER_HZ`, the same on every
/// architecture that Debian is built for (time(7)).
const TICKS_A_SECOND: u64 = 100;

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub pid: i32,
    /// Its name, as the kernel shows it: at most 15 characters of its program.
    pub name: String,
    /// Whether it has ended and only waits for its parent to notice.
    pub is_zombie: bool,
    /// Whether it was stopped by a signal: it does nothing. One that a tracer stops goes on in a moment.
    pub is_stopped: bool,
    /// The process that started it, or took it over.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// When it started, in the kernel's ticks since boot: with its number it names it for good.
    pub started: u64,
}

impl Entry {
    /// Reads a line of `/proc/PID/stat`. Absent: it is of another form.
    pub fn parse(stat: &str) -> Option<Self> {
        // The name may hold anything, parentheses and spaces too: it ends at the last one.
        let (pid, rest) = stat.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let columns: Vec<&str> = rest.split_whitespace().collect();
        Some(Self {
            pid: pid.parse().ok()?,
            name: name.to_owned(),
            is_zombie: *columns.first()? == "Z",
            is_stopped: *columns.first()? == "T",
            parent: columns.get(1)?.parse().ok()?,
            group: columns.get(2)?.parse().ok()?,
            started: columns.get(19)?.parse().ok()?,
        })
    }

    /// How long after the kernel's boot it started.
    pub fn started_after_boot(&self) -> Duration {
        Duration::from_millis(self.started.saturating_mul(1000 / TICKS_A_SECOND))
    }

    /// How long it has been running.
    pub fn runs_for(&self) -> Duration {
        Duration::from_millis(clock::uptime()).saturating_sub(self.started_after_boot())
    }
}

/// A process by its number. Absent: there is none.
pub fn find(pid: i32) -> Option<Entry> {
    // The kernel cuts names after 15 bytes, in the middle of a character too, and a process may take any.
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    Entry::parse(&String::from_utf8_lossy(&stat))
}

/// The value of a variable in the environment in which a process was started. Absent: it is not there,
/// or the process has ended or is none of ours.
pub fn variable(pid: i32, name: &str) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut all = bytes.split(|&byte| byte == 0).map(String::from_utf8_lossy);
    all.find_map(|one| Some(one.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

/// All processes that can be seen. Those that end meanwhile are left out.
///
/// # Errors
/// The system's error when there is no table.
pub fn all() -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for folder in fs::read_dir("/proc")? {
        let name = folder?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok());
        entries.extend(pid.and_then(find));
    }
    Ok(entries)
}

/// The command line of a process. Empty: it has none, or has ended.
pub fn arguments(pid: i32) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let arguments = bytes
        .split(|&byte| byte == 0)
        .filter(|argument| !argument.is_empty());
    arguments
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Read as _,
        process::{Command, Stdio},
    };

    /// In the form of `/proc/PID/stat` of Linux 6.1, changed by hand to have the worst of names.
    const SAMPLE: &str = "4242 (a) R 1 (b) S 17 4200 4100 0 -1 4194560 95 0 0 0 0 0 0 0 20 0 1 0 \
        123456 2531328 229 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n";

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let entry = Entry::parse(SAMPLE).unwrap();
        assert_eq!((entry.pid, entry.parent, entry.group), (4242, 17, 4200));
        assert_eq!((entry.name.as_str(), entry.started), ("a) R 1 (b", 123_456));
        assert!(!entry.is_zombie);
    }

    #[test]
    fn garbage_is_no_process() {
        for garbage in ["", "1 (a", "1 (a) ", "x (a) S 1 2 3", "1 (a) S 1 2 3 4"] {
            assert_eq!(Entry::parse(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn a_process_whose_name_is_no_text_is_found() {
        // Perl tells the kernel what it is to be called.
        let script = "$0 = \"\\xff\\xfe\"; $| = 1; print 'x'; sleep 600";
        let mut child = Command::new("perl")
            .args(["-e", script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut named = [0];
        let stdout = child.stdout.as_mut().unwrap();
        stdout.read_exact(&mut named).unwrap();
        let found = find(i32::try_from(child.id()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found.unwrap().name, "\u{fffd}\u{fffd}");
    }

    #[test]
    fn this_process_is_in_the_table() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(all().unwrap().iter().any(|entry| entry.pid == own));
        assert!(!arguments(own).is_empty());
    }
}
