//! One started program: its output in a file, its end under our control.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// A started program. Dropping it ends it by its process id, and waits for it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program; what it prints is appended to `log`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(append(log))
            .stderr(append(log))
            .spawn()
            .unwrap_or_else(|error| panic!("start {command:?}: {error}"));
        Self {
            child,
            log: log.to_owned(),
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would: at once, without its knowledge.
    pub fn kill(mut self) {
        self.end();
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Asks it to end as a person at its keyboard does.
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// Stops it from running without ending it: its sockets stay open and nothing answers.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it run again.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// How it ended. Nothing while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our own child can be asked")
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it is still there after `within`.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "process {} is still there after {within:?}:\n{}",
                self.id(),
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// All that it, and whoever wrote to the same log before it, printed.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.id()).expect("a process id fits");
        // It may have ended by itself, which whoever waits for it will see.
        kill(Pid::from_raw(id), signal).ok();
    }

    fn end(&mut self) {
        if self.ended().is_none() {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a program to its end: its exit code and all that it printed.
///
/// # Panics
/// When it cannot be started, or a signal ended it.
pub fn run(mut command: Command) -> (i32, String) {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("start {command:?}: {error}"));
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let code = output.status.code();
    (
        code.unwrap_or_else(|| panic!("{command:?} was killed: {printed}")),
        printed,
    )
}

/// A file in the folder that cargo builds into: our own binaries are there when the workspace was
/// built. Test programs run one folder deeper.
///
/// # Panics
/// When the running program was not built by cargo.
pub fn built(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a running program has a path");
    let folder = own.parent().expect("it stands in a folder");
    if folder.ends_with("deps") {
        return folder.with_file_name(name);
    }
    folder.join(name)
}

/// One of our own binaries: the built one, or what `make bench` measures.
pub fn binary(name: &str) -> PathBuf {
    match std::env::var_os("COFFERDAM_BIN") {
        Some(folder) => PathBuf::from(folder).join(name),
        None => built(name),
    }
}

fn append(log: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .unwrap_or_else(|error| panic!("open {}: {error}", log.display()))
}
