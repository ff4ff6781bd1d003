//! One host of a real fleet: a Debian with systemd, its own identity and its own address.
//!
//! ```text
//! FOLDER/hosts/NAME/root       its root tree, also while it is off
//!                   upper      what it has beyond the image
//!                   console    what its container printed
//! ```

use super::{
    cgroup::Cgroup,
    container::{self, Container},
    ground::Ground,
    network::{self, Network, PREFIX},
    overlay::Overlay,
    trouble::{FleetError, ended, file, late, printed, succeed},
};
use crate::{machine::Machine, patience};
use cofferdam_engine::{digest::Digest, id::HostId};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Command;

/// How long a boot may take: 2 s when eight boot at once (measured), and a very busy machine.
pub const BOOTED_WITHIN: Duration = Duration::from_secs(90);

/// How long a command on a host may run. apt and dpkg take seconds.
const COMMAND_WITHIN: Duration = Duration::from_secs(120);

/// What a command on a host finds in its environment.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The unit that gives a host its address, before anything may ask for the network.
const ADDRESS_UNIT: &str = "fleet-address.service";

/// One host. It runs on its own: dropping this changes nothing.
#[derive(Debug, Clone)]
pub struct Host {
    number: usize,
    machine: Machine,
    folder: PathBuf,
    overlay: Overlay,
    cgroup: Cgroup,
    keepers: Cgroup,
    network: Network,
}

/// How a command on a host ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its exit code. Nothing when a signal ended it, as when its host went down.
    pub code: Option<i32>,
    /// All that it printed, errors last.
    pub printed: String,
}

impl Answer {
    /// What it printed, which must be that of a success.
    ///
    /// # Panics
    /// When it failed.
    pub fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.printed);
        self.printed
    }
}

impl Host {
    /// A host of a fleet by its number, from 1, laid out or not.
    pub fn new(ground: &Ground, number: usize, machine: Machine) -> Self {
        let folder = ground.folder().join("hosts").join(machine.host.as_str());
        Self {
            number,
            overlay: Overlay::in_folder(folder.clone()),
            folder,
            cgroup: ground.cgroup().within(&format!("host-{number}")),
            keepers: ground.cgroup().within("keepers"),
            network: Network::in_folder(ground.folder()),
            machine,
        }
    }

    /// Lays its root tree over others, the topmost first, and gives it what is its own.
    ///
    /// # Errors
    /// When it cannot be mounted or written.
    pub fn lay_out(&self, trees: &[&Path]) -> Result<(), FleetError> {
        self.overlay.mount(trees)?;
        let name = self.name();
        self.write("etc/hostname", format!("{name}\n"))?;
        self.write(
            "etc/hosts",
            format!("127.0.0.1 localhost\n127.0.1.1 {name}\n"),
        )?;
        // Hosts that share an id would be one host to whoever knows them by it.
        let id = Digest::of(self.folder.to_string_lossy().as_ref()).to_string();
        self.write("etc/machine-id", format!("{}\n", &id[..32]))?;
        let unit = format!("etc/systemd/system/{ADDRESS_UNIT}");
        self.write(&unit, address_unit(self.address()))?;
        let wanted = self.root().join("etc/systemd/system/sysinit.target.wants");
        fs::create_dir_all(&wanted).map_err(file("make", &wanted))?;
        let wanted = wanted.join(ADDRESS_UNIT);
        symlink(format!("../{ADDRESS_UNIT}"), &wanted).map_err(file("make", &wanted))
    }

    /// Its name.
    pub fn name(&self) -> &HostId {
        &self.machine.host
    }

    /// What it is on paper.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Its address in the fleet's network.
    ///
    /// # Panics
    /// Never: a fleet has no more hosts than addresses.
    pub fn address(&self) -> Ipv4Addr {
        network::address(self.number).expect("a fleet has no more hosts than addresses")
    }

    /// Its root tree. What is written there is written on the host, on or off.
    pub fn root(&self) -> PathBuf {
        self.overlay.root()
    }

