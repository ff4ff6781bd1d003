//! An outside program to run, what came of it, and the trait that runs it.
//!
//! Nothing in the agent starts a process in another way, so that every process has a deadline, a
//! group of its own that is killed as a whole, a bounded output and a known environment.

use cofferdam_engine::failure::{Failure, FailureKind};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt,
    future::Future,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    time::Duration,
};

/// How long a program may take that says nothing else (guess: questions take under a second).
pub const QUESTION_DEADLINE: Duration = Duration::from_secs(60);

/// A future of the agent's one thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Runs outside programs. One body starts processes, another answers by script.
pub trait Runner {
    /// Runs a program to its end. Dropping the future kills its whole process group.
    ///
    /// # Errors
    /// [`RunError`] when the program could not be started or ran past its deadline. A program that
    /// ends with another status than 0 is no error here.
    fn run<'a>(&'a self, command: &'a Command) -> LocalFuture<'a, Result<Output, RunError>>;
}

/// A program, its arguments and the conditions under which it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program: a name to be found in [`super::process::PATH`], or a path.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables beside the ones that every program gets.
    pub env: BTreeMap<String, OsString>,
    /// Where it runs. Absent: in `/`.
    pub directory: Option<PathBuf>,
    /// How long it may take.
    pub deadline: Duration,
    /// Where its output goes.
    pub output: Sink,
    /// Where its process is written down while it runs, for [`super::leftover`]. Absent: nowhere.
    pub running: Option<PathBuf>,
    /// How much of processor and disk it gets when others want them too.
    pub share: Share,
}

/// How much of processor and disk a program gets when others want them too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// As much as the agent.
    Own,
    /// Less than all that does the host's own work.
    Low,
}

/// Where a program's output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// Through pipes into memory: for programs that only look.
    Memory,
    /// Straight to the end of a file: for programs that change the host. An agent that dies breaks
    /// no pipe under them, so they run to their end.
    Transcript(PathBuf),
    /// Through pipes into memory, and once it has ended its two ends to the end of a file, however much
    /// it was: for programs of other people that may change the host. An agent that dies breaks the
    /// pipes under them.
    Ends(PathBuf),
}

impl Command {
    /// A program without arguments, with a [`QUESTION_DEADLINE`], whose output goes to memory.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: BTreeMap::new(),
            directory: None,
            deadline: QUESTION_DEADLINE,
            output: Sink::Memory,
            running: None,
            share: Share::Own,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.args.extend(args);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl AsRef<OsStr>) -> Self {
        self.env.insert(name.into(), value.as_ref().to_owned());
        self
    }

    /// Runs it in a directory.
    #[must_use]
    pub fn within(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_owned());
        self
    }

    /// Gives it this long.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Writes its process down in a file while it runs.
    #[must_use]
    pub fn running(mut self, file: &Path) -> Self {
        self.running = Some(file.to_owned());
        self
    }

    /// Leaves processor and disk to others that want them.
    #[must_use]
    pub fn low(mut self) -> Self {
        self.share = Share::Low;
        self
    }

    /// Sends the two ends of its output to the end of a file.
    #[must_use]
    pub fn ends(mut self, path: PathBuf) -> Self {
        self.output = Sink::Ends(path);
        self
    }

    /// Sends its output to the end of a file.
    #[must_use]
    pub fn transcript(mut self, path: PathBuf) -> Self {
        self.output = Sink::Transcript(path);
        self
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.to_string_lossy())?;
        self.args
            .iter()
            .try_for_each(|arg| write!(f, " {}", arg.to_string_lossy()))
    }
}

/// What came of a program that ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub exit: Exit,
    /// Its standard output; with [`Sink::Transcript`] both of its outputs.
    pub stdout: Captured,
    /// Its standard error; with [`Sink::Transcript`] empty.
    pub stderr: Captured,
}

impl Output {
    /// Whether it ended with status 0.
    pub fn is_success(&self) -> bool {
        self.exit == Exit::Status(0)
    }

    /// Both outputs, one after the other, for classifiers and people.
    pub fn text(&self) -> String {
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        let gap = if stdout.is_empty() || stdout.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        format!("{stdout}{gap}{stderr}")
    }
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// Output that was kept: all of it, or its head and its tail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captured {
    /// What was kept. Between head and tail stands a line that says how much is missing.
    pub bytes: Vec<u8>,
    /// How many bytes are missing.
    pub missing: u64,
}

impl Captured {
    /// What was kept, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Why a program gave no [`Output`].
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started.
    #[error("{program} could not be started")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its transcript could not be opened or read.
    #[error("the transcript {path} could not be written")]
    Transcript {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It could not be waited for.
    #[error("{program} could not be waited for")]
    Wait {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ran past its deadline, and its process group was killed.
    #[error("`{command}` was killed after {} s", after.as_secs_f64())]
    Late {
        /// The program and its arguments.
        command: String,
        /// Its deadline.
        after: Duration,
    },
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match &error {
            RunError::Late { .. } => Self::new(FailureKind::TimedOut, error.to_string()),
            RunError::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Self::new(FailureKind::Unsupported, format!("{error}: {source}"))
            }
            RunError::Start { source, .. }
            | RunError::Transcript { source, .. }
            | RunError::Wait { source, .. } => Self::new(
                super::durable::kind_of(source),
                format!("{error}: {source}"),
            ),
        }
    }
}

#[cfg(test)]
pub(crate) mod scripted {
    use super::*;
    use std::cell::RefCell;

    /// Answers each program with a status and its standard error, and writes down what was run.
    pub(crate) struct Scripted {
        answer: fn(&Command) -> (i32, &'static str),
        run: RefCell<Vec<String>>,
    }

    impl Scripted {
        pub(crate) fn new(answer: fn(&Command) -> (i32, &'static str)) -> Self {
            let run = RefCell::default();
            Self { answer, run }
        }

        pub(crate) fn said(&self) -> Vec<String> {
            self.run.borrow().clone()
        }
    }

    impl Runner for Scripted {
        fn run<'a>(&'a self, command: &'a Command) -> LocalFuture<'a, Result<Output, RunError>> {
            self.run.borrow_mut().push(command.to_string());
            let (status, stderr) = (self.answer)(command);
            let output = Output {
                exit: Exit::Status(status),
                stdout: Captured::default(),
                stderr: Captured {
                    bytes: stderr.as_bytes().to_vec(),
                    missing: 0,
                },
            };
            Box::pin(std::future::ready(Ok(output)))
        }
    }
}
