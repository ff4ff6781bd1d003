//! What the command's exit code says.

use cofferdam_proto::status::{CallError, CallErrorKind};
use std::{error::Error, process::ExitCode};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: what was asked is done.
    Done,
    /// 1: it failed, or what was looked at ended badly.
    Failed,
    /// 2: the command line, the config or a file that was given is wrong.
    Usage,
    /// 3: nothing failed, but something is held: paused, braked, waiting. Of a query: no host matches.
    Held,
}

impl Exit {
    /// The number that a shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Held => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// A mistake of the caller. Anywhere in an error's chain, it makes the command exit with 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// The exit that an error leads to.
pub fn of_error(error: &anyhow::Error) -> Exit {
    if error.chain().any(is_callers) {
        Exit::Usage
    } else {
        Exit::Failed
    }
}

/// Whether this error says that what the caller gave is wrong in itself, as we or the coordinator
/// saw it.
fn is_callers(cause: &(dyn Error + 'static)) -> bool {
    let refused = cause.downcast_ref::<CallError>();
    cause.is::<UsageError>() || refused.is_some_and(|e| e.kind() == CallErrorKind::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn each_end_has_its_number() {
        let ends = [Exit::Done, Exit::Failed, Exit::Usage, Exit::Held];
        assert_eq!(ends.map(Exit::code), [0, 1, 2, 3]);
    }

    #[test]
    fn a_mistake_of_the_caller_exits_with_2_however_deep_it_lies() {
        let deep = Err::<(), _>(UsageError("no such key".to_owned()))
            .context("cannot read the config")
            .unwrap_err();
        assert_eq!(of_error(&deep), Exit::Usage);
        let refused = |kind| anyhow::Error::from(CallError::new(kind, "refused"));
        assert_eq!(of_error(&refused(CallErrorKind::Invalid)), Exit::Usage);
        assert_eq!(of_error(&refused(CallErrorKind::NotNow)), Exit::Failed);
    }
}
