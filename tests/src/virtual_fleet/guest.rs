//! One virtual machine: a Debian that has booted by its own boot loader, with an agent of its own.
//!
//! ```text
//! FOLDER/guests/NAME/disk      what its disk keeps
//!                    socket    where its disk is served
//!                    root      its file system, mounted while it is laid out
//!                    console   what its boot loader, its kernel and its agent said
//! ```

use super::{disk, nbd::Served, qemu, volatile::VolatileDisk};
use crate::{
    machine::Machine,
    patience,
    real_fleet::{
        cgroup::Cgroup,
        control::Control,
        ground::Ground,
        host::Answer,
        image,
        launch::Place,
        network::{self, BRIDGE, Network, PREFIX},
        repository::Repository,
        teardown,
        trouble::{FleetError, file, late, succeed},
    },
};
use cofferdam_engine::{digest::Digest, id::HostId};
use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::process::Command;

/// How long a boot may take: a minute by emulation on a busy machine (measured), and a kernel that panics first.
pub const BOOTED_WITHIN: Duration = Duration::from_secs(600);

/// How long a line of shell may take on it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(300);

/// Where its shell listens, inside the fleet's network.
const SHELL_PORT: u16 = 23;

/// Copying a disk takes seconds.
const WITHIN: Duration = Duration::from_secs(120);

/// What stands before the code that a line ended with.
const CODE: &str = "\n[code ";

/// The units of an enrolled machine, each with who wants it.
const UNITS: [(&str, &str); 3] = [
    ("cofferdam-agent.service", "multi-user.target.wants"),
    ("cofferdam-health.service", "sysinit.target.wants"),
    ("cofferdam-kernel-trial.service", "sysinit.target.wants"),
];

/// A virtual machine. It runs on its own, but its disk is served by this process.
#[derive(Debug)]
pub struct Guest {
    number: usize,
    machine: Machine,
    folder: PathBuf,
    cgroup: Cgroup,
    network: Network,
    disk: Mutex<Option<Served>>,
}

impl Guest {
    /// A machine of a fleet by its number, from 1, laid out or not.
    pub fn new(ground: &Ground, number: usize, machine: Machine) -> Self {
        Self {
            number,
            folder: ground.folder().join("guests").join(machine.host.as_str()),
            cgroup: ground.cgroup().within(&format!("guest-{number}")),
            network: Network::in_folder(ground.folder()),
            disk: Mutex::new(None),
            machine,
        }
    }

    /// Gives it a disk with its own identity, our programs, and its certificate.
    ///
    /// # Errors
    /// When something cannot be written.
    pub async fn lay_out(
        &self,
        base: &Path,
        control: &Control,
        repository: &Repository,
    ) -> Result<(), FleetError> {
        let root = self.folder.join("root");
        fs::create_dir_all(&root).map_err(file("make", &root))?;
        disk::copy(base, &self.disk_path()).await?;
        let mut mount = Command::new("mount");
        mount.arg("-o").arg(format!("loop,offset={}", disk::OFFSET));
        mount.arg(self.disk_path()).arg(&root);
        succeed(mount, WITHIN).await?;
        let written = self.furnish(&root, control, repository).await;
        teardown::unmount(&root)?;
        written
    }

    async fn furnish(
        &self,
        root: &Path,
        control: &Control,
        repository: &Repository,
    ) -> Result<(), FleetError> {
        image::furnish(root, &repository.public_key()).await?;
        let name = self.name();
        let id = Digest::of(self.folder.to_string_lossy().as_ref()).to_string();
        let units = Path::new("etc/systemd/system");
        let files = [
            ("etc/hostname", format!("{name}\n")),
            (
                "etc/hosts",
                format!("127.0.0.1 localhost\n127.0.1.1 {name}\n"),
            ),
            ("etc/machine-id", format!("{}\n", &id[..32])),
            (
                "etc/systemd/system/guest-address.service",
                address_unit(self.address()),
            ),
        ];
        for (path, content) in files {
            let path = root.join(path);
            fs::write(&path, content).map_err(file("write", &path))?;
        }
        let own = ("guest-address.service", "sysinit.target.wants");
        for (unit, wanted) in UNITS.into_iter().chain([own]) {
            let folder = root.join(units).join(wanted);
            fs::create_dir_all(&folder).map_err(file("make", &folder))?;
            let there = match unit == own.0 {
                true => format!("/etc/systemd/system/{unit}"),
                false => format!("/usr/lib/systemd/system/{unit}"),
            };
            let link = folder.join(unit);
            symlink(there, &link).map_err(file("make", &link))?;
        }
        control.enrol_at(name, root, &self.machine.labels())
    }

    /// Its name.
    pub fn name(&self) -> &HostId {
        &self.machine.host
    }

