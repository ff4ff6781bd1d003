//! A new kernel is booted once. One that does not come up, or on which nobody finds the host well, is gone by
//! itself; one that is well becomes the default, and not before.

use super::operated::{operate, rollout, said, start, told, until_over, until_ready};
use cofferdam_engine::run::Ending;
use cofferdam_tests::{
    machine::Machine,
    virtual_fleet::{VirtualFleet, guest::Guest, kernels::Kernels},
};
use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// What is wrong with a kernel's package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// The boot loader cannot load it.
    Truncated,
    /// It finds no file system, and panics.
    Panics,
    /// It boots, and the agent does not start with it.
    Silent,
    /// Nothing.
    None,
}

impl Flaw {
    /// What a rollout and a version are named by.
    fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Panics => "panics",
            Self::Silent => "silent",
            Self::None => "good",
        }
    }

    /// What the console says of it. Empty: nothing.
    fn sign(self) -> &'static str {
        match self {
            // What GRUB says of an image that it cannot load is gone with the next entry.
            Self::Truncated => "Booting `Trial of Linux",
            Self::Panics => "Kernel panic - not syncing",
            Self::Silent => "nobody found this host well within",
            Self::None => "",
        }
    }

    /// Puts it into an unpacked package.
    fn put_into(self, tree: &Path, release: &str) {
        match self {
            Self::Truncated => {
                let image = tree.join(format!("boot/vmlinuz-{release}"));
                let image = OpenOptions::new().write(true).open(image).unwrap();
                image.set_len(1 << 20).unwrap();
            }
            Self::Panics => {
                let script = tree.join("DEBIAN/postinst");
                let text = fs::read_to_string(&script).unwrap();
                let spoil = format!("echo spoilt >/boot/initrd.img-{release}\nexit 0\n");
                fs::write(&script, text.replace("\nexit 0\n", &format!("\n{spoil}"))).unwrap();
            }
            Self::Silent => {
                let folder = tree.join("etc/systemd/system/cofferdam-agent.service.d");
                fs::create_dir_all(&folder).unwrap();
                let unit = format!(
                    "[Service]\nExecStartPre=/bin/sh -c 'test \"$(uname -r)\" != {release}'\n"
                );
                fs::write(folder.join("silent.conf"), unit).unwrap();
            }
            Self::None => {}
        }
    }
}

/// Offers a kernel's package with a flaw, as a version of its own.
async fn publish(fleet: &VirtualFleet, kernels: &Kernels, unpacked: &Path, flaw: Flaw) -> String {
    let tree = fleet.folder().join(flaw.name());
    let copied = Command::new("cp")
        .arg("-a")
        .arg(unpacked)
        .arg(&tree)
        .status();
    assert!(copied.unwrap().success());
    flaw.put_into(&tree, &kernels.new);
    // They would be wrong, and dpkg makes its own.
    fs::remove_file(tree.join("DEBIAN/md5sums")).unwrap();
    let control = tree.join("DEBIAN/control");
    let text = fs::read_to_string(&control).unwrap();
    let version = format!("99+{}", flaw.name());
    let line = |line: &str| match line.starts_with("Version: ") {
        true => format!("Version: {version}\n"),
        false => format!("{line}\n"),
    };
    fs::write(&control, text.lines().map(line).collect::<String>()).unwrap();
    let file = format!("kernel-{}.deb", flaw.name());
    fleet
        .repository
        .publish_unpacked(&tree, &file)
        .await
        .unwrap();
    fs::remove_dir_all(&tree).unwrap();
    version
}

/// What a machine boots from now on, and what is left of a trial.
async fn boot_menu(guest: &Guest) -> String {
    said(
        guest,
        "grub-editenv list; ls /boot/grub/custom.cfg 2>&1; ls /boot/vmlinuz-*",
    )
    .await
}

