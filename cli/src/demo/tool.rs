//! Runs one outside command, with nothing of our own environment and a deadline.

use anyhow::{Context as _, Result, bail};
use std::{ffi::OsStr, path::Path, process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// Each tool works on a few kilobytes: past this something hangs (guess).
const DEADLINE: Duration = Duration::from_secs(30);

/// `dpkg` asks for programs of the `sbin` folders, which a plain user's path may lack.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// One call of an outside command.
pub struct Tool {
    name: &'static str,
    command: Command,
}

impl Tool {
    /// A call that finds its home, and room for temporary files, in `home` only.
    pub fn new(name: &'static str, home: &Path) -> Self {
        let mut command = Command::new(name);
        command
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C")
            .env("HOME", home)
            .env("TMPDIR", home)
            .current_dir(home)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        Self { name, command }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end and returns what it printed.
    ///
    /// # Errors
    /// When it cannot be run, runs past the deadline, or fails; with its own last words.
    pub async fn run(mut self) -> Result<Vec<u8>> {
        let name = self.name;
        let output = timeout(DEADLINE, self.command.output())
            .await
            .with_context(|| format!("{name} did not end within {} s", DEADLINE.as_secs()))?
            .with_context(|| format!("cannot run {name}: is it installed?"))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed ({}): {}", output.status, said.trim())
    }
}
