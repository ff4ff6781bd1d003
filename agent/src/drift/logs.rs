//! Who changed a package, and when, by the logs of dpkg and apt.
//!
//! dpkg's log has every change and names nobody; apt's has its commands, each with the packages and the
//! time that it took. A change is of the command that was at work on its package when dpkg made it.
//! Both logs tell the host's local time, and it is passed on as it stands. Rotated logs are read too, packed
//! ones among them.

use super::log_file;
use crate::host::root::Root;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, path::Path};

/// dpkg's log.
const DPKG: &str = "/var/log/dpkg.log";

/// apt's log.
const APT: &str = "/var/log/apt/history.log";

/// The most characters of a command or a name that are passed on.
const MOST_CHARS: usize = 200;

/// Who changed a package, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// When, in the host's local time, as in `2026-11-28 01:12:13`.
    pub at: String,
    /// The command, as apt's log has it. Absent: no log names it, as when dpkg was called by itself.
    pub command: Option<String>,
    /// Who asked for it, as in `ana (1000)`. Absent: its log does not say.
    pub by: Option<String>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.command {
            Some(command) => write!(f, "by `{command}`")?,
            None => write!(f, "by dpkg, and no log names the command,")?,
        }
        if let Some(by) = &self.by {
            write!(f, " of {by}")?;
        }
        write!(f, " at {}", self.at)
    }
}

/// What became of packages: the version that each has now, by name and architecture. Absent: it is gone.
pub type Became<'a> = BTreeMap<&'a str, Option<&'a str>>;

/// What the logs say of some packages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Causes {
    /// The causes that are on record, by name and architecture of the package.
    pub of: BTreeMap<String, Cause>,
    /// The logs that could not be read, each with why.
    pub unread: Vec<String>,
}

impl Causes {
    /// Asks the logs of a root how packages became what they are.
    pub fn find(root: &Root, became: &Became<'_>) -> Self {
        let mut causes = Self::default();
        if became.is_empty() {
            return causes;
        }
        let dpkg = causes.read(root, DPKG);
        let apt = causes.read(root, APT);
        causes.of = causes_in(&dpkg, &apt, became);
        causes
    }

    fn read(&mut self, root: &Root, log: &str) -> String {
        let mut all = String::new();
        for path in log_file::generations(log) {
            match log_file::end_of(root, Path::new(&path)) {
                // Also between the stanzas of two files there is an empty line.
                Ok(text) => all.extend([text.as_str(), "\n\n"]),
                Err(error) => self.unread.push(format!("{path}: {error}")),
            }
        }
        all
    }
}

/// What made each package what it became, by dpkg's log and apt's.
pub(crate) fn causes_in(dpkg: &str, apt: &str, became: &Became<'_>) -> BTreeMap<String, Cause> {
    let commands: Vec<Command> = apt.split("\n\n").filter_map(Command::parse).collect();
    let causes = last_actions(dpkg, became).into_iter().map(|(name, at)| {
        let is_its = |command: &&Command| command.is_of(&at) && command.names(&name);
        let command = commands.iter().rev().find(is_its);
        let cause = Cause {
            command: command.and_then(|command| command.line.clone()),
            by: command.and_then(|command| command.by.clone()),
            at,
        };
        (name, cause)
    });
    causes.collect()
}

/// When each package last became what it is, by dpkg's log: lines as
/// `2026-11-28 01:12:13 upgrade tea:all 1 2`.
fn last_actions(log: &str, became: &Became<'_>) -> BTreeMap<String, String> {
    let mut last = BTreeMap::new();
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [day, time, action, name, _, new] = words.as_slice() else {
            continue;
        };
        let new = match *action {
            "install" | "upgrade" => Some(*new),
            "remove" | "purge" => None,
            _ => continue,
        };
        if became.get(name) == Some(&new) {
            last.insert((*name).to_owned(), short(&format!("{day} {time}")));
        }
    }
    last
}

