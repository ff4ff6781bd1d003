//! What a real fleet needs of the machine, and the word about it where that is missing.

use super::{cgroup::hierarchies, tree::Recipe};
use crate::process::{binary, built};
use nix::unistd::Uid;
use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::Once,
};

/// Commands, and the Debian packages that bring them.
const COMMANDS: [(&str, &str); 8] = [
    ("systemd-nspawn", "systemd-container"),
    ("mmdebstrap", "mmdebstrap"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("setsid", "util-linux"),
    ("gpg", "gnupg"),
    ("dpkg-deb", "dpkg"),
];

/// Our own programs that hosts and fleet run.
const PROGRAMS: [&str; 3] = ["cofferdam", "cofferdam-agent", "cofferdam-coordinator"];

/// Why no real fleet can run here, as a clause. Nothing when one can.
pub fn missing() -> Option<String> {
    if !Uid::effective().is_root() {
        return Some("only root can make one".to_owned());
    }
    let absent = COMMANDS.iter().find(|(name, _)| !is_command(name));
    if let Some((name, package)) = absent {
        return Some(format!("{name} is missing: Debian package {package}"));
    }
    let programs = PROGRAMS.map(binary).into_iter().chain([built("fleet")]);
    if let Some(program) = programs.into_iter().find(|program| !program.is_file()) {
        return Some(format!("{} was not built", program.display()));
    }
    if hierarchies().is_empty() {
        return Some("the machine has no control groups that systemd can use".to_owned());
    }
    if let Err(error) = Recipe::of_this_machine() {
        return Some(error.to_string());
    }
    namespaces().or_else(overlay)
}

/// Says once a test run that the real fleet is left out, where no test harness hides it: whoever reads
/// the run's output can count these lines.
pub fn say_left_out(why: &str) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        // Not to be heard is not worth a failure.
        writeln!(io::stderr(), "left out: real fleet ({why})").ok();
    });
}

/// Whether a command is there to be run.
pub(crate) fn is_command(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let folders = env::split_paths(&path).chain(sbin);
    folders
        .into_iter()
        .any(|folder| folder.join(name).is_file())
}

/// Containers forbid what a fleet is made of.
fn namespaces() -> Option<String> {
    let tried = Command::new("unshare")
        .args(["--net", "--mount", "true"])
        .output();
    let allowed = tried.is_ok_and(|output| output.status.success());
    (!allowed).then(|| "namespaces cannot be made here".to_owned())
}

fn overlay() -> Option<String> {
    let known = Path::new("/proc/filesystems");
    let known = fs::read_to_string(known).unwrap_or_default();
    let knows = |name: &str| {
        known
            .lines()
            .any(|line| line.split_whitespace().last() == Some(name))
    };
    (!knows("overlay")).then(|| "the kernel has no overlayfs".to_owned())
}
