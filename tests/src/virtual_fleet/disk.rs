//! The disk that every virtual machine begins with: a small Debian with a kernel and GRUB, made once and kept.
//!
//! ```text
//! sector 0        boot.img with the table of one partition
//! sector 1 ...    core.img, made for that partition
//! sector 2048 ... ext4
//! ```
//!
//! Made in memory by mmdebstrap, and booted once without its boot loader, since only a system that runs on it
//! can write its menu.

use super::{kernels::Kernels, qemu};
use crate::real_fleet::{
    teardown, tree,
    trouble::{FleetError, file, succeed},
};
use cofferdam_engine::digest::Digest;
use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{FileExt, symlink},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Command;

/// What machines have beyond what every Debian with apt has.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,iproute2,procps,ca-certificates,curl,gpgv,\
                        initramfs-tools,grub-pc-bin,grub2-common,zstd";

/// The file system's id.
const UUID: &str = "6d1f0b52-3a5c-4f0e-9d2b-0c0ffee0c0de";

/// How large the disk is: 0.5 GB in use, a second kernel, and a debug build of the agent.
const SIZE: u64 = 2 << 30;

/// Where the partition begins, in sectors and in bytes.
const BEGINS: u32 = 2048;
pub(super) const OFFSET: u64 = BEGINS as u64 * 512;

/// How much of boot.img is code: the partition table comes after it.
const CODE: usize = 440;

/// What the kernel is told beside where its root is. Emulation knows none of the troubles that are mitigated; and a
/// kernel that finds its timer late, as it is on a busy machine, would panic.
const PARAMETERS: &str = "console=ttyS0 net.ifnames=0 mitigations=off no_timer_check";

/// A minute alone on a machine of two cores, three on a busy one (measured).
const WITHIN: Duration = Duration::from_secs(900);

/// Files of the tree that mmdebstrap does not write. The saved entry is the default, as a fleet whose kernels are
/// tried has it.
const FILES: [(&str, &str); 8] = [
    (
        "etc/default/grub",
        "GRUB_DEFAULT=saved\nGRUB_TIMEOUT=0\nGRUB_DISTRIBUTOR=Debian\nGRUB_CMDLINE_LINUX_DEFAULT=\"\"\n\
         GRUB_CMDLINE_LINUX=\"console=ttyS0 net.ifnames=0 mitigations=off no_timer_check\"\nGRUB_TERMINAL=serial\n\
         GRUB_SERIAL_COMMAND=\"serial --unit=0 --speed=115200\"\nGRUB_DISABLE_OS_PROBER=true\n",
    ),
    (
        "etc/fstab",
        "UUID=6d1f0b52-3a5c-4f0e-9d2b-0c0ffee0c0de / ext4 errors=remount-ro 0 1\n",
    ),
    // Who connects may say what a shell is to do: nobody can from outside the fleet's network.
    (
        "etc/systemd/system/guest-shell.socket",
        "[Socket]\nListenStream=23\nAccept=yes\n[Install]\nWantedBy=sockets.target\n",
    ),
    (
        "etc/systemd/system/guest-shell@.service",
        "[Service]\nExecStart=-/bin/bash\nStandardInput=socket\nStandardOutput=socket\nStandardError=socket\n\
         Environment=HOME=/root LC_ALL=C.UTF-8\n",
    ),
    // What the agent says is seen on the console while it says it.
    (
        "etc/systemd/system/cofferdam-agent.service.d/console.conf",
        "[Service]\nStandardOutput=journal+console\nStandardError=journal+console\n",
    ),
    (
        "etc/systemd/system/first-boot.service",
        "[Unit]\nConditionPathExists=!/boot/grub/grub.cfg\n[Service]\nType=oneshot\n\
         StandardOutput=journal+console\nStandardError=journal+console\n\
         ExecStart=/bin/sh -exc 'update-grub; touch /etc/first-boot-done; sync; systemctl poweroff'\n\
         [Install]\nWantedBy=multi-user.target\n",
    ),
    ("etc/initramfs-tools/conf.d/few", "MODULES=list\n"),
    ("etc/machine-id", ""),
];

/// Modules that the first file system in memory needs. All that a kernel has would take a minute to pack.
const MODULES: &str = "virtio_pci\nvirtio_blk\next4\n";

/// Units that are wanted and not enabled by a package, with who wants them.
const WANTED: [(&str, &str); 2] = [
    ("guest-shell.socket", "sockets.target.wants"),
    ("first-boot.service", "multi-user.target.wants"),
];

