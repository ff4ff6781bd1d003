//! GRUB on a host: its files and its own tools.

use super::{
    block,
    menu::{Entry, Menu},
    settings::{assigned, saved},
};
use crate::host::{
    command::{Command, Runner},
    durable::{self, FileError},
};
use cofferdam_engine::failure::{Failure, FailureKind};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

/// GRUB's own folder, on Debian and what comes from it.
const FOLDER: &str = "/boot/grub";

/// What `grub-mkconfig` reads, and the folder whose files it reads after that.
const SETTINGS: &str = "/etc/default/grub";
const MORE_SETTINGS: &str = "/etc/default/grub.d";

/// Where systemd-boot says that it booted this machine: systemd-boot(7).
const SYSTEMD_BOOT: &str =
    "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/// File systems that GRUB can write its environment to, as `grub-probe` names them. It cannot where blocks move
/// when they are written: `next_entry` would stay, and each boot would be the new kernel's.
const WRITABLE: [&str; 3] = ["ext2", "fat", "xfs"];

/// How long a kernel that panics waits before it reboots, in seconds (guess: to be read on a console).
const PANIC_SECS: u32 = 30;

/// The parameter that tells [`crate::kernel_trial`] how long a trial may take, in seconds.
pub(crate) const TRIAL_PARAMETER: &str = "cofferdam.trial";

/// The unit that ends a trial which nobody confirms.
const TIMER: &str = "cofferdam-kernel-trial.service";

/// GRUB on this machine.
pub struct Grub {
    runner: Rc<dyn Runner>,
    folder: PathBuf,
}

impl Grub {
    /// GRUB on this machine, if new kernels can be booted once by it.
    ///
    /// # Errors
    /// [`FailureKind::Unsupported`] with what to do, when they cannot.
    pub async fn ready(runner: Rc<dyn Runner>) -> Result<Self, Failure> {
        if says_systemd_boot() {
            return Err(unsupported(
                "systemd-boot boots this host, and only GRUB can be told",
            ));
        }
        if !durable::exists(&Path::new(FOLDER).join("grub.cfg"))? {
            let why = format!("there is no {FOLDER}/grub.cfg");
            return Err(unsupported(&why));
        }
        let grub = Self::known(runner);
        grub.require_settings()?;
        grub.require_menu(&grub.menu()?)?;
        grub.require_writable().await?;
        grub.require_timer().await?;
        Ok(grub)
    }

    /// GRUB on a machine on which it was [`ready`](Self::ready) before.
    pub fn known(runner: Rc<dyn Runner>) -> Self {
        let folder = PathBuf::from(FOLDER);
        Self { runner, folder }
    }

    /// Whether a kernel has an entry of its own.
    ///
    /// # Errors
    /// [`FailureKind::Kernel`] when it has none, [`FailureKind::Io`] when the menu cannot be read.
    pub fn require_entry(&self, release: &str) -> Result<(), Failure> {
        self.menu().and_then(|menu| entry(&menu, release).map(drop))
    }

    /// The entry that is saved as the default. Absent: none is.
    ///
    /// # Errors
    /// When GRUB's tool fails.
    pub async fn default_entry(&self) -> Result<Option<String>, Failure> {
        let listed = self.environment(&["list"]).await?;
        Ok(saved("saved_entry", &listed))
    }

    /// Makes a kernel the default for good, and forgets any trial. `former` stays where it boots that kernel too:
    /// it may be the one that always boots the newest.
    ///
    /// # Errors
    /// [`FailureKind::Kernel`] when the menu has no entry of its own for the kernel, and what the tools and files
    /// fail with.
    pub async fn settle(&self, release: &str, former: Option<&str>) -> Result<(), Failure> {
        let menu = self.menu()?;
        let own = entry(&menu, release)?.path.clone();
        let stays = menu.boots(former) == Some(release);
        self.disarm().await?;
        match former.filter(|_| stays) {
            Some(former) => self.set("saved_entry", former).await,
            None if stays => self.unset("saved_entry").await,
            None => self.set("saved_entry", &own).await,
        }
    }

