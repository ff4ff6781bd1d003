//! The container that a host runs in: systemd-nspawn, started again whenever its system reboots.
//!
//! Traps that this file is built around:
//! - without a systemd on the machine, nspawn cannot restart a container by itself: it ends with 133, and
//!   a small shell, the keeper, starts it again;
//! - nspawn leaves folders in `/run` of whoever runs it: the keeper has a `/run` of its own;
//! - a killed nspawn leaves its container running, so nobody here is ended by way of nspawn;
//! - systemd in the container makes control groups where nspawn is, so each host has its own.

use super::{
    cgroup::Cgroup,
    launch::{ENTER, Place},
    network::{BRIDGE, Network},
    trouble::FleetError,
};
use nix::unistd::Pid;
use std::{ffi::OsString, fs, path::Path};

/// Starts the command that follows, by the shell line that comes first, as long as it ends with 133.
const KEEPER: &str = r#"mount -t tmpfs tmpfs /run
enter=$1; shift
while :; do
    code=0
    sh -ec "$enter" sh "$@" || code=$?
    [ "$code" -eq 133 ] || exit "$code"
done"#;

/// A host's container, started or not.
#[derive(Debug)]
pub struct Container<'a> {
    /// Which host of its fleet, from 1.
    pub number: usize,
    /// The name that its system gets.
    pub name: &'a str,
    /// The group of the host, which nothing else is in.
    pub cgroup: &'a Cgroup,
    /// The group of the fleet's own programs.
    pub keepers: &'a Cgroup,
    /// The fleet's network.
    pub network: &'a Network,
}

impl Container<'_> {
    /// Starts it on a root tree.
    ///
    /// # Errors
    /// When it cannot be launched. That it fails later stands in `log`.
    pub async fn start(&self, root: &Path, log: &Path) -> Result<(), FleetError> {
        self.cgroup.create()?;
        let mut program = words(&["unshare", "--mount", "sh", "-ec", KEEPER, "sh", ENTER]);
        program.extend(self.cgroup.folders().iter().map(OsString::from));
        program.extend(words(&["--", "systemd-nspawn", "--quiet", "--boot"]));
        program.extend(words(&["--register=no", "--keep-unit", "--console=pipe"]));
        program.extend(words(&["--resolv-conf=off", "--timezone=off"]));
        program.extend(words(&["--link-journal=no", "--settings=no"]));
        let own = [
            format!("--machine={}", machine(self.number)),
            format!("--hostname={}", self.name),
            format!("--network-bridge={BRIDGE}"),
        ];
        program.extend(own.map(OsString::from));
        let mut directory = OsString::from("--directory=");
        directory.push(root);
        program.push(directory);
        let place = Place {
            network: self.network,
            cgroup: self.keepers,
            log,
        };
        place.launch(program).await
    }
}

/// The first process of a host's system. Nothing while it is off, or on its way up.
pub fn init(cgroup: &Cgroup) -> Option<Pid> {
    let processes = cgroup.processes();
    processes.into_iter().find(|process| is_init(*process))
}

/// The link by which a host is plugged into the bridge, as nspawn names it.
pub fn link(number: usize) -> String {
    format!("vb-{}", machine(number))
}

/// A name that is never too long for a link's.
fn machine(number: usize) -> String {
    format!("h{number}")
}

/// Whether a process is number 1 in a process namespace right below ours: proc_pid_status(5), `NSpid`.
fn is_init(process: Pid) -> bool {
    ids(process).is_some_and(|ids| {
        let depth = ids_of_ourselves();
        ids.len() == depth + 1 && ids.last().is_some_and(|id| id == "1")
    })
}

fn ids_of_ourselves() -> usize {
    ids(Pid::this()).map_or(1, |ids| ids.len())
}

fn ids(process: Pid) -> Option<Vec<String>> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("NSpid:"))?;
    Some(line.split_whitespace().map(ToOwned::to_owned).collect())
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}
