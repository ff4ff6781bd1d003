//! Who asks: the chain of processes from a hook up to the first one.

use crate::host::{cgroup, printable, process_table};
use serde::{Deserialize, Serialize};
use std::fs;

/// The most processes of one chain (guess: a script in a shell in a session in a unit is ten).
const MOST: usize = 32;

/// The most characters of one command line that are kept.
const MOST_CHARACTERS: usize = 200;

/// What stands between a package manager and its hook, or is the hook.
const BETWEEN: [&str; 3] = ["sh", "dash", "cofferdam-agent"];

/// Who tried where `/proc` shows nobody: its processes are of another world than the hook's.
const UNSEEN: &str = "a process of another namespace or root";

/// A process that takes part in a change of packages, or started one that does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it started, in the kernel's ticks since boot: with its number it names it for good.
    pub started: u64,
    /// Its name, as the kernel shows it.
    pub name: String,
    /// Its command line, its end cut off where it is long. Empty: it has none, or had ended.
    pub command: String,
}

/// Who asks. All of it is as good as `/proc` is: what ends while it is read is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Asker {
    /// The package manager first, then its parents, up to but without the first process. Empty: unknown.
    pub processes: Vec<Process>,
    /// The systemd unit or session that they run in, as in `apt-daily-upgrade.service`. Empty: unknown.
    pub unit: String,
    /// The number of the user who logged in to start it. Absent: nobody did.
    pub login: Option<u32>,
}

impl Asker {
    /// Whoever started this process.
    pub fn of_this_process() -> Self {
        let own = i32::try_from(std::process::id()).unwrap_or_default();
        let mut processes = chain(own);
        // Its number may be of this process's own world only: without it there is nothing to leave out.
        let between = processes
            .iter()
            .take_while(|process| BETWEEN.contains(&process.name.as_str()));
        processes.drain(..between.count());
        let read =
            |file: &str| fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default();
        Self {
            processes,
            unit: unit(&read("cgroup")),
            login: login(&read("loginuid")),
        }
    }

    /// A systemd unit that is about to start.
    pub fn of_unit(unit: &str) -> Self {
        Self {
            unit: unit.to_owned(),
            ..Self::default()
        }
    }

    /// The package manager's process. Absent: unknown.
    pub fn manager(&self) -> Option<&Process> {
        self.processes.first()
    }

    /// The person behind it, as far as that is known: as in `uid 1000 in session-3.scope`.
    pub fn person(&self) -> String {
        match (self.login, self.unit.as_str()) {
            (Some(login), "") => format!("uid {login}"),
            (Some(login), unit) => format!("uid {login} in {unit}"),
            (None, "") => "somebody".to_owned(),
            (None, unit) => format!("somebody in {unit}"),
        }
    }

    /// Whether a process is among them.
    pub fn descends_from(&self, pid: i32) -> bool {
        self.processes.iter().any(|process| process.pid == pid)
    }

    /// The names of those that started the package manager, nearest first. Empty: unknown.
    pub fn parents(&self) -> Vec<String> {
        let parents = self.processes.iter().skip(1);
        parents.map(|process| process.name.clone()).collect()
    }

    /// The package manager's command line, or the unit: what a person knows it by.
    pub fn short(&self) -> String {
        match self.manager() {
            Some(process) if process.command.is_empty() => process.name.clone(),
            Some(process) => process.command.clone(),
            None if self.unit.is_empty() => UNSEEN.to_owned(),
            None => self.unit.clone(),
        }
    }
}

fn chain(of: i32) -> Vec<Process> {
    let mut found: Vec<Process> = Vec::new();
    let mut next = of;
    while next > 1 && found.len() < MOST {
        let Some(entry) = process_table::find(next) else {
            break;
        };
        // A number that was given anew meanwhile could lead in a circle.
        if found.iter().any(|process| process.pid == entry.pid) {
            break;
        }
        let command = process_table::arguments(next).join(" ");
        found.push(Process {
            pid: entry.pid,
            started: entry.started,
            name: printable(&entry.name),
            command: printable(&command),
        });
        next = entry.parent;
    }
    found
}

/// One line of at most [`MOST_CHARACTERS`], since a process chooses its own name and command line.
pub(super) fn printable(text: &str) -> String {
    printable::line(text, MOST_CHARACTERS)
}

/// The innermost unit of `/proc/PID/cgroup`. Empty: none is named.
fn unit(groups: &str) -> String {
    printable(cgroup::innermost_unit(groups).unwrap_or_default())
}

/// `/proc/PID/loginuid`: the largest number stands for nobody.
fn login(text: &str) -> Option<u32> {
    let number = text.trim().parse().ok();
    number.filter(|&number| number != u32::MAX)
}

#[cfg(test)]
impl Asker {
    /// A person who typed `apt full-upgrade` over ssh.
    pub(crate) fn at_a_shell() -> Self {
        let process = |name: &str, command: &str| Process {
            pid: 7,
            started: 1,
            name: name.to_owned(),
            command: command.to_owned(),
        };
        Self {
            processes: vec![
                process("apt", "apt full-upgrade"),
                process("bash", "-bash"),
                process("sshd", "sshd: ana"),
            ],
            unit: "session-3.scope".to_owned(),
            login: Some(1000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parents_of_a_process_are_named_up_to_the_first() {
        let own = i32::try_from(std::process::id()).unwrap();
        let chain = chain(own);
        assert_eq!(chain[0].pid, own);
        assert!(chain.len() > 1, "{chain:?}");
        assert!(chain.iter().all(|process| process.pid > 1));
    }

    #[test]
    fn a_person_is_named_by_login_and_session() {
        for (login, unit, person) in [
            (Some(1000), "session-3.scope", "uid 1000 in session-3.scope"),
            (Some(0), "", "uid 0"),
            (None, "", "somebody"),
            (None, "x.service", "somebody in x.service"),
        ] {
            let unit = unit.to_owned();
            let asker = Asker {
                login,
                unit,
                ..Asker::default()
            };
            assert_eq!(asker.person(), person);
        }
    }

    #[test]
    fn what_has_ended_has_no_parents() {
        assert_eq!(chain(i32::MAX), []);
        assert_eq!(chain(-1), []);
    }

    #[test]
    fn a_unit_is_found_in_both_forms_of_control_groups() {
        for (cgroup, expected) in [
            (
                "0::/system.slice/apt-daily-upgrade.service\n",
                "apt-daily-upgrade.service",
            ),
            (
                "12:cpu:/x\n1:name=systemd:/user.slice/user-0.slice/session-3.scope\n0::/\n",
                "session-3.scope",
            ),
            ("0::/\n", ""),
            ("", ""),
            ("\u{fffd}::::///", ""),
        ] {
            assert_eq!(unit(cgroup), expected, "{cgroup}");
        }
    }

    #[test]
    fn nobody_logged_in_to_start_a_service() {
        assert_eq!(login("4294967295\n"), None);
        assert_eq!(login("1000"), Some(1000));
        assert_eq!(login("x"), None);
    }

    #[test]
    fn a_command_line_stays_one_short_line() {
        assert_eq!(printable("a\nb\u{1b}[2J"), "a b [2J");
        assert_eq!(printable(&"x".repeat(999)).len(), MOST_CHARACTERS);
    }
}