    /// Makes a kernel the default by its own entry, whatever comes beside it. The rest stays as it is.
    ///
    /// # Errors
    /// As [`Grub::settle`].
    pub async fn pin(&self, release: &str) -> Result<(), Failure> {
        let own = entry(&self.menu()?, release)?.path.clone();
        self.set("saved_entry", &own).await
    }

    /// Lets the next boot, and no later one, be a kernel's, and the default one's where it cannot be loaded. The
    /// boot is ended by its own timer after so long.
    ///
    /// # Errors
    /// As [`Grub::settle`].
    pub async fn arm(&self, new: &str, old: &str, within: Duration) -> Result<(), Failure> {
        let menu = self.menu()?;
        let more = format!("panic={PANIC_SECS} {TRIAL_PARAMETER}={}", within.as_secs());
        let (new, old) = (entry(&menu, new)?, entry(&menu, old)?);
        let text = block::with_trial(&self.custom()?, new, old, &more);
        self.write_custom(&text)?;
        self.set("next_entry", block::TRIAL).await
    }

    /// Takes a trial back that was not booted, and what is left of one that was.
    ///
    /// # Errors
    /// What the tools and files fail with.
    pub async fn disarm(&self) -> Result<(), Failure> {
        self.unset("next_entry").await?;
        let text = self.custom()?;
        let without = block::without_trial(&text);
        match without == text {
            true => Ok(()),
            false if without.is_empty() => Ok(durable::remove(&self.custom_path())?),
            false => self.write_custom(&without),
        }
    }

    fn require_settings(&self) -> Result<(), Failure> {
        let mut value = None;
        for path in settings_files()? {
            let text = text_of(&path)?;
            value = assigned("GRUB_DEFAULT", value, &text).map_err(|line| {
                let why = format!(
                    "{} sets GRUB_DEFAULT by more than a word: {line}",
                    path.display()
                );
                unsupported(&why)
            })?;
        }
        match value.as_deref() {
            Some("saved") => Ok(()),
            other => {
                let found = other.unwrap_or("not set");
                let why = format!(
                    "GRUB_DEFAULT is {found} in {SETTINGS}: the newest kernel is the default at once"
                );
                Err(unsupported(&why))
            }
        }
    }

    fn require_menu(&self, menu: &Menu) -> Result<(), Failure> {
        let menu_path = self.menu_path();
        let lacks = match menu {
            menu if !menu.saved_is_default => "its default is not the saved entry",
            menu if !menu.has_one_shot => "it cannot boot an entry once",
            menu if !menu.reads_custom => "it does not read custom.cfg",
            _ => return Ok(()),
        };
        Err(unsupported(&format!(
            "{}: {lacks}; run update-grub",
            menu_path.display()
        )))
    }

    /// Whether GRUB itself can forget an entry that it was to boot once.
    async fn require_writable(&self) -> Result<(), Failure> {
        let layers = self.probe("abstraction").await?;
        let file_system = self.probe("fs").await?;
        if layers.is_empty() && WRITABLE.contains(&file_system.as_str()) {
            return Ok(());
        }
        let found = format!("{layers} {file_system}");
        let why = format!("GRUB cannot write to {FOLDER} on {}", found.trim());
        Err(unsupported(&why))
    }

    /// Whether a trial that nobody confirms would come to an end.
    async fn require_timer(&self) -> Result<(), Failure> {
        let asked = Command::new("systemctl").args(["is-enabled", "--quiet", TIMER]);
        match self.runner.run(&asked).await?.is_success() {
            true => Ok(()),
            false => Err(unsupported(&format!("{TIMER} is not enabled"))),
        }
    }