    /// Writes a file of the host, and the folders above it. `path` is relative to its root.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<(), FleetError> {
        let path = self.root().join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(file("make", folder))?;
        }
        fs::write(&path, content).map_err(file("write", &path))
    }

    /// Its first process, as the machine numbers it. Nothing while it is off.
    pub fn init(&self) -> Option<Pid> {
        container::init(&self.cgroup)
    }

    /// Its process that runs a program of ours, as the machine numbers it. Nothing when none does.
    pub fn process(&self, program: &str) -> Option<u32> {
        let runs = |pid: &Pid| {
            let file = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
            file.file_name().is_some_and(|name| name == program)
        };
        let found = self.cgroup.processes().into_iter().find(runs)?;
        found.as_raw().try_into().ok()
    }

    /// Switches it on and does not wait.
    ///
    /// # Errors
    /// When it is on, or cannot be started.
    pub async fn power_on(&self) -> Result<(), FleetError> {
        if !self.cgroup.processes().is_empty() {
            return Err(FleetError::Refused(format!("{} is on", self.name())));
        }
        // The kernel takes the link of a host that was cut off a moment later, and nspawn does not wait for
        // it. Most have none.
        let link = container::link(self.number);
        self.network.ip(&format!("link delete {link}")).await.ok();
        let container = Container {
            number: self.number,
            name: self.name().as_str(),
            cgroup: &self.cgroup,
            keepers: &self.keepers,
            network: &self.network,
        };
        container.start(&self.root(), &self.console()).await
    }

    /// Waits until its system has started all that it starts at boot, well or not: the boot's id.
    ///
    /// # Errors
    /// When it is not there after 90 s. What its container printed is told.
    pub async fn booted(&self) -> Result<String, FleetError> {
        self.booted_after(None).await
    }

    /// Reboots it, as its operator would, and waits until it is back: the new boot's id.
    ///
    /// # Errors
    /// When it is off, or not back after 90 s.
    pub async fn reboot(&self) -> Result<String, FleetError> {
        let before = self.init();
        // How it ends does not matter: the system goes down under it.
        self.run("systemctl reboot").await?;
        self.booted_after(before).await
    }

    /// Shuts it down, as its operator would, and waits until it is off.
    ///
    /// # Errors
    /// When it was off, or is still on after 90 s.
    pub async fn power_off(&self) -> Result<(), FleetError> {
        self.run("systemctl poweroff").await?;
        let what = format!("{} to be off", self.name());
        let off = async || {
            let left = self.cgroup.processes();
            let off = left.is_empty().then_some(());
            off.ok_or_else(|| format!("{left:?} are there"))
        };
        patience::within(BOOTED_WITHIN, off)
            .await
            .map_err(late(what))
    }

    /// Cuts its power: everything in it is gone at once, without its knowledge. It stays off.
    ///
    /// # Errors
    /// When it was off, or does not go.
    pub fn cut_power(&self) -> Result<(), FleetError> {
        let init = self.init().ok_or_else(|| self.is_off())?;
        // The kernel ends a process namespace with its first process. nspawn notices and ends.
        kill(init, Signal::SIGKILL).map_err(|error| file("kill", Path::new("/"))(error.into()))?;
        self.cgroup.kill()
    }

    /// Pulls its network cable.
    ///
    /// # Errors
    /// When it is off.
    pub async fn unplug(&self) -> Result<(), FleetError> {
        let link = container::link(self.number);
        self.network.ip(&format!("link set {link} down")).await
    }

    /// Plugs its network cable in again.
    ///
    /// # Errors
    /// When it is off.
    pub async fn plug_in(&self) -> Result<(), FleetError> {
        let link = container::link(self.number);
        self.network.ip(&format!("link set {link} up")).await
    }

    /// Lets units start at boot, and starts them now where the host is on.
    ///
    /// # Errors
    /// When there is no such unit, or one does not start.
    pub async fn enable(&self, units: &str) -> Result<(), FleetError> {
        if self.init().is_none() {
            let mut command = Command::new("chroot");
            command
                .arg(self.root())
                .args(["systemctl", "--quiet", "enable"]);
            command.args(units.split(' '));
            return succeed(command, COMMAND_WITHIN).await.map(drop);
        }
        let line = format!("systemd-tmpfiles --create && systemctl --quiet enable --now {units}");
        let answer = self.run(&line).await?;
        if answer.code == Some(0) {
            return Ok(());
        }
        let name = self.name();
        let printed = answer.printed;
        Err(FleetError::Refused(format!("{units} on {name}: {printed}")))
    }

    /// Runs a line of shell on it, as root.
    ///
    /// # Errors
    /// When the host is off, or the line is still running after two minutes.
    pub async fn run(&self, line: &str) -> Result<Answer, FleetError> {
        let mut command: Command = self.shell()?.into();
        command.args(["-c", line]);
        let output = ended(&mut command, COMMAND_WITHIN).await?;
        Ok(Answer {
            code: output.status.code(),
            printed: printed(&output),
        })
    }

    /// The command that opens a shell on it, as root. Arguments may follow.
    ///
    /// # Errors
    /// When the host is off.
    pub fn shell(&self) -> Result<std::process::Command, FleetError> {
        let init = self.init().ok_or_else(|| self.is_off())?;
        let mut command = std::process::Command::new("nsenter");
        command.arg(format!("--target={init}"));
        command.args(["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]);
        command.args(["--root", "--wd", "--", "env", "--ignore-environment"]);
        command.arg(format!("PATH={PATH}"));
        command.args(["HOME=/root", "LC_ALL=C.UTF-8", "TERM=xterm", "bash"]);
        Ok(command)
    }

    /// What a unit wrote to the journal, over all boots, oldest first.
    ///
    /// # Errors
    /// When the host is off.
    pub async fn journal(&self, unit: &str) -> Result<String, FleetError> {
        let line = format!("journalctl --no-pager --output=cat --unit={unit}");
        self.run(&line).await.map(|answer| answer.printed)
    }

    /// The id of its present boot.
    ///
    /// # Errors
    /// When it is off.
    pub async fn boot_id(&self) -> Result<String, FleetError> {
        let answer = self.run("cat /proc/sys/kernel/random/boot_id").await?;
        Ok(answer.printed.trim().to_owned())
    }

    /// Waits for a first process other than the one that went down. Nobody enters the host before: a
    /// stranger that is there at the last moment is waited for, and since its end is not told to the first
    /// process, systemd-shutdown then sleeps for 10 s.
    async fn booted_after(&self, before: Option<Pid>) -> Result<String, FleetError> {
        let up = async || {
            if self.init() == before {
                return Err("it is off, or still going down".to_owned());
            }
            let state = self.run("systemctl is-system-running").await;
            let state = state.map_err(|error| error.to_string())?.printed;
            match state.trim() {
                "running" | "degraded" => Ok(()),
                other => Err(other.to_owned()),
            }
        };
        let up = patience::within(BOOTED_WITHIN, up).await;
        up.map_err(|mut obstacle| {
            let console = fs::read_to_string(self.console()).unwrap_or_default();
            obstacle.obstacle += &format!("\n{console}");
            late(format!("{} to be up", self.name()))(obstacle)
        })?;
        self.boot_id().await
    }

    fn console(&self) -> PathBuf {
        self.folder.join("console")
    }

    fn is_off(&self) -> FleetError {
        FleetError::Refused(format!("{} is off", self.name()))
    }
}

fn address_unit(address: Ipv4Addr) -> String {
    format!(
        "[Unit]\nDescription=Address of this host in its fleet\nDefaultDependencies=no\n\
         Before=network.target\n\n\
         [Service]\nType=oneshot\nRemainAfterExit=yes\n\
         ExecStart=/usr/sbin/ip address add {address}/{PREFIX} dev host0\n\
         ExecStart=/usr/sbin/ip link set host0 up\n"
    )
}
