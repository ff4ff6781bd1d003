//! The ways by which a host's packages change by themselves, and the drop-ins that own each.
//!
//! | channel | drop-in |
//! |---|---|
//! | apt, and all that works through it: unattended-upgrades, PackageKit, cloud-init | `DPkg::Pre-Install-Pkgs` |
//! | dpkg | `pre-invoke` |
//! | dnf 4, dnf 5 | a plugin; an action before the transaction |
//! | PackageKit that works by dnf's library, and asks none of its plugins | `ExecCondition` of its service |
//! | units that upgrade by themselves | `ExecCondition` |
//! | unattended-upgrades at shutdown, its reboot; cloud-init; needrestart | a setting, when the guard enforces |
//!
//! Nothing of a package is changed: only files are added, so that taking them away is the way back.

use super::{
    places::PROGRAM,
    settings::{DeadAgent, GuardSettings, Mode},
};
use crate::host::root::Root;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Units that upgrade packages, or fetch what is to be upgraded, by themselves.
pub const UNITS: [&str; 10] = [
    "apt-daily.service",
    "apt-daily-upgrade.service",
    "dnf-automatic.service",
    "dnf-automatic-download.service",
    "dnf-automatic-install.service",
    "dnf-automatic-notifyonly.service",
    "dnf5-automatic.service",
    "dnf5-offline-transaction.service",
    "packagekit-offline-update.service",
    "yum-cron.service",
];

/// PackageKit, which is a unit to be asked for only where it changes packages by dnf's library.
const PACKAGEKIT: &str = "packagekit.service";

/// Where PackageKit's backends are, below the root, and how those of dnf are named.
const BACKENDS: [&str; 2] = [
    "/usr/lib64/packagekit-backend",
    "/usr/lib/packagekit-backend",
];
const BACKEND_OF_DNF: &str = "libpk_backend_dnf";

/// The first line of each file, after its mark of a comment. It stays the same for good: by it a drop-in of
/// any version is known.
const HEAD: &str = "Written by `cofferdam-agent guard install`; `guard uninstall` removes it.";

/// A file that makes a channel the guard's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropIn {
    /// The channel, as people call it.
    pub channel: &'static str,
    /// Its path, below the root.
    pub path: PathBuf,
    /// Its content.
    pub content: String,
}

/// Every drop-in that a host needs. What a host has no folder for it has no program for.
pub fn drop_ins(root: &Root, settings: &GuardSettings, state_dir: &Path) -> Vec<DropIn> {
    let hook = Hook {
        call: format!("{PROGRAM} guard hook --state-dir {}", state_dir.display()),
        blocks: Blocks::of(settings),
    };
    let mut found = vec![
        apt(&hook, settings.mode),
        drop_in(
            "dpkg",
            "/etc/dpkg/dpkg.cfg.d/zz-cofferdam-guard",
            dpkg(&hook),
        ),
    ];
    found.extend(UNITS.map(|name| unit(&hook, name)));
    if has_packagekit_of_dnf(root) {
        found.push(unit(&hook, PACKAGEKIT));
    }
    found.extend(dnf4(root, &hook));
    let has = |folder: &str| root.join(folder).is_dir();
    if has("/etc/dnf/libdnf5-plugins") {
        found.push(dnf5(&hook));
    }
    if settings.mode == Mode::Enforce && has("/etc/needrestart/conf.d") {
        let path = "/etc/needrestart/conf.d/zz-cofferdam-guard.conf";
        let text =
            format!("# {HEAD}\n# Only lists: a rollout restarts.\n$nrconf{{restart}} = 'l';\n");
        found.push(drop_in("needrestart", path, text));
    }
    if settings.mode == Mode::Enforce && has("/etc/cloud/cloud.cfg.d") {
        let path = "/etc/cloud/cloud.cfg.d/zz-cofferdam-guard.cfg";
        let text = format!("# {HEAD}\npackage_upgrade: false\npackage_reboot_if_required: false\n");
        found.push(drop_in("cloud-init", path, text));
    }
    found
}

/// Where drop-ins of a guard may be on a host, whatever its settings.
pub fn paths(root: &Root) -> BTreeSet<String> {
    // A guard that enforces has every drop-in that one that observes has.
    let settings = GuardSettings {
        mode: Mode::Enforce,
        ..GuardSettings::default()
    };
    let all = drop_ins(root, &settings, Path::new("")).into_iter();
    all.map(|drop_in| drop_in.path.display().to_string())
        .collect()
}

/// Whether systemd reads a file, and has to be told that it changed.
pub fn is_of_systemd(path: &Path) -> bool {
    path.starts_with("/etc/systemd/system")
}

/// Whether the first line of a file says that the guard wrote it.
pub fn is_written_by_guard(content: &[u8]) -> bool {
    let first = content.split(|&byte| byte == b'\n').next();
    first.is_some_and(|line| line.ends_with(HEAD.as_bytes()))
}

/// How hooks are called.
struct Hook {
    call: String,
    blocks: Blocks,
}

/// What of a hook blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blocks {
    /// All but its yes: a program that is gone or breaks down refuses.
    AllButYes,
    /// Only its no.
    OnlyNo,
}