    async fn probe(&self, target: &str) -> Result<String, Failure> {
        let probe = Command::new("grub-probe").arg(format!("--target={target}"));
        let said = self.must(&probe.arg(&self.folder)).await?;
        Ok(said.trim().to_owned())
    }

    fn menu(&self) -> Result<Menu, Failure> {
        Ok(Menu::parse(&text_of(&self.menu_path())?))
    }

    fn menu_path(&self) -> PathBuf {
        self.folder.join("grub.cfg")
    }

    fn custom_path(&self) -> PathBuf {
        self.folder.join("custom.cfg")
    }

    fn custom(&self) -> Result<String, Failure> {
        text_of(&self.custom_path())
    }

    fn write_custom(&self, text: &str) -> Result<(), Failure> {
        Ok(durable::write(&self.custom_path(), text.as_bytes())?)
    }

    async fn set(&self, name: &str, value: &str) -> Result<(), Failure> {
        self.environment(&["set", &format!("{name}={value}")])
            .await?;
        self.sync()
    }

    async fn unset(&self, name: &str) -> Result<(), Failure> {
        self.environment(&["unset", name]).await?;
        self.sync()
    }

    async fn environment(&self, words: &[&str]) -> Result<String, Failure> {
        let editor = Command::new("grub-editenv").arg(self.environment_path());
        self.must(&editor.args(words)).await
    }

    fn environment_path(&self) -> PathBuf {
        self.folder.join("grubenv")
    }

    /// GRUB reads the disk and knows no journal of a file system: what it is to find has to be there.
    fn sync(&self) -> Result<(), Failure> {
        let path = self.environment_path();
        let synced = File::open(&path).and_then(|file| {
            file.sync_all()?;
            nix::unistd::syncfs(&file)?;
            Ok(())
        });
        Ok(synced.map_err(FileError::of("syncing", &path))?)
    }

    async fn must(&self, command: &Command) -> Result<String, Failure> {
        let output = self.runner.run(command).await?;
        if output.is_success() {
            return Ok(output.stdout.text());
        }
        let said = output.text();
        let detail = format!("`{command}` failed ({}): {}", output.exit, said.trim());
        Err(Failure::new(FailureKind::Kernel, detail))
    }
}

fn entry<'a>(menu: &'a Menu, release: &str) -> Result<&'a Entry, Failure> {
    menu.of_release(release).ok_or_else(|| {
        let detail = format!("GRUB's menu has no entry for kernel {release}");
        Failure::new(FailureKind::Kernel, detail)
    })
}

/// What `grub-mkconfig` reads, in its order.
fn settings_files() -> Result<Vec<PathBuf>, Failure> {
    let folder = Path::new(MORE_SETTINGS);
    let mut files = vec![PathBuf::from(SETTINGS)];
    if durable::exists(folder)? {
        let found = fs::read_dir(folder).map_err(FileError::of("reading", folder))?;
        let found = found.flatten().map(|entry| entry.path());
        let mut more: Vec<PathBuf> = found
            .filter(|path| path.extension().is_some_and(|kind| kind == "cfg"))
            .collect();
        more.sort();
        files.extend(more);
    }
    Ok(files)
}

/// Empty: there is no such file.
fn text_of(path: &Path) -> Result<String, Failure> {
    let bytes = durable::read(path)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The variable's text is UTF-16, after four bytes of attributes.
fn says_systemd_boot() -> bool {
    let bytes = fs::read(SYSTEMD_BOOT).unwrap_or_default();
    let text: Vec<u8> = bytes.into_iter().filter(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&text).contains("systemd-boot")
}

fn unsupported(why: &str) -> Failure {
    let detail = format!(
        "a new kernel cannot be booted once here: {why}. Set `GRUB_DEFAULT=saved` in {SETTINGS}, run update-grub, \
         and enable {TIMER}; or set `kernel_fallback = \"none\"` in [patch] to go on without a way back"
    );
    Failure::new(FailureKind::Unsupported, detail)
}

#[cfg(test)]
mod tests;
