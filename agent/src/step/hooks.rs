//! Hooks: programs of the host's own people that run at four points of a run.
//!
//! ```text
//! pre-drain.d --> flag down, traffic ends --> post-drain.d --> claim
//!   --> pre-apply.d --> change --> verify --> post-verify.d --> flag up
//! ```
//!
//! Those of one point run one after the other, in order of their names, each with a deadline, and in no
//! more time than their step has. One that ends badly, runs too long or may not be run ends its step:
//! before the change that undoes the run, and after verify the host goes back. There they run before
//! the host counts as proved. Where the host went back none runs: they speak of what is new.
//!
//! An agent that was cut short in a step begins it again, and so its hooks: a hook may run more than
//! once in a run. One that an agent left running is ended first.

use super::{Steps, record::Phase};
use crate::host::{command::RunError, durable, leftover, local_program};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    order::{Direction, Order},
};
use cofferdam_proto::error_chain;
use std::{io, path::Path, time::Duration};
use tokio::time::Instant;

/// What a step keeps of its deadline for itself, to say why it ends (guess).
const MARGIN: Duration = Duration::from_secs(1);

/// The most characters of a hook's last line that a failure says (guess: the transcript has all).
const MAX_SAID: usize = 200;

/// Where in a run hooks are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// Before the flag goes down.
    PreDrain,
    /// When traffic has ended.
    PostDrain,
    /// Before anything is changed.
    PreApply,
    /// When the host is found well with what is new.
    PostVerify,
}

impl Point {
    /// Its name, which is that of its folder without `.d`.
    fn name(self) -> &'static str {
        match self {
            Self::PreDrain => "pre-drain",
            Self::PostDrain => "post-drain",
            Self::PreApply => "pre-apply",
            Self::PostVerify => "post-verify",
        }
    }
}

/// Why the hooks of a point did not all end well.
#[derive(Debug, thiserror::Error)]
enum HookError {
    /// Their folder cannot be read.
    #[error("the hooks in {folder} cannot be read")]
    Unreadable { folder: String, source: io::Error },
    /// The agent will not run it.
    #[error(
        "the hook {hook} {why}; nobody but root may own or write it and its folder, and root must be able \
         to execute it"
    )]
    Untrusted {
        hook: String,
        why: local_program::Untrusted,
    },
    /// It said no.
    #[error("the hook {hook} ended with {exit}{said}")]
    SaidNo {
        hook: String,
        exit: String,
        said: String,
    },
    /// It did not end in time, or could not be run.
    #[error("the hook {hook} did not end well")]
    NotRun {
        hook: String,
        #[source]
        source: RunError,
    },
}

impl From<HookError> for Failure {
    fn from(error: HookError) -> Self {
        let kind = match &error {
            HookError::Unreadable { source, .. }
            | HookError::NotRun {
                source: RunError::Transcript { source, .. },
                ..
            } => durable::kind_of(source),
            HookError::Untrusted { .. }
            | HookError::SaidNo { .. }
            | HookError::NotRun {
                source: RunError::Late { .. } | RunError::Start { .. } | RunError::Wait { .. },
                ..
            } => FailureKind::Hook,
        };
        Self::new(kind, error_chain(&error))
    }
}

impl Steps {
    /// Runs the hooks of a point, in a step that began at a moment and has this long.
    pub(super) async fn run_hooks(
        &self,
        point: Point,
        order: &Order,
        (began, has): (Instant, Duration),
    ) -> Result<(), Failure> {
        let folder = self.settings.hooks_dir.join(format!("{}.d", point.name()));
        self.end_leftover_hook()?;
        let hooks = match local_program::programs_in(&folder) {
            Ok(hooks) => hooks,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => {
                let folder = folder.display().to_string();
                return Err(HookError::Unreadable { folder, source }.into());
            }
        };
        for hook in &hooks {
            let left = has.saturating_sub(began.elapsed() + MARGIN);
            let deadline = self.settings.hook_deadline.min(left);
            self.run_hook(point, order, hook, deadline).await?;
        }
        Ok(())
    }

    /// How long the hooks of a point may want. Where there are none, nothing.
    pub(super) fn time_of_hooks(&self, point: Point) -> Duration {
        let folder = self.settings.hooks_dir.join(format!("{}.d", point.name()));
        match local_program::programs_in(&folder) {
            Ok(hooks) if hooks.is_empty() => Duration::ZERO,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Duration::ZERO,
            Ok(_) | Err(_) => self.settings.hook_deadline + MARGIN,
        }
    }

    /// Runs the hooks after verify: only of a host that has what is new.
    pub(super) async fn run_post_verify_hooks(
        &self,
        order: &Order,
        step: (Instant, Duration),
    ) -> Result<(), Failure> {
        let before = self.records.before(&order.grant.rollout)?;
        match before.map(|before| before.phase) {
            Some(Phase::Begun) => self.run_hooks(Point::PostVerify, order, step).await,
            Some(Phase::Undone) | None => Ok(()),
        }
    }

    async fn run_hook(
        &self,
        point: Point,
        order: &Order,
        program: &Path,
        deadline: Duration,
    ) -> Result<(), HookError> {
        let hook = program.display().to_string();
        let trusted = local_program::may_run(program)
            .and_then(|()| local_program::is_safe_folder(&self.settings.hooks_dir));
        if let Err(why) = trusted {
            return Err(HookError::Untrusted { hook, why });
        }
        let rollout = &order.grant.rollout;
        let direction = match order.direction {
            Direction::Patch => "patch",
            Direction::Rollback => "rollback",
        };
        let command = local_program::command(program, &self.settings)
            .env("COFFERDAM_STEP", point.name())
            .env("COFFERDAM_ROLLOUT", rollout.as_str())
            .env("COFFERDAM_DIRECTION", direction)
            .env("COFFERDAM_ATTEMPT", order.attempt.to_string())
            .running(&self.running_hook())
            .ends(self.transcript(rollout, point.name()))
            .deadline(deadline);
        tracing::info!(%rollout, hook, "runs a hook");
        match self.outside.runner.run(&command).await {
            Ok(output) if output.is_success() => Ok(()),
            Ok(output) => Err(HookError::SaidNo {
                hook,
                exit: output.exit.to_string(),
                said: last_line(&output.text()),
            }),
            Err(source) => Err(HookError::NotRun { hook, source }),
        }
    }

    /// A hook that runs on from an agent that died would run beside its own repetition.
    fn end_leftover_hook(&self) -> Result<(), Failure> {
        Ok(leftover::end(&self.running_hook())?)
    }

    fn running_hook(&self) -> std::path::PathBuf {
        self.settings.state_dir.join("hook")
    }
}

/// The last line that says something, for people.
fn last_line(said: &str) -> String {
    let line = said
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty());
    line.map_or_else(String::new, |line| {
        let line: String = line.chars().take(MAX_SAID).collect();
        format!(": {line}")
    })
}
