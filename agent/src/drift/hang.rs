//! Looks at watched files beside the thread that does the work, and gives up a look that does not get on: what
//! is watched may be on a mount whose server is gone, where nothing that asks is ever answered.
//!
//! ```text
//!  look:    at(file) .. at(its next piece) .. at(next file) .. done      each says that it got on
//!  waiting: nothing said for as long as PATIENCE --> given up, with the file that it stood at
//! ```
//!
//! A thread that hangs in the kernel cannot be ended. So a look that was given up ends itself the next time it
//! would get on, without having changed anything, and [`Beside`] begins no other before that: one thread may
//! hang, never two.

use std::{
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    task::{JoinError, JoinHandle, spawn_blocking},
    time::{Instant, sleep_until},
};

/// How long a look may stand at one place (guess: twice what the slowest disk that works needs to wake up; a
/// server of files that reboots is away for longer, and is looked at again when it answers).
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A look that was given up, or one that cannot begin since an earlier one still hangs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} has not answered for {} s: is the server of its mount there?", .place.display(), .waited.as_secs())]
pub struct Hangs {
    /// Where it stands.
    pub place: PathBuf,
    /// For how long that was waited for.
    pub waited: Duration,
}

/// Why there is nothing of a look.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// It hangs.
    #[error(transparent)]
    Hangs(#[from] Hangs),
    /// It broke down.
    #[error("the look at what is watched broke down")]
    Broken(#[from] JoinError),
    /// It ended without a word.
    #[error("the look at what is watched ended without a word")]
    Unsaid,
    /// It could not begin.
    #[error("the look at what is watched could not begin")]
    Start(#[source] io::Error),
}

/// How far a look has come: shared by whoever looks and whoever waits for it.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    /// Nowhere that could hang.
    #[default]
    Elsewhere,
    /// At a place, since a moment.
    At(PathBuf, Instant),
    /// Given up.
    GivenUp,
}

impl Progress {
    /// Says that a place is asked about next.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] when nobody waits any more.
    pub fn at(&self, place: &Path) -> io::Result<()> {
        self.go_on(State::At(place.to_owned(), Instant::now()))
    }

    /// Says that what comes next cannot hang.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] when nobody waits any more.
    pub fn done(&self) -> io::Result<()> {
        self.go_on(State::Elsewhere)
    }

    /// A file at a place, which says before each piece that it is read.
    pub fn reading<'a, R: Read>(&'a self, place: &'a Path, file: R) -> impl Read {
        Reading {
            progress: self,
            place,
            file,
        }
    }

    fn go_on(&self, next: State) -> io::Result<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::GivenUp) {
            return Err(ErrorKind::TimedOut.into());
        }
        *state = next;
        Ok(())
    }

    /// Gives the look up if it has stood at one place for too long. Otherwise: when to ask again.
    fn give_up_after(&self, patience: Duration) -> Result<Instant, Hangs> {
        let now = Instant::now();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (place, until) = match &*state {
            State::At(place, since) => (place, *since + patience),
            State::Elsewhere | State::GivenUp => return Ok(now + patience),
        };
        if now < until {
            return Ok(until);
        }
        let hangs = Hangs {
            place: place.clone(),
            waited: patience,
        };
        *state = State::GivenUp;
        Err(hangs)
    }
}

struct Reading<'a, R> {
    progress: &'a Progress,
    place: &'a Path,
    file: R,
}

impl<R: Read> Read for Reading<'_, R> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        self.progress.at(self.place)?;
        self.file.read(piece)
    }
}

/// Does one work after another beside the thread that waits for it.
#[derive(Debug, Default)]
pub struct Beside {
    running: Option<Running>,
}

/// A work that is under way, or was when somebody last looked.
#[derive(Debug)]
struct Running {
    thread: JoinHandle<()>,
    progress: Progress,
    /// As what it was given up. Absent: it was not.
    given_up: Option<Hangs>,
}

impl Beside {
    /// Does some work, after the one before has ended. Where that one hangs: none.
    ///
    /// # Errors
    /// [`LookError`].
    pub async fn work<T: Send + 'static>(
        &mut self,
        patience: Duration,
        work: impl FnOnce(&Progress) -> T + Send + 'static,
    ) -> Result<T, LookError> {
        self.free(patience).await?;
        let progress = Progress::default();
        let shared = progress.clone();
        let (say, said) = oneshot::channel();
        self.running = Some(Running {
            // Nobody listens to what was given up.
            thread: spawn_blocking(move || drop(say.send(work(&shared)))),
            progress,
            given_up: None,
        });
        self.free(patience).await?;
        said.await.map_err(|_| LookError::Unsaid)
    }

    /// Whether the last work was given up, and hangs no more.
    pub fn is_free_again(&self) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.given_up.is_some() && running.thread.is_finished())
    }

    /// Waits for the work that is under way to end, or gives it up.
    async fn free(&mut self, patience: Duration) -> Result<(), LookError> {
        while let Some(running) = &mut self.running {
            let next = match (running.thread.is_finished(), &running.given_up) {
                (true, _) => Instant::now(),
                (false, Some(hangs)) => return Err(hangs.clone().into()),
                (false, None) => {
                    let next = running.progress.give_up_after(patience);
                    next.inspect_err(|hangs| running.given_up = Some(hangs.clone()))?
                }
            };
            tokio::select! {
                biased;
                ended = &mut running.thread => {
                    let was_given_up = running.given_up.is_some();
                    self.running = None;
                    // How it ended concerns those alone who waited for it.
                    return if was_given_up { Ok(()) } else { Ok(ended?) };
                }
                () = sleep_until(next) => {}
            }
        }
        Ok(())
    }
}

/// Does some work on a thread of its own, for a program that does nothing else.
///
/// # Errors
/// [`LookError`].
pub fn once<T: Send + 'static>(
    work: impl FnOnce(&Progress) -> T + Send + 'static,
) -> Result<T, LookError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(LookError::Start)?;
    let done = runtime.block_on(Beside::default().work(PATIENCE, work));
    // A thread that hangs ends with the program.
    runtime.shutdown_background();
    done
}
