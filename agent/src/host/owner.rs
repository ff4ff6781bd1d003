//! Whose a socket is.

use super::{
    cgroup, printable,
    process_table::{self, Entry},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The most of a command line that is kept, in characters.
const MOST_CHARACTERS: usize = 160;

/// Who has these sockets, by their numbers in the kernel. Those whose processes have ended are not in it,
/// nor those of processes that cannot be looked into.
pub fn owners(inodes: &BTreeSet<u64>) -> BTreeMap<u64, Entry> {
    let mut owners = BTreeMap::new();
    let mut processes = process_table::all().unwrap_or_default();
    // systemd keeps sockets for others: who works with one is named before it.
    processes.sort_by_key(|process| process.pid == 1);
    for process in processes {
        for inode in sockets(process.pid) {
            if inodes.contains(&inode) {
                owners.entry(inode).or_insert_with(|| process.clone());
            }
        }
        if owners.len() == inodes.len() {
            break;
        }
    }
    owners
}

/// The sockets that a process has open.
fn sockets(pid: i32) -> Vec<u64> {
    let open = fs::read_dir(format!("/proc/{pid}/fd"));
    let open = open.into_iter().flatten().flatten();
    open.filter_map(|entry| inode(&fs::read_link(entry.path()).ok()?))
        .collect()
}

/// The number in a link such as `socket:[4242]`. Absent: it is of something else.
fn inode(link: &Path) -> Option<u64> {
    let number = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
    number.parse().ok()
}

/// Its command line, with its unit if it is of one, in a form that no terminal obeys.
pub fn description(Entry { pid, name, .. }: &Entry) -> String {
    let pid = *pid;
    let arguments = process_table::arguments(pid).join(" ");
    let command = match arguments.is_empty() {
        true => name,
        false => &arguments,
    };
    // Anybody's process may dial, and names itself and its group as it likes.
    let command = printable::line(command, MOST_CHARACTERS);
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    match cgroup::innermost_unit(&groups) {
        Some(unit) => format!("{command}, in {}", printable::line(unit, MOST_CHARACTERS)),
        None => command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Read as _,
        net::TcpListener,
        os::fd::AsRawFd as _,
        process::{Command, Stdio},
    };

    #[test]
    fn a_socket_leads_to_who_has_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let link = format!("/proc/self/fd/{}", listener.as_raw_fd());
        let own = inode(&fs::read_link(link).unwrap()).unwrap();
        let found = owners(&[own, u64::MAX].into());
        assert_eq!(found.len(), 1);
        let program = std::env::args().next().unwrap();
        let shown: String = program.chars().take(MOST_CHARACTERS).collect();
        assert!(description(&found[&own]).starts_with(&shown), "{found:?}");
    }

    #[test]
    fn a_process_cannot_speak_to_the_terminal_of_who_reads_of_it() {
        let mut child = Command::new("sh")
            .args(["-c", "echo; read x", "\u{1b}[2J\nroot"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.as_mut().unwrap();
        stdout.read_exact(&mut [0]).unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let shown = description(&process_table::find(pid).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(
            shown.starts_with("sh -c echo; read x  [2J root"),
            "{shown:?}"
        );
    }

    #[test]
    fn other_links_are_no_sockets() {
        for link in ["/dev/null", "pipe:[1]", "socket:[x]", "socket:[1"] {
            assert_eq!(inode(Path::new(link)), None, "{link}");
        }
    }
}
