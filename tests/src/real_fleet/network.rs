//! The network of a fleet: a bridge in a network namespace of its own, so that no address of the machine
//! can be in its way, nothing of it is seen from outside, and all of it is gone with it.
//!
//! ```text
//! 10.203.0.1       the bridge: coordinator on port 7300, its metrics on 7301, repository on port 80
//! 10.203.1.N       host N
//! 10.202.0.1       a control plane apart from its regions, in a network of its own
//! 10.202.1.N       region N, as that control plane sees it
//! ```

use super::trouble::{FleetError, file, succeed};
use nix::sched::{CloneFlags, setns};
use std::{
    fs::File,
    io,
    marker::PhantomData,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};
use tokio::process::Command;

/// The bridge's address, where everything is that is no host.
pub const BRIDGE_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 203, 0, 1);

/// The bridge's address in the network of a control plane that is apart from its regions.
pub const CONTROL_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 202, 0, 1);

/// The bridge. Its name is its own: nobody else is in its namespace.
pub const BRIDGE: &str = "fleet";

/// How long a prefix all addresses share.
pub const PREFIX: u8 = 16;

/// Setting up links takes milliseconds (measured); past this something hangs.
const WITHIN: Duration = Duration::from_secs(10);

/// The network of a fleet.
#[derive(Debug, Clone)]
pub struct Network {
    namespace: PathBuf,
}

impl Network {
    /// The network whose namespace is mounted in a fleet's folder, made or not.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            namespace: folder.join("net"),
        }
    }

    /// Makes the namespace and the bridge in it, which has an address.
    ///
    /// # Errors
    /// When it is there, or this process may not.
    pub async fn create(&self, address: Ipv4Addr) -> Result<(), FleetError> {
        File::create_new(&self.namespace).map_err(file("make", &self.namespace))?;
        let mut unshare = Command::new("unshare");
        unshare.arg(format!("--net={}", self.namespace.display()));
        unshare.arg("true");
        succeed(unshare, WITHIN).await?;
        let address = format!("{address}/{PREFIX}");
        self.ip("link set lo up").await?;
        self.ip(&format!("link add {BRIDGE} type bridge")).await?;
        self.ip(&format!("addr add {address} dev {BRIDGE}")).await?;
        self.ip(&format!("link set {BRIDGE} up")).await
    }

    /// Plugs a link of it into the bridge.
    ///
    /// # Errors
    /// When there is no such link.
    pub async fn plug(&self, link: &str) -> Result<(), FleetError> {
        self.ip(&format!("link set {link} master {BRIDGE} up"))
            .await
    }

    /// The file that the namespace is mounted at.
    pub fn namespace(&self) -> &Path {
        &self.namespace
    }

    /// A command that runs in this network; its arguments are to follow.
    pub fn command(&self, program: impl AsRef<Path>) -> std::process::Command {
        let mut command = std::process::Command::new("nsenter");
        command.arg(format!("--net={}", self.namespace.display()));
        command.arg("--").arg(program.as_ref());
        command
    }

    /// Runs `ip` in it, with words that are separated by spaces.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub async fn ip(&self, words: &str) -> Result<(), FleetError> {
        let mut command = self.command("ip");
        command.args(words.split(' '));
        succeed(command.into(), WITHIN).await.map(|_| ())
    }

    /// Takes the calling thread into this network, until what is handed out is dropped: what it
    /// connects to and listens on meanwhile is here. An async test does so on a runtime of one thread.
    ///
    /// # Errors
    /// When this process may not.
    pub fn enter(&self) -> Result<Inside, FleetError> {
        let own = Path::new("/proc/thread-self/ns/net");
        let before = File::open(own).map_err(file("open", own))?;
        let there = File::open(&self.namespace).map_err(file("open", &self.namespace))?;
        enter(&there).map_err(file("enter", &self.namespace))?;
        Ok(Inside {
            before,
            _stays_on_its_thread: PhantomData,
        })
    }

    /// Does something on a thread of its own that is in this network.
    ///
    /// # Errors
    /// When this process may not enter it.
    ///
    /// # Panics
    /// When `act` does.
    pub fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> Result<T, FleetError> {
        thread::scope(|scope| {
            let there = scope.spawn(|| self.enter().map(|_inside| act()));
            there.join().expect("it ends unless `act` panics")
        })
    }
}

/// The calling thread is in a fleet's network. Dropping this takes it back.
#[derive(Debug)]
pub struct Inside {
    before: File,
    // The way back is the calling thread's own: it must not be dropped by another one.
    _stays_on_its_thread: PhantomData<*const ()>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Err(error) = enter(&self.before) {
            eprintln!("a thread cannot leave the network of a fleet: {error}");
        }
    }
}

fn enter(namespace: &File) -> io::Result<()> {
    Ok(setns(namespace, CloneFlags::CLONE_NEWNET)?)
}

/// The address of a host by its number, from 1. Nothing past 254.
pub fn address(number: usize) -> Option<Ipv4Addr> {
    let last = u8::try_from(number)
        .ok()
        .filter(|last| (1..255).contains(last))?;
    Some(Ipv4Addr::new(10, 203, 1, last))
}

/// The address of a region by its number, from 1, in the network of its control plane, with its prefix.
pub fn uplink_address(number: usize) -> String {
    format!("10.202.1.{number}/{PREFIX}")
}