/// Units that nobody sees, or that would begin something at a moment drawn at random.
const MASKED: [&str; 11] = [
    "getty@.service",
    "serial-getty@.service",
    "systemd-logind.service",
    "systemd-timesyncd.service",
    "systemd-pstore.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "fstrim.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
];

/// A change of what is done with the tree after mmdebstrap counts this up.
const FINISH: u32 = 1;

/// What is booted without a boot loader.
#[derive(Debug, Clone)]
pub struct Direct {
    /// The kernel.
    pub kernel: PathBuf,
    /// Its first file system.
    pub initrd: PathBuf,
    /// What it is told.
    pub parameters: String,
}

/// How to make the disk, and where it is kept.
#[derive(Debug)]
pub struct Recipe {
    tree: tree::Recipe,
    kernels: Kernels,
}

impl Recipe {
    /// The recipe for this machine.
    ///
    /// # Errors
    /// When it is no Debian, or its archive has no two kernels.
    pub fn of_this_machine() -> Result<Self, FleetError> {
        Ok(Self {
            tree: tree::Recipe::of_this_machine()?,
            kernels: Kernels::of_this_machine()?,
        })
    }

    /// The disk: made now when it is not there yet, which takes minutes, and says so.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn make(&self) -> Result<PathBuf, FleetError> {
        let disk = self.disk();
        let cache = self.tree.cache();
        fs::create_dir_all(cache).map_err(file("make", cache))?;
        let path = cache.join("disk-lock");
        let lock = fs::File::create(&path).map_err(file("make", &path))?;
        lock.lock().map_err(file("lock", &path))?;
        if disk.is_file() {
            return Ok(disk);
        }
        eprintln!("makes the disk of virtual machines, once: some minutes");
        let memory = cache.join("disk-memory");
        clear(&memory)?;
        fs::create_dir_all(&memory).map_err(file("make", &memory))?;
        let made = self.make_in(&memory, &disk).await;
        clear(&memory)?;
        made.map(|()| disk)
    }

    fn disk(&self) -> PathBuf {
        let made_by = format!(
            "{} {PACKAGES} {SIZE} {FILES:?} {MODULES} {WANTED:?} {MASKED:?} {FINISH}",
            self.kernels.old
        );
        let digest = Digest::of(made_by).to_string();
        self.tree.cache().join(format!("disk-{}", &digest[..16]))
    }

    async fn make_in(&self, memory: &Path, disk: &Path) -> Result<(), FleetError> {
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=4g", "tmpfs"])
            .arg(memory);
        succeed(mount, WITHIN).await?;
        let root = memory.join("tree");
        let mut build = Command::new("mmdebstrap");
        build.args(["--quiet", "--mode=root", "--variant=apt"]);
        build.arg(format!(
            "--include={PACKAGES},{}",
            self.kernels.package(&self.kernels.old)
        ));
        build.arg("--aptopt=Acquire::Languages \"none\"");
        build.arg(format!(
            "--essential-hook=mkdir -p $1/etc/initramfs-tools/conf.d; \
             echo MODULES=list >$1/etc/initramfs-tools/conf.d/few; \
             printf '{}' >$1/etc/initramfs-tools/modules",
            MODULES.replace('\n', "\\n")
        ));
        build
            .arg(self.tree.suite())
            .arg(&root)
            .args(self.tree.sources());
        build.env("LC_ALL", "C").env("TMPDIR", memory);
        succeed(build, WITHIN).await?;
        finish(&root)?;
        let half = memory.join("disk");
        self.write(&root, &half).await?;
        self.boot_once(&root, &half, memory).await?;
        let beside = disk.with_extension("half");
        copy(&half, &beside).await?;
        fs::rename(&beside, disk).map_err(file("move", &beside))
    }

    /// Writes a tree to a disk, with what boots it.
    async fn write(&self, root: &Path, disk: &Path) -> Result<(), FleetError> {
        let grub = root.join("usr/lib/grub/i386-pc");
        let modules = root.join("boot/grub");
        fs::create_dir_all(&modules).map_err(file("make", &modules))?;
        let mut copied = Command::new("cp");
        copied.arg("--recursive").arg(&grub).arg(&modules);
        succeed(copied, WITHIN).await?;
        let mut core = Command::new("chroot");
        core.arg(root)
            .args(["grub-mkimage", "-O", "i386-pc", "-o", "/core.img"]);
        core.args([
            "-p",
            "(hd0,msdos1)/boot/grub",
            "biosdisk",
            "part_msdos",
            "ext2",
        ]);
        succeed(core, WITHIN).await?;
        let core = root.join("core.img");
        let core_image = fs::read(&core).map_err(file("read", &core))?;
        fs::remove_file(&core).map_err(file("remove", &core))?;
        let boot = grub.join("boot.img");
        let boot_image = fs::read(&boot).map_err(file("read", &boot))?;
        let made = fs::File::create(disk).and_then(|made| made.set_len(SIZE));
        made.map_err(file("make", disk))?;
        let mut format = Command::new("mke2fs");
        format.args(["-q", "-t", "ext4", "-U", UUID, "-E"]);
        format.arg(format!("offset={OFFSET},root_owner=0:0"));
        format.arg("-d").arg(root).arg(disk);
        format.arg(format!("{}k", (SIZE - OFFSET) / 1024));
        succeed(format, WITHIN).await?;
        let opened = OpenOptions::new().write(true).open(disk);
        let opened = opened.map_err(file("open", disk))?;
        let head = [&first_sector(&boot_image)[..], &core_image].concat();
        opened.write_all_at(&head, 0).map_err(file("write", disk))
    }

    /// Boots it without its boot loader, so that it writes its menu, and waits until it has switched itself off.
    async fn boot_once(&self, root: &Path, disk: &Path, memory: &Path) -> Result<(), FleetError> {
        let release = &self.kernels.old;
        let console = memory.join("console");
        let machine = qemu::Machine {
            disk: disk.display().to_string(),
            console: &console,
            tap: None,
            direct: Some(Direct {
                kernel: root.join(format!("boot/vmlinuz-{release}")),
                initrd: root.join(format!("boot/initrd.img-{release}")),
                parameters: format!("root=/dev/vda1 rw {PARAMETERS}"),
            }),
        };
        let mut words = machine.command().into_iter();
        let mut boot = Command::new(words.next().unwrap_or_default());
        boot.args(words);
        succeed(boot, WITHIN).await?;
        let said = fs::read(&console).map_err(file("read", &console))?;
        let said = String::from_utf8_lossy(&said);
        match said.contains(&format!("Found linux image: /boot/vmlinuz-{release}")) {
            true => Ok(()),
            false => Err(FleetError::Refused(format!("it wrote no menu: {said}"))),
        }
    }
}