/// One command of apt's log.
struct Command {
    line: Option<String>,
    by: Option<String>,
    began: String,
    /// Absent: it has not ended, or was cut short.
    ended: Option<String>,
    /// What it did to packages, as the log lists them.
    packages: Vec<String>,
}

impl Command {
    fn parse(stanza: &str) -> Option<Self> {
        let field = |name: &str| {
            stanza.lines().find_map(|line| {
                let (key, value) = line.split_once(": ")?;
                (key == name).then_some(value)
            })
        };
        // Two spaces stand between day and time.
        let moment = |text: &str| short(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        let actions = [
            "Install",
            "Upgrade",
            "Downgrade",
            "Remove",
            "Purge",
            "Reinstall",
        ];
        Some(Self {
            line: field("Commandline").map(short),
            by: field("Requested-By").map(short),
            began: moment(field("Start-Date")?),
            ended: field("End-Date").map(moment),
            packages: actions
                .iter()
                .filter_map(|action| field(action))
                .map(str::to_owned)
                .collect(),
        })
    }

    /// Whether it was at work at a moment. Moments of one form are in the order of their texts.
    fn is_of(&self, at: &str) -> bool {
        let has_ended = self.ended.as_ref().is_some_and(|ended| ended.as_str() < at);
        self.began.as_str() <= at && !has_ended
    }

    /// Whether its log names a package: as `tea:amd64 (1, 2), ...`, with the host's architecture also for
    /// one that is of all.
    fn names(&self, package: &str) -> bool {
        let (name, architecture) = package.split_once(':').unwrap_or((package, ""));
        let is_it = |entry: &str| {
            let listed = entry.split(' ').next().unwrap_or_default();
            let (listed, of) = listed.split_once(':').unwrap_or((listed, architecture));
            listed == name && (of == architecture || architecture == "all")
        };
        self.packages
            .iter()
            .any(|list| list.split("), ").any(|entry| is_it(entry.trim())))
    }
}

/// One line of what some program wrote, fit for people.
fn short(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(MOST_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// apt 2.6.1 and dpkg 1.21.22, shortened.
    const APT_LOG: &str = "
Start-Date: 2026-11-28  01:00:00
Commandline: apt-get --yes install tea milk
Requested-By: ana (1000)
Install: tea:amd64 (1), milk:amd64 (3.1, automatic)
End-Date: 2026-11-28  01:00:04

Start-Date: 2026-11-28  02:00:00
Commandline: /usr/bin/unattended-upgrade
Upgrade: tea:amd64 (1, 2), libc6:i386 (2.35, 2.36)
End-Date: 2026-11-28  02:00:09

Start-Date: 2026-11-28  05:00:00
Remove: milk:amd64 (3.1)
";

    const DPKG_LOG: &str = "\
2026-11-28 01:00:01 startup archives unpack
2026-11-28 01:00:01 install tea:all <none> 1
2026-11-28 01:00:02 install milk:all <none> 3.1
2026-11-28 02:00:05 upgrade tea:all 1 2
2026-11-28 02:00:05 status half-configured tea:all 1
2026-11-28 02:00:06 upgrade libc6:i386 2.35 2.36
2026-11-28 03:00:00 upgrade tea:all 2 1
2026-11-28 03:00:01 install sugar:amd64 <none> 7
2026-11-28 05:00:01 remove milk:all 3.1 <none>
";

    fn root(folder: &tempfile::TempDir, files: &[(&str, &[u8])]) -> Root {
        let root = Root::new(folder.path()).unwrap();
        fs::create_dir_all(root.join("var/log/apt")).unwrap();
        for (path, text) in files {
            fs::write(root.join(path), text).unwrap();
        }
        root
    }

    fn cause(root: &Root, name: &str, version: Option<&str>) -> Option<String> {
        let became = [(name, version)].into();
        let mut causes = Causes::find(root, &became);
        assert_eq!(causes.unread, [""; 0]);
        causes.of.remove(name).map(|cause| cause.to_string())
    }

    #[test]
    fn a_change_is_of_the_command_that_was_at_work_on_its_package() {
        let folder = tempfile::tempdir().unwrap();
        let files: [(&str, &[u8]); 2] = [
            ("var/log/apt/history.log", APT_LOG.as_bytes()),
            ("var/log/dpkg.log", DPKG_LOG.as_bytes()),
        ];
        let root = root(&folder, &files);
        let upgrade = "by `/usr/bin/unattended-upgrade` at 2026-11-28 02:00:05";
        let other = "by `/usr/bin/unattended-upgrade` at 2026-11-28 02:00:06";
        let dpkg = "by dpkg, and no log names the command, at 2026-11-28 03:00:0";
        // apt did not say by what line it was called, nor ended.
        let removed = "by dpkg, and no log names the command, at 2026-11-28 05:00:01";
        for (name, version, expected) in [
            ("tea:all", Some("2"), Some(upgrade.to_owned())),
            ("tea:all", Some("1"), Some(format!("{dpkg}0"))),
            ("libc6:i386", Some("2.36"), Some(other.to_owned())),
            ("libc6:amd64", Some("2.36"), None),
            ("sugar:amd64", Some("7"), Some(format!("{dpkg}1"))),
            ("milk:all", None, Some(removed.to_owned())),
            ("tea:all", Some("9"), None),
            ("unheard:all", None, None),
        ] {
            assert_eq!(cause(&root, name, version), expected, "{name} {version:?}");
        }
        let milk = "by `apt-get --yes install tea milk` of ana (1000) at 2026-11-28 01:00:02";
        assert_eq!(cause(&root, "milk:all", Some("3.1")).as_deref(), Some(milk));
    }

    #[test]
    fn what_was_rotated_away_is_found_and_nothing_at_all_is_fine() {
        let folder = tempfile::tempdir().unwrap();
        let empty = root(&folder, &[]);
        assert_eq!(cause(&empty, "tea:all", Some("2")), None);
        let files: [(&str, &[u8]); 4] = [
            ("var/log/apt/history.log.1", APT_LOG.as_bytes()),
            ("var/log/apt/history.log", b""),
            ("var/log/dpkg.log.1", DPKG_LOG.as_bytes()),
            (
                "var/log/dpkg.log",
                b"2026-11-29 00:00:00 startup archives unpack\n",
            ),
        ];
        let rotated = root(&folder, &files);
        assert!(cause(&rotated, "tea:all", Some("2")).is_some());
    }

    #[test]
    fn broken_logs_make_no_panic_and_only_their_end_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut long = vec![b'x'; log_file::MOST_BYTES];
        long.extend(b"\n2026-11-28 03:00:00 upgrade tea:all 1 2\n\xff\xfe \x1b[31m install\n");
        long.extend("2026-11-28 \u{1b}[1m03:00:01 install a:all <none> 1\n".bytes());
        let files: [(&str, &[u8]); 2] = [
            (
                "var/log/apt/history.log",
                b"Start-Date\nStart-Date: \n\n\xff: \xff\n\n: \nUpgrade: , (,), :",
            ),
            ("var/log/dpkg.log", &long),
        ];
        let root = root(&folder, &files);
        let found = cause(&root, "tea:all", Some("2")).unwrap();
        assert!(found.ends_with("2026-11-28 03:00:00"), "{found}");
        let found = cause(&root, "a:all", Some("1")).unwrap();
        assert!(!found.contains('\u{1b}'), "{found}");
        fs::remove_file(root.join("var/log/dpkg.log")).unwrap();
        fs::create_dir(root.join("var/log/dpkg.log")).unwrap();
        let causes = Causes::find(&root, &[("tea:all", Some("2"))].into());
        assert_eq!(causes.unread.len(), 1, "{causes:?}");
        assert!(
            causes.unread[0].starts_with("/var/log/dpkg.log: "),
            "{causes:?}"
        );
    }
}