/// Writes a figure down, for the documents.
fn note(what: &str, since: Instant) {
    writeln!(std::io::stderr(), "{what}: {} s", since.elapsed().as_secs()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kernel_that_does_not_boot_or_is_not_found_well_is_gone_by_itself() {
    let Some(fleet) = VirtualFleet::lay_out(Machine::several(1)).await else {
        return;
    };
    let kernels = Kernels::of_this_machine().unwrap();
    let package = kernels.package(&kernels.new);
    let unpacked: PathBuf = fleet.folder().join("unpacked");
    let beside = fleet.folder().join("fetched");
    kernels.unpack_new(&beside, &unpacked).await.unwrap();
    let guest = &fleet.guests()[0];
    let since = Instant::now();
    guest.power_on().await.unwrap();
    assert_eq!(guest.booted().await.unwrap(), kernels.old);
    note("first boot", since);
    until_ready(guest).await;
    let before = boot_menu(guest).await;

    for flaw in [Flaw::Truncated, Flaw::Panics, Flaw::Silent] {
        let version = publish(&fleet, &kernels, &unpacked, flaw).await;
        let heard = guest.console().len();
        let since = Instant::now();
        start(&fleet, &rollout(flaw.name(), &package, &version, "")).await;
        let (passed, status) = until_over(&fleet, flaw.name()).await;
        note(flaw.name(), since);
        assert!(!passed, "{flaw:?}: {status}");
        let detail = format!("kernel {} did not boot", kernels.new);
        assert!(status.contains(&detail), "{flaw:?}: {status}");
        assert!(guest.console()[heard..].contains(flaw.sign()), "{flaw:?}");
        assert_eq!(guest.booted().await.unwrap(), kernels.old, "{flaw:?}");
        until_ready(guest).await;
        let told = told(guest, flaw.name()).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].ending(), Some(Ending::RolledBack), "{flaw:?}");
        assert_eq!(boot_menu(guest).await, before, "{flaw:?}");
        // Its config files may stay, as those of any package that is taken back.
        let left = format!("dpkg-query -f '${{db:Status-Status}}' --show {package} || true");
        assert_ne!(said(guest, &left).await.trim(), "installed", "{flaw:?}");
    }

    good(&fleet, guest, &kernels, &unpacked).await;
}

/// The default is the old kernel's while the new one is looked at, the new one's afterwards, and the old one's
/// again when an operator takes it back.
async fn good(fleet: &VirtualFleet, guest: &Guest, kernels: &Kernels, unpacked: &Path) {
    let package = kernels.package(&kernels.new);
    let version = publish(fleet, kernels, unpacked, Flaw::None).await;
    let look = "mkdir -p /etc/cofferdam/checks.d; cat >/etc/cofferdam/checks.d/default <<'END'\n\
                #!/bin/sh\n(uname -r; grub-editenv list) | tr '\\n' ' ' >>/root/seen; echo >>/root/seen\nEND\n\
                chmod 755 /etc/cofferdam/checks.d/default";
    said(guest, look).await;
    let since = Instant::now();
    start(fleet, &rollout("good", &package, &version, "")).await;
    let (passed, status) = until_over(fleet, "good").await;
    note("good", since);
    assert!(passed, "{status}");
    assert_eq!(guest.booted().await.unwrap(), kernels.new);
    let seen = said(guest, "cat /root/seen").await;
    let tried: Vec<&str> = seen
        .lines()
        .filter(|line| line.starts_with(&kernels.new))
        .collect();
    let (old, new) = (
        format!("gnulinux-{}-advanced", kernels.old),
        format!("gnulinux-{}-advanced", kernels.new),
    );
    assert!(
        tried[0].contains(&old) && !tried[0].contains(&new),
        "{seen}"
    );
    said(
        guest,
        "systemctl is-active cofferdam-kernel-trial; systemctl --failed",
    )
    .await;
    let since = Instant::now();
    guest.run("systemctl reboot").await.ok();
    reboots_into(guest, &kernels.new).await;
    note("reboot", since);

    let since = Instant::now();
    let (is_done, printed) = operate(fleet, &["rollback", "good"]);
    assert!(is_done, "{printed}");
    reboots_into(guest, &kernels.old).await;
    until_gone(guest, &package).await;
    note("way back", since);
    until_ready(guest).await;
}

async fn reboots_into(guest: &Guest, release: &str) {
    let up = cofferdam_tests::virtual_fleet::guest::BOOTED_WITHIN;
    cofferdam_tests::patience::eventually("the reboot", up, async || {
        let line = "cut -d. -f1 /proc/uptime; uname -r; systemctl is-system-running";
        let answer = guest.run(line).await.map_err(|error| error.to_string())?;
        let is_it = answer.printed.contains(release) && !answer.printed.contains("stopping");
        is_it.then_some(()).ok_or(answer.printed)
    })
    .await;
}

async fn until_gone(guest: &Guest, package: &str) {
    let up = cofferdam_tests::virtual_fleet::guest::BOOTED_WITHIN;
    cofferdam_tests::patience::eventually("the package to be gone", up, async || {
        let line = format!("dpkg-query --show {package}");
        let answer = guest.run(&line).await.map_err(|error| error.to_string())?;
        (answer.code == Some(1)).then_some(()).ok_or(answer.printed)
    })
    .await;
}