impl Blocks {
    fn of(settings: &GuardSettings) -> Self {
        match (settings.mode, settings.dead_agent) {
            (Mode::Enforce, DeadAgent::Closed) => Self::AllButYes,
            (Mode::Enforce, DeadAgent::Open) | (Mode::Observe, _) => Self::OnlyNo,
        }
    }
}

impl Hook {
    /// A line for a shell.
    fn line(&self, channel: &str) -> String {
        match self.blocks {
            Blocks::AllButYes => format!("{} {channel}", self.call),
            Blocks::OnlyNo => format!("{} {channel}; test $? -ne 1", self.call),
        }
    }
}

fn drop_in(channel: &'static str, path: impl Into<PathBuf>, content: String) -> DropIn {
    let path = path.into();
    DropIn {
        channel,
        path,
        content,
    }
}

/// The name begins with `zz`, since what apt reads last is what holds.
fn apt(hook: &Hook, mode: Mode) -> DropIn {
    let line = hook.line("apt");
    let mut text = format!(
        "// {HEAD}\n\
         DPkg::Pre-Install-Pkgs {{ \"{line}\"; }};\n\
         DPkg::Tools::Options::{PROGRAM}::Version \"3\";\n"
    );
    if mode == Mode::Enforce {
        text += "Unattended-Upgrade::InstallOnShutdown \"false\";\n\
                 Unattended-Upgrade::Automatic-Reboot \"false\";\n";
    }
    drop_in("apt", "/etc/apt/apt.conf.d/zz-cofferdam-guard", text)
}

fn dpkg(hook: &Hook) -> String {
    format!("# {HEAD}\npre-invoke={}\n", hook.line("dpkg"))
}

/// A condition skips a unit without failing it, so that no alert is for what was meant.
fn unit(hook: &Hook, name: &'static str) -> DropIn {
    let condition = match hook.blocks {
        Blocks::AllButYes => hook.line("unit %n"),
        // systemd takes `$$` for `$`.
        Blocks::OnlyNo => format!("/bin/sh -c '{}'", hook.line("unit %n").replace('$', "$$")),
    };
    let path = format!("/etc/systemd/system/{name}.d/50-cofferdam-guard.conf");
    let text = format!("# {HEAD}\n[Service]\nExecCondition={condition}\n");
    drop_in(name, path, text)
}

fn has_packagekit_of_dnf(root: &Root) -> bool {
    let backends = BACKENDS
        .iter()
        .filter_map(|folder| fs::read_dir(root.join(folder)).ok());
    backends.flatten().flatten().any(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with(BACKEND_OF_DNF)
    })
}

/// One plugin for each Python that has dnf.
fn dnf4(root: &Root, hook: &Hook) -> Vec<DropIn> {
    let entries = fs::read_dir(root.join("/usr/lib")).into_iter().flatten();
    let mut pythons: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("python3"))
        // Red Hat's place of modules, and Debian's.
        .flat_map(|name| ["site", "dist"].map(|of| format!("/usr/lib/{name}/{of}-packages")))
        .filter(|modules| root.join(&format!("{modules}/dnf")).is_dir())
        .map(|modules| format!("{modules}/dnf-plugins"))
        .collect();
    pythons.sort();
    let file = |folder: String| {
        let path = format!("{folder}/cofferdam_guard.py");
        drop_in("dnf", path, dnf4_plugin(hook))
    };
    pythons.into_iter().map(file).collect()
}

fn dnf4_plugin(hook: &Hook) -> String {
    let blocks = match hook.blocks {
        Blocks::AllButYes => "code != 0",
        Blocks::OnlyNo => "code == 1",
    };
    let words: Vec<String> = hook
        .call
        .split(' ')
        .chain(["dnf"])
        .map(|word| format!("\"{word}\""))
        .collect();
    format!(
        r#"# {HEAD}
"""Asks Cofferdam's guard before dnf changes packages."""
import subprocess

import dnf
import dnf.exceptions


class CofferdamGuard(dnf.Plugin):
    name = "cofferdam_guard"

    def pre_transaction(self):
        if self.base.conf.installroot != "/":
            return
        packages = [item.pkg for item in self.base.transaction or []]
        names = sorted({{str(package.name) for package in packages if package}})
        try:
            code = subprocess.run([{}], input="\n".join(names).encode()).returncode
        except OSError:
            code = 127
        if {blocks}:
            raise dnf.exceptions.Error("refused by cofferdam-agent guard")
"#,
        words.join(", ")
    )
}

fn dnf5(hook: &Hook) -> DropIn {
    let command = match hook.blocks {
        Blocks::AllButYes => hook.line("dnf5"),
        Blocks::OnlyNo => format!("/bin/sh -c \"{}\"", hook.line("dnf5").replace('$', "\\$")),
    };
    let text = format!("# {HEAD}\npre_transaction:::raise_error=1:{command}\n");
    let path = "/etc/dnf/libdnf5-plugins/actions.d/cofferdam-guard.actions";
    drop_in("dnf", path, text)
}

#[cfg(test)]
mod tests;
