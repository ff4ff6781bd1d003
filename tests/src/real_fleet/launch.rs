//! Starts a program that lives as long as its fleet, whether or not the process that started it does.

use super::{
    cgroup::Cgroup,
    network::Network,
    trouble::{FleetError, file},
};
use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    path::Path,
    process::Stdio,
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// Puts its process into the groups that stand before `--`, and becomes the command after it. A shell
/// does it, since a program that was put there after its start may have children elsewhere by then.
pub const ENTER: &str =
    r#"while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@""#;

/// What a program of the fleet finds in its environment.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Forking and entering take milliseconds; past this something hangs.
const WITHIN: Duration = Duration::from_secs(10);

/// Where a program runs, and who hears it.
#[derive(Debug)]
pub struct Place<'a> {
    /// The network that it is in.
    pub network: &'a Network,
    /// The group that it is in, with all that it starts.
    pub cgroup: &'a Cgroup,
    /// Where what it prints is appended.
    pub log: &'a Path,
}

impl Place<'_> {
    /// Starts a program there and does not wait for it.
    ///
    /// # Errors
    /// When it cannot be put there. That it fails later stands in its log.
    pub async fn launch(&self, program: Vec<OsString>) -> Result<(), FleetError> {
        self.cgroup.create()?;
        let mut command = Command::new("setsid");
        command.env_clear().env("PATH", PATH).env("LC_ALL", "C");
        command.args(["--fork", "nsenter"]);
        command.arg(format!("--net={}", self.network.namespace().display()));
        command.args(["sh", "-ec", ENTER, "sh"]);
        command.args(self.cgroup.folders()).arg("--").args(program);
        command.stdin(Stdio::null());
        command.stdout(self.log()?).stderr(self.log()?);
        launched(command).await
    }

    fn log(&self) -> Result<File, FleetError> {
        let mut options = OpenOptions::new();
        let log = options.create(true).append(true).open(self.log);
        log.map_err(file("open", self.log))
    }
}

/// `setsid --fork` ends at once, and what it forked is nobody's child: it cannot become a zombie of
/// ours. What it prints is not waited for, since the forked program has the same output.
async fn launched(mut command: Command) -> Result<(), FleetError> {
    let status = timeout(WITHIN, command.kill_on_drop(true).status()).await;
    let what = "setsid --fork".to_owned();
    match status {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(FleetError::Failed {
            command: what,
            status: status.to_string(),
            said: String::new(),
        }),
        Ok(Err(source)) => Err(FleetError::Start {
            command: what,
            source,
        }),
        Err(_) => Err(FleetError::Late {
            what,
            within: WITHIN,
            obstacle: "it is still running".to_owned(),
        }),
    }
}
