//! Which drop-ins are as the guard wrote them and hold nothing: what is read after them takes them back, or
//! systemd was not told of them.
//!
//! Who reads them is asked when a file among theirs has changed, and each time while one does not hold.

use super::{
    channels,
    command::SYSTEMD,
    manifest::{Manifest, Written},
    places::PROGRAM,
    settings::Mode,
};
use crate::host::{
    command::{Command, Runner},
    root::Root,
    stamp::Stamp,
    unit::systemctl,
    unit_state::DEADLINE,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The channel of needrestart, as its drop-in has it.
const NEEDRESTART: &str = "needrestart";

/// What an apt must know of a guard that enforces, as `apt-config dump` prints it.
const ENFORCED: [&str; 2] = [
    "Unattended-Upgrade::InstallOnShutdown \"false\";",
    "Unattended-Upgrade::Automatic-Reboot \"false\";",
];

/// Looks, and remembers at what.
#[derive(Debug, Default)]
pub(crate) struct Overridden {
    /// What stood beside the drop-ins. Absent: it was not looked at yet.
    beside: Option<BTreeMap<PathBuf, Stamp>>,
    found: Vec<String>,
}

impl Overridden {
    /// The drop-ins of this machine that hold nothing, in order, but for those that are `lost`.
    pub(crate) async fn look(
        &mut self,
        manifest: &Manifest,
        lost: &[String],
        runner: &dyn Runner,
    ) -> Vec<String> {
        let beside = beside(&Root::machine(), manifest);
        let is_known = self.beside.as_ref() == Some(&beside);
        if !is_known || !self.found.is_empty() {
            self.found = ask(manifest, runner).await;
            self.beside = Some(beside);
        }
        let found = self.found.iter().filter(|file| !lost.contains(file));
        found.cloned().collect()
    }
}

/// All files in the folders of drop-ins, and where else those units may be changed.
fn beside(root: &Root, manifest: &Manifest) -> BTreeMap<PathBuf, Stamp> {
    let folders = manifest.files.iter().filter_map(|file| file.path.parent());
    let mut folders: BTreeSet<PathBuf> = folders.map(Path::to_owned).collect();
    for name in units(manifest).keys() {
        folders
            .extend(["/run", "/usr/lib"].map(|at| format!("{at}/systemd/system/{name}.d").into()));
    }
    let folders = folders
        .iter()
        .map(|folder| root.join(&folder.to_string_lossy()));
    let files = folders.flat_map(|folder| {
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.flatten().map(|entry| entry.path())
    });
    let main = root.join("/etc/apt/apt.conf");
    let all = files.chain([main]);
    all.filter_map(|path| Some((path.clone(), Stamp::of(&fs::symlink_metadata(&path).ok()?))))
        .collect()
}

/// Asks those who read drop-ins. Who gives no answer has taken nothing back, as far as can be told.
async fn ask(manifest: &Manifest, runner: &dyn Runner) -> Vec<String> {
    let mut found = Vec::new();
    let said = async |command: Command| {
        let output = runner.run(&command.deadline(DEADLINE)).await.ok();
        output.filter(|output| output.is_success())
    };
    let of_channel = |channel| {
        manifest
            .files
            .iter()
            .find(move |file| file.channel == channel)
    };
    if let Some(file) = of_channel("apt")
        && let Some(output) = said(Command::new("apt-config").arg("dump")).await
        && !apt_knows(&output.stdout.text(), manifest.settings.mode)
    {
        found.push(shown(file));
    }
    let units = units(manifest);
    if !units.is_empty() && Path::new(SYSTEMD).is_dir() {
        let show = systemctl(&["show", "--property=Id,LoadState,ExecCondition", "--"]);
        let output = said(show.args(units.keys())).await;
        let text = output
            .map(|output| output.stdout.text())
            .unwrap_or_default();
        let lost = without_condition(&text);
        found.extend(
            units
                .iter()
                .filter(|(name, _)| lost.contains(**name))
                .map(|(_, file)| shown(file)),
        );
    }
    if let Some(file) = of_channel(NEEDRESTART)
        && is_needrestart_told_otherwise(&file.path)
    {
        found.push(shown(file));
    }
    found.sort();
    found
}

/// The units of which the guard has a drop-in.
fn units(manifest: &Manifest) -> BTreeMap<&str, &Written> {
    let of_systemd = |file: &&Written| channels::is_of_systemd(&file.path);
    let files = manifest.files.iter().filter(of_systemd);
    files.map(|file| (file.channel.as_str(), file)).collect()
}

fn shown(file: &Written) -> String {
    file.path.display().to_string()
}

/// Whether apt, by what `apt-config dump` prints, has the guard's hook and settings.
fn apt_knows(dump: &str, mode: Mode) -> bool {
    let hook = format!("{PROGRAM} guard hook");
    let mut lines = dump.lines();
    let has_hook =
        lines.any(|line| line.starts_with("DPkg::Pre-Install-Pkgs") && line.contains(&hook));
    let is_set = |setting: &&str| dump.lines().any(|line| line == *setting);
    has_hook && (mode == Mode::Observe || ENFORCED.iter().all(is_set))
}

/// The units that systemd has and would start without asking the guard, by what `systemctl show` prints of each.
fn without_condition(said: &str) -> BTreeSet<&str> {
    let asks = format!("{PROGRAM} guard hook");
    let units = said.split("\n\n").filter_map(|unit| {
        let property = |key: &str| {
            let mut lines = unit.lines();
            lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        };
        let is_there = property("LoadState") == Some("loaded");
        let asks = property("ExecCondition").is_some_and(|condition| condition.contains(&asks));
        (is_there && !asks).then(|| property("Id"))?
    });
    units.collect()
}

/// Whether a file that needrestart reads after the guard's says when it restarts.
fn is_needrestart_told_otherwise(own: &Path) -> bool {
    let entries = own.parent().map(fs::read_dir);
    let entries = entries.into_iter().flatten().flatten().flatten();
    let later = entries.map(|entry| entry.path()).filter(|path| {
        path.extension().is_some_and(|end| end == "conf") && path.file_name() > own.file_name()
    });
    let says = |path: PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut lines = text.lines().map(str::trim_start);
        lines.any(|line| line.starts_with("$nrconf{restart}"))
    };
    later.into_iter().any(says)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apt_knows_the_hook_unless_something_cleared_or_changed_it() {
        let dump = format!(
            "APT \"\";\nDPkg::Pre-Install-Pkgs \"\";\n\
             DPkg::Pre-Install-Pkgs:: \"/usr/sbin/dpkg-preconfigure --apt || true\";\n\
             DPkg::Pre-Install-Pkgs:: \"{PROGRAM} guard hook --state-dir /s apt\";\n\
             {}\n{}\n",
            ENFORCED[0], ENFORCED[1]
        );
        let reboots = dump.replace("Automatic-Reboot \"false\"", "Automatic-Reboot \"true\"");
        let cleared = dump.replace("guard hook", "x");
        for (dump, mode, knows) in [
            (&dump, Mode::Enforce, true),
            (&reboots, Mode::Enforce, false),
            (&reboots, Mode::Observe, true),
            (&cleared, Mode::Observe, false),
            (&String::new(), Mode::Observe, false),
        ] {
            assert_eq!(apt_knows(dump, mode), knows, "{dump}");
        }
    }

    #[test]
    fn a_unit_that_is_there_must_ask_the_guard() {
        // As systemd 252 prints it, cut short.
        let said = format!(
            "ExecCondition={{ path={PROGRAM} ; argv[]={PROGRAM} guard hook --state-dir /s unit a.service ; }}\n\
             Id=a.service\nLoadState=loaded\n\n\
             Id=b.service\nLoadState=loaded\n\n\
             Id=c.service\nLoadState=not-found\n\n\
             ExecCondition={{ path=/bin/true ; argv[]=/bin/true ; }}\nId=d.service\nLoadState=loaded\n"
        );
        assert_eq!(without_condition(&said), ["b.service", "d.service"].into());
        assert_eq!(without_condition("x\n\n\n"), BTreeSet::new());
    }

    #[test]
    fn needrestart_goes_by_what_it_reads_last() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("zz-cofferdam-guard.conf");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("zz-cofferdam-guard.conf", "$nrconf{restart} = 'l';\n");
        write("a.conf", "$nrconf{restart} = 'a';\n");
        write("zzz.conf", "# $nrconf{restart} = 'a';\n");
        write("zzz.conf.bak", "$nrconf{restart} = 'a';\n");
        assert!(!is_needrestart_told_otherwise(&own));
        write("zzz.conf", "  $nrconf{restart} = 'a';\n");
        assert!(is_needrestart_told_otherwise(&own));
    }
}