/// boot.img's code, and a table with one partition that is booted and holds Linux.
fn first_sector(boot_image: &[u8]) -> [u8; 512] {
    let mut sector = [0; 512];
    let code = boot_image.len().min(CODE);
    sector[..code].copy_from_slice(&boot_image[..code]);
    let sectors = u32::try_from(SIZE / 512).unwrap_or(u32::MAX) - BEGINS;
    let mut partition = vec![0x80, 0xfe, 0xff, 0xff, 0x83, 0xfe, 0xff, 0xff];
    partition.extend(BEGINS.to_le_bytes());
    partition.extend(sectors.to_le_bytes());
    sector[446..462].copy_from_slice(&partition);
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

/// What every machine has in common and mmdebstrap does not know.
fn finish(root: &Path) -> Result<(), FleetError> {
    for (path, content) in FILES {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(file("make", folder))?;
        }
        fs::write(&path, content).map_err(file("write", &path))?;
    }
    let units = root.join("etc/systemd/system");
    for (unit, wanted) in WANTED {
        let folder = units.join(wanted);
        fs::create_dir_all(&folder).map_err(file("make", &folder))?;
        let link = folder.join(unit);
        symlink(format!("../{unit}"), &link).map_err(file("make", &link))?;
    }
    for unit in MASKED {
        let link = units.join(unit);
        symlink("/dev/null", &link).map_err(file("make", &link))?;
    }
    // A journal that is on disk outlives a reboot.
    let journal = root.join("var/log/journal");
    fs::create_dir_all(&journal).map_err(file("make", &journal))?;
    for name in ["etc/apt/sources.list", "etc/resolv.conf", "etc/hostname"] {
        fs::remove_file(root.join(name)).ok();
    }
    for name in ["0000debian.sources", "0000sources.list"] {
        fs::remove_file(root.join("etc/apt/sources.list.d").join(name)).ok();
    }
    Ok(())
}

/// Copies a disk, and not the parts of it that were never written.
pub(super) async fn copy(from: &Path, to: &Path) -> Result<(), FleetError> {
    let mut copy = Command::new("cp");
    copy.args(["--sparse=always", "--reflink=auto"])
        .arg(from)
        .arg(to);
    succeed(copy, WITHIN).await.map(drop)
}

fn clear(folder: &Path) -> Result<(), FleetError> {
    teardown::unmount(folder)?;
    teardown::remove(folder)
}