    /// Switches it on and does not wait.
    ///
    /// # Errors
    /// When it is on, or cannot be started.
    pub async fn power_on(&self) -> Result<(), FleetError> {
        if self.is_on() {
            return Err(FleetError::Refused(format!("{} is on", self.name())));
        }
        self.serve_disk()?;
        let tap = format!("guest{}", self.number);
        // Left by the machine when its power was cut.
        self.network.ip(&format!("link delete {tap}")).await.ok();
        self.network
            .ip(&format!("tuntap add {tap} mode tap"))
            .await?;
        self.network
            .ip(&format!("link set {tap} master {BRIDGE} up"))
            .await?;
        let console = self.console_path();
        let machine = qemu::Machine {
            disk: format!("nbd+unix:///?socket={}", self.socket().display()),
            console: &console,
            tap: Some((tap, self.address().octets()[3])),
            direct: None,
        };
        let place = Place {
            network: &self.network,
            cgroup: &self.cgroup,
            log: &self.folder.join("qemu.log"),
        };
        place.launch(machine.command()).await
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        !self.cgroup.processes().is_empty()
    }

    /// Cuts its power: it is gone at once, and its disk forgets what was not flushed. How many bytes of it.
    ///
    /// # Errors
    /// When it does not go.
    pub fn cut_power(&self) -> Result<u64, FleetError> {
        self.cgroup.kill()?;
        let disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(disk.as_ref().map_or(0, Served::lose_power))
    }

    /// Waits until its system has started all that it starts at boot, well or not: the release of its kernel.
    ///
    /// # Errors
    /// When it is not there after ten minutes. What its console said is told.
    pub async fn booted(&self) -> Result<String, FleetError> {
        let up = async || {
            let state = self.run("systemctl is-system-running; uname -r").await;
            let said = state.map_err(|error| error.to_string())?.printed;
            match said.split_once('\n') {
                Some(("running" | "degraded", release)) => Ok(release.trim().to_owned()),
                _ => Err(said),
            }
        };
        let up = patience::within(BOOTED_WITHIN, up).await;
        up.map_err(|mut obstacle| {
            obstacle.obstacle += &format!("\n{}", self.console());
            late(format!("{} to be up", self.name()))(obstacle)
        })
    }

    /// Runs a line of shell on it, as root.
    ///
    /// # Errors
    /// When it is off, or does not answer.
    pub async fn run(&self, line: &str) -> Result<Answer, FleetError> {
        let address = SocketAddr::from((self.address(), SHELL_PORT));
        let script = format!("{{ {line}\n}} 2>&1; printf '\\n[code %s]' $?\n");
        let network = self.network.clone();
        let said = tokio::task::spawn_blocking(move || network.inside(|| ask(address, &script)));
        let said = said.await.map_err(|error| refused(&error))??;
        let said = said.map_err(|error| refused(&error))?;
        let (printed, code) = said.rsplit_once(CODE).ok_or_else(|| refused(&said))?;
        Ok(Answer {
            code: code.trim_end_matches(']').parse().ok(),
            printed: printed.to_owned(),
        })
    }

    /// What its console said, over all boots.
    pub fn console(&self) -> String {
        let bytes = fs::read(self.console_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Its agent's journal, as a file of this machine.
    ///
    /// # Errors
    /// When it is off, or the file cannot be written.
    pub async fn journal(&self) -> Result<PathBuf, FleetError> {
        let text = self
            .run("cat /var/lib/cofferdam-agent/journal")
            .await?
            .printed;
        let path = self.folder.join("journal");
        // The shell ended the last line with its own.
        fs::write(&path, text + "\n").map_err(file("write", &path))?;
        Ok(path)
    }

    fn serve_disk(&self) -> Result<(), FleetError> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        if disk.is_some() {
            return Ok(());
        }
        let path = self.disk_path();
        let kept = VolatileDisk::open(&path).map_err(file("open", &path))?;
        let socket = self.socket();
        *disk = Some(Served::at(&socket, kept).map_err(file("listen at", &socket))?);
        Ok(())
    }

    /// Its address in the fleet's network.
    fn address(&self) -> Ipv4Addr {
        network::address(self.number).expect("a fleet has no more machines than addresses")
    }

    fn disk_path(&self) -> PathBuf {
        self.folder.join("disk")
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    fn console_path(&self) -> PathBuf {
        self.folder.join("console")
    }
}

fn ask(address: SocketAddr, script: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(ANSWERED_WITHIN))?;
    stream.write_all(script.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut said = Vec::new();
    stream.read_to_end(&mut said)?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

fn refused(why: &impl ToString) -> FleetError {
    FleetError::Refused(why.to_string())
}

fn address_unit(address: Ipv4Addr) -> String {
    format!(
        "[Unit]\nDescription=Address of this machine in its fleet\nDefaultDependencies=no\n\
         After=systemd-udev-trigger.service sys-subsystem-net-devices-eth0.device\n\
         Wants=sys-subsystem-net-devices-eth0.device\nBefore=network.target\n\n\
         [Service]\nType=oneshot\nRemainAfterExit=yes\n\
         ExecStart=/usr/sbin/ip address add {address}/{PREFIX} dev eth0\n\
         ExecStart=/usr/sbin/ip link set eth0 up\n"
    )
}
