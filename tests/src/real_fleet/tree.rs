//! The root tree that every host lies over: a small Debian, made once by mmdebstrap and kept; and the layers
//! that some hosts have above it, with further packages of Debian.
//!
//! It is the Debian of this machine, so that programs built here run there. Its folder is named by a
//! digest of what it was made by, and appears by a rename, so that a tree that was half made is never
//! used. It is made in memory and copied: dpkg's many syncs cost a minute on a disk.

use super::{
    overlay::Overlay,
    teardown,
    trouble::{FleetError, file, succeed},
};
use cofferdam_engine::digest::Digest;
use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Command;

/// What hosts have beyond what every Debian with apt has.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,iproute2,procps,ca-certificates,curl,gpgv,\
                        unattended-upgrades,nginx,needrestart";

/// Where the machine's own archive may be told, newest form first. Without either, mmdebstrap's own.
const SOURCES: [&str; 2] = [
    "/etc/apt/sources.list.d/debian.sources",
    "/etc/apt/sources.list",
];

/// Services that hosts have and do not run. Who tests them enables them.
const IDLE_SERVICES: [&str; 1] = ["nginx.service"];

/// Timers that would begin something at a moment drawn at random, which no test could repeat. Who tests
/// them enables them.
const RANDOM_TIMERS: [&str; 4] = [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "fstrim.timer",
];

/// What else is taken out: the outside archive, the identity of whoever made the tree, and what has apt call
/// needrestart, which takes a second of each change. Who tests it calls it.
const TAKEN_OUT: [&str; 6] = [
    "etc/apt/sources.list",
    "etc/apt/sources.list.d/0000debian.sources",
    "etc/apt/sources.list.d/0000sources.list",
    "etc/hostname",
    "etc/resolv.conf",
    "etc/apt/apt.conf.d/99needrestart",
];

/// A change of what is done with the tree after mmdebstrap counts this up.
const FINISH: u32 = 2;

/// How large the tree may grow while it is made: 260 MB (measured), and room for what is downloaded.
const MEMORY: &str = "size=1g";

/// An idle machine of two cores needs under a minute, a busy one two (measured).
const WITHIN: Duration = Duration::from_secs(600);

/// How to make a tree, and where it is kept.
#[derive(Debug)]
pub struct Recipe {
    suite: String,
    sources: Option<PathBuf>,
    cache: PathBuf,
}

impl Recipe {
    /// The recipe for this machine.
    ///
    /// # Errors
    /// When it is no Debian, or has no folder for caches.
    pub fn of_this_machine() -> Result<Self, FleetError> {
        let path = Path::new("/etc/os-release");
        let release = fs::read_to_string(path).map_err(file("read", path))?;
        let value = |key: &str| {
            let line = release.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        let suite = value("VERSION_CODENAME=");
        let suite = suite.filter(|_| value("ID=").as_deref() == Some("debian"));
        let sources = SOURCES.map(PathBuf::from).into_iter();
        Ok(Self {
            suite: suite.ok_or_else(|| refused("the machine is no Debian"))?,
            sources: sources.into_iter().find(|path| path.is_file()),
            cache: cache().ok_or_else(|| refused("neither XDG_CACHE_HOME nor HOME is set"))?,
        })
    }

    /// Which Debian it is.
    pub(crate) fn suite(&self) -> &str {
        &self.suite
    }

    /// Where it comes from. Absent: mmdebstrap's own.
    pub(crate) fn sources(&self) -> Option<&Path> {
        self.sources.as_deref()
    }

    /// Where trees and disks are kept.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// Where the tree is, or will be.
    pub fn tree(&self) -> PathBuf {
        let made_by = format!(
            "{} {PACKAGES} {RANDOM_TIMERS:?} {IDLE_SERVICES:?} {FINISH}",
            self.suite
        );
        let digest = Digest::of(made_by).to_string();
        self.cache.join(format!("tree-{}", &digest[..16]))
    }

    /// The tree: made now when it is not there yet, which takes about a minute, and says so.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn make(&self) -> Result<PathBuf, FleetError> {
        self.once(self.tree(), async |memory, half| {
            let fresh = memory.join("tree");
            let build = self.mmdebstrap("apt", PACKAGES, memory, &fresh);
            succeed(build, WITHIN).await?;
            finish(&fresh)?;
            copy(&fresh, half).await
        })
        .await
    }

    /// The layer above the tree that adds further packages, separated by commas, and what they need: made now
    /// when it is not there yet, and says so.
    ///
    /// # Errors
    /// When it, or the tree, cannot be made.
    pub async fn make_layer(&self, packages: &str) -> Result<PathBuf, FleetError> {
        let tree = self.make().await?;
        let digest = Digest::of(format!("{} {packages}", tree.display())).to_string();
        let layer = self.cache.join(format!("layer-{}", &digest[..16]));
        self.once(layer, async |memory, half| {
            let overlay = Overlay::in_folder(memory.join("layer"));
            overlay.mount(&[&tree])?;
            let added = self.add_to(&overlay.root(), packages, memory).await;
            teardown::unmount(&overlay.root())?;
            added?;
            // The tree's own is as good.
            teardown::remove(&overlay.upper().join("dev"))?;
            copy(&overlay.upper(), half).await
        })
        .await
    }

