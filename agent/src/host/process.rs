//! Starts processes: the real body of [`Runner`].

use super::{
    captured::{Ends, TAIL_BYTES},
    command::{Captured, Command, Exit, LocalFuture, Output, RunError, Runner, Share, Sink},
    leftover,
    transcript::Transcript,
};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{
    io::Write as _,
    os::unix::process::ExitStatusExt,
    path::Path,
    pin::pin,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Child,
    time::{Instant, timeout, timeout_at},
};

/// Where programs are found. Fixed, with the folders for administrators that dpkg insists on.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The agent's own variables that programs get too: where gpg and temporary files live, and the
/// way to the repositories.
const INHERITED: [&str; 7] = [
    "HOME",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// What a program of [`Share::Low`] is started by; each of them becomes the next. Ten steps of
/// niceness are a tenth of the processor beside one busy process (sched(7)); the lowest of the
/// best-effort classes, since the idle one may get nothing for minutes while its host is drained. Where
/// the disk's scheduler knows no classes, it runs without.
const LOW: [&str; 9] = ["nice", "-n", "10", "ionice", "-c", "2", "-n", "7", "-t"];

/// How long the pipes of an ended program are read on: what it left in the background may hold
/// them open for ever (guess).
const LEFTOVERS: Duration = Duration::from_secs(1);

/// How long a killed program may take to be gone (guess: it may hang in the kernel).
const DEATH: Duration = Duration::from_secs(5);

/// Starts real processes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Processes;

impl Runner for Processes {
    fn run<'a>(&'a self, command: &'a Command) -> LocalFuture<'a, Result<Output, RunError>> {
        Box::pin(async move {
            match &command.output {
                Sink::Memory => run_into_memory(command).await,
                Sink::Transcript(path) => run_into_file(command, path).await,
                Sink::Ends(path) => run_and_write_ends(command, path).await,
            }
        })
    }
}

async fn run_into_memory(command: &Command) -> Result<Output, RunError> {
    let (exit, [stdout, stderr]) = run_with_pipes(command, Ends::default).await;
    Ok(Output {
        exit: exit?,
        stdout,
        stderr,
    })
}

/// Runs it, and gives what came of it and, also when that is an error, what it wrote to its standard
/// output and its standard error until then.
async fn run_with_pipes(
    command: &Command,
    ends: impl Fn() -> Ends,
) -> (Result<Exit, RunError>, [Captured; 2]) {
    let mut running = match Running::start(command, Stdio::piped(), Stdio::piped()) {
        Ok(running) => running,
        Err(error) => return (Err(error), <[Captured; 2]>::default()),
    };
    let (out, err) = (running.child.stdout.take(), running.child.stderr.take());
    let (mut stdout, mut stderr) = (ends(), ends());
    let exit = {
        let mut reading =
            pin!(async { tokio::join!(read_on(out, &mut stdout), read_on(err, &mut stderr)) });
        let mut ending = pin!(running.end(command));
        let mut all_read = false;
        let exit = loop {
            tokio::select! {
                biased;
                _ = &mut reading, if !all_read => all_read = true,
                exit = &mut ending => break exit,
            }
        };
        if !all_read {
            // Elapsed or not: what came until now is the output.
            drop(timeout(LEFTOVERS, reading).await);
        }
        exit
    };
    (exit, [stdout.finish(), stderr.finish()])
}

async fn read_on(pipe: Option<impl AsyncRead + Unpin>, ends: &mut Ends) {
    let Some(mut pipe) = pipe else { return };
    let mut piece = [0; 8192];
    // A pipe that cannot be read has ended, as far as its reader goes.
    while let Ok(length @ 1..) = pipe.read(&mut piece).await {
        ends.push(&piece[..length]);
    }
}

async fn run_into_file(command: &Command, path: &Path) -> Result<Output, RunError> {
    let broken = |source| RunError::Transcript {
        path: path.to_owned(),
        source,
    };
    let transcript = Transcript::open(command, path).map_err(broken)?;
    let (mut file, out, err) = (
        transcript.file().map_err(broken)?,
        transcript.file().map_err(broken)?,
        transcript.file().map_err(broken)?,
    );
    let mut running = Running::start(command, out.into(), err.into())?;
    let exit = running.end(command).await?;
    let output = transcript.read().map_err(broken)?;
    // Only for people: a transcript that cannot take its last line changes nothing.
    writeln!(file, "[{exit}]").ok();
    Ok(Output {
        exit,
        stdout: output,
        stderr: Captured::default(),
    })
}

async fn run_and_write_ends(command: &Command, path: &Path) -> Result<Output, RunError> {
    let ends = || Ends::within(TAIL_BYTES, TAIL_BYTES);
    let (exit, [stdout, stderr]) = run_with_pipes(command, ends).await;
    let written = Transcript::open(command, path).and_then(|transcript| {
        let mut file = transcript.file()?;
        file.write_all(&stdout.bytes)?;
        file.write_all(&stderr.bytes)?;
        match &exit {
            Ok(exit) => writeln!(file, "[{exit}]"),
            Err(error) => writeln!(file, "[{error}]"),
        }
    });
    written.map_err(|source| RunError::Transcript {
        path: path.to_owned(),
        source,
    })?;
    Ok(Output {
        exit: exit?,
        stdout,
        stderr,
    })
}

/// A started program, whose process group is killed unless it ended by itself.
struct Running {
    child: Child,
    group: Option<Pid>,
    until: Instant,
}

impl Running {
    fn start(command: &Command, stdout: Stdio, stderr: Stdio) -> Result<Self, RunError> {
        let mut process = started_by(command);
        process
            .args(&command.args)
            .env_clear()
            .envs(
                INHERITED
                    .iter()
                    .filter_map(|&name| Some((name, std::env::var_os(name)?))),
            )
            .env("PATH", PATH)
            .env("LC_ALL", "C")
            .envs(&command.env)
            .current_dir(command.directory.as_deref().unwrap_or(Path::new("/")))
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .kill_on_drop(true);
        let child = process.spawn().map_err(|source| RunError::Start {
            program: command.program.to_string_lossy().into_owned(),
            source,
        })?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        if let (Some(file), Some(pid)) = (&command.running, pid)
            && let Err(error) = leftover::write_down(file, pid)
        {
            tracing::warn!(%error, "a program runs that the next agent would not know of");
        }
        Ok(Self {
            child,
            group: pid.map(Pid::from_raw),
            until: Instant::now() + command.deadline,
        })
    }

    /// Waits until the program has ended by itself, or kills it at its deadline.
    async fn end(&mut self, command: &Command) -> Result<Exit, RunError> {
        let Ok(ended) = timeout_at(self.until, self.child.wait()).await else {
            self.kill();
            // One that hangs in the kernel is left to it.
            drop(timeout(DEATH, self.child.wait()).await);
            return Err(RunError::Late {
                command: command.to_string(),
                after: command.deadline,
            });
        };
        self.group = None;
        if let Some(file) = &command.running {
            leftover::strike_out(file);
        }
        ended.map(exit_of).map_err(|source| RunError::Wait {
            program: command.program.to_string_lossy().into_owned(),
            source,
        })
    }

    fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            // No such group: it is dead already, which is all that is wanted.
            killpg(group, Signal::SIGKILL).ok();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program without its arguments, behind what lowers its share.
fn started_by(command: &Command) -> tokio::process::Command {
    match (command.share, LOW.split_first()) {
        (Share::Low, Some((first, rest))) => {
            let mut process = tokio::process::Command::new(first);
            process.args(rest).arg(&command.program);
            process
        }
        (Share::Own | Share::Low, _) => tokio::process::Command::new(&command.program),
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Status(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;