    /// mmdebstrap makes devices, and knows no tree that has them.
    async fn add_to(&self, root: &Path, packages: &str, memory: &Path) -> Result<(), FleetError> {
        let devices = root.join("dev");
        teardown::remove(&devices)?;
        fs::create_dir(&devices).map_err(file("make", &devices))?;
        let mut build = self.mmdebstrap("custom", packages, memory, root);
        build.arg("--skip=check/empty");
        build.arg("--aptopt=APT::Install-Recommends \"false\"");
        succeed(build, WITHIN).await?;
        finish(root)
    }

    fn mmdebstrap(&self, variant: &str, packages: &str, memory: &Path, root: &Path) -> Command {
        let mut build = Command::new("mmdebstrap");
        build.args(["--quiet", "--mode=root"]);
        build.arg(format!("--variant={variant}"));
        build.arg(format!("--include={packages}"));
        build.arg("--aptopt=Acquire::Languages \"none\"");
        build.arg(&self.suite).arg(root).args(&self.sources);
        build.env("LC_ALL", "C").env("TMPDIR", memory);
        build
    }

    /// A folder of the cache. When it is not there yet it is made, in memory and then in a half-made place,
    /// by nobody else at the same time.
    async fn once(
        &self,
        folder: PathBuf,
        make: impl AsyncFnOnce(&Path, &Path) -> Result<(), FleetError>,
    ) -> Result<PathBuf, FleetError> {
        if folder.is_dir() {
            return Ok(folder);
        }
        fs::create_dir_all(&self.cache).map_err(file("make", &self.cache))?;
        let path = lock_of(&self.cache);
        let lock = fs::File::create(&path).map_err(file("make", &path))?;
        lock.lock().map_err(file("lock", &path))?;
        if folder.is_dir() {
            return Ok(folder);
        }
        let name = folder.file_name().unwrap_or_default().display();
        eprintln!("makes {name} of hosts, once: about a minute");
        let [memory, half] = unfinished(&self.cache);
        // An earlier try may have been killed.
        clear(&memory)?;
        clear(&half)?;
        fs::create_dir_all(&memory).map_err(file("make", &memory))?;
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", MEMORY, "tmpfs"])
            .arg(&memory);
        succeed(mount, WITHIN).await?;
        let made = make(&memory, &half).await;
        clear(&memory)?;
        made?;
        fs::rename(&half, &folder).map_err(file("move", &half))?;
        Ok(folder)
    }
}

async fn copy(from: &Path, to: &Path) -> Result<(), FleetError> {
    let mut copy = Command::new("cp");
    copy.args(["--archive", "--no-target-directory"]);
    copy.arg(from).arg(to);
    succeed(copy, WITHIN).await.map(drop)
}

/// What every host has in common and mmdebstrap does not know.
fn finish(tree: &Path) -> Result<(), FleetError> {
    let timers =
        RANDOM_TIMERS.map(|timer| format!("etc/systemd/system/timers.target.wants/{timer}"));
    let services = IDLE_SERVICES
        .map(|service| format!("etc/systemd/system/multi-user.target.wants/{service}"));
    let wanted = timers.iter().chain(&services).map(String::as_str);
    for name in TAKEN_OUT.iter().copied().chain(wanted) {
        let path = tree.join(name);
        if path.symlink_metadata().is_ok() {
            fs::remove_file(&path).map_err(file("remove", &path))?;
        }
    }
    // A journal that is on disk outlives a power cut, and can be read while a host is off.
    let journal = tree.join("var/log/journal");
    fs::create_dir_all(&journal).map_err(file("make", &journal))?;
    // Nobody logs in at a console that nobody sees.
    let console = tree.join("etc/systemd/system/console-getty.service");
    if console.is_symlink() {
        return Ok(());
    }
    symlink("/dev/null", &console).map_err(file("make", &console))
}

/// Where a tree is made, and where it is copied to before it is one.
fn unfinished(cache: &Path) -> [PathBuf; 2] {
    ["memory", "half"].map(|name| cache.join(name))
}

/// What is locked while a tree is made.
fn lock_of(cache: &Path) -> PathBuf {
    cache.join("lock")
}

/// Removes what is left of a tree whose making was cut short, its memory among it. Nothing where one is being
/// made. Whether there was something.
///
/// # Errors
/// When it cannot be removed.
pub fn clear_unfinished(cache: &Path) -> Result<bool, FleetError> {
    let left = unfinished(cache).into_iter().filter(|path| path.exists());
    let left: Vec<PathBuf> = left.collect();
    if left.is_empty() {
        return Ok(false);
    }
    let path = lock_of(cache);
    let lock = fs::File::create(&path).map_err(file("make", &path))?;
    if lock.try_lock().is_err() {
        return Ok(false);
    }
    left.iter().try_for_each(|path| clear(path))?;
    Ok(true)
}

/// Removes what an earlier try left, mounted or not.
fn clear(folder: &Path) -> Result<(), FleetError> {
    teardown::unmount(folder)?;
    teardown::remove(folder)
}

/// Where trees are kept. Absent: this user has no folder for such.
pub fn cache() -> Option<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".cache"));
    let cache = cache.filter(|path| path.is_absolute()).or_else(home)?;
    Some(cache.join("cofferdam-fleet"))
}

fn refused(why: &str) -> FleetError {
    FleetError::Refused(why.to_owned())
}
