//! Errors as gRPC carries them: the one place where kinds of errors and gRPC codes meet.

use crate::{convert::FieldError, error_chain};
use std::error::Error;
use tonic::{Code, Status};

/// The most bytes of a message: a status travels in a header, HTTP/2 peers allow 16 KiB of headers,
/// and percent-encoding may triple it.
const MAX_MESSAGE_BYTES: usize = 4096;

/// Why a call was not answered with what was asked: the kind decides what to do, the message is for
/// people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    kind: CallErrorKind,
    message: String,
}

/// The kind of a [`CallError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallErrorKind {
    /// What was asked is wrong in itself: a file, a field.
    Invalid,
    /// It is about something that is not there.
    NotFound,
    /// It would make something that is there already.
    Exists,
    /// It does not fit how things stand now: a rollout that is over, a host that is connected.
    NotNow,
    /// The certificate does not allow it.
    Denied,
    /// There is no room for it now.
    Busy,
    /// The other side was not reached, went away, or is not ready yet.
    Unavailable,
    /// There was no answer in time.
    TooLate,
    /// The other side does not know the call: it is of another version.
    Unimplemented,
    /// The other side failed: its log says more.
    Internal,
}

impl CallErrorKind {
    /// Whether the same call may well succeed later.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable | Self::TooLate)
    }

    fn code(self) -> Code {
        match self {
            Self::Invalid => Code::InvalidArgument,
            Self::NotFound => Code::NotFound,
            Self::Exists => Code::AlreadyExists,
            Self::NotNow => Code::FailedPrecondition,
            Self::Denied => Code::PermissionDenied,
            Self::Busy => Code::ResourceExhausted,
            Self::Unavailable => Code::Unavailable,
            Self::TooLate => Code::DeadlineExceeded,
            Self::Unimplemented => Code::Unimplemented,
            Self::Internal => Code::Internal,
        }
    }

    fn of(code: Code) -> Self {
        match code {
            Code::InvalidArgument | Code::OutOfRange => Self::Invalid,
            Code::NotFound => Self::NotFound,
            Code::AlreadyExists => Self::Exists,
            Code::FailedPrecondition => Self::NotNow,
            Code::PermissionDenied | Code::Unauthenticated => Self::Denied,
            Code::ResourceExhausted => Self::Busy,
            // tonic says `Unknown` of a connection that broke, `Cancelled` of a stream that was
            // reset, `Ok` of a stream that ended without a word.
            Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Aborted | Code::Ok => {
                Self::Unavailable
            }
            Code::DeadlineExceeded => Self::TooLate,
            Code::Unimplemented => Self::Unimplemented,
            Code::Internal | Code::DataLoss => Self::Internal,
        }
    }
}

impl CallError {
    /// An error with its message; a message over 4 KiB is cut.
    pub fn new(kind: CallErrorKind, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > MAX_MESSAGE_BYTES {
            message.truncate(message.floor_char_boundary(MAX_MESSAGE_BYTES));
            message.push_str(" ... (cut)");
        }
        Self { kind, message }
    }

    /// An error with the whole chain of another as its message.
    pub fn of(kind: CallErrorKind, error: &(dyn Error + 'static)) -> Self {
        Self::new(kind, error_chain(error))
    }

    /// What to do about it.
    pub fn kind(&self) -> CallErrorKind {
        self.kind
    }

    /// Whether the same call may well succeed later.
    pub fn may_pass(&self) -> bool {
        self.kind.may_pass()
    }
}

impl From<CallError> for Status {
    fn from(error: CallError) -> Self {
        Self::new(error.kind.code(), error.message)
    }
}

/// A request that cannot be read.
impl From<FieldError> for Status {
    fn from(error: FieldError) -> Self {
        CallError::of(CallErrorKind::Invalid, &error).into()
    }
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        let kind = CallErrorKind::of(status.code());
        let said = match status.message() {
            "" => status.code().description(),
            message => message,
        };
        let causes = status.source().map(error_chain).unwrap_or_default();
        let message = match causes.as_str() {
            "" => said.to_owned(),
            causes if causes.starts_with(said) => causes.to_owned(),
            causes => format!("{said}: {causes}"),
        };
        Self::new(kind, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back_as_itself() {
        use CallErrorKind as Kind;
        for kind in [
            Kind::Invalid,
            Kind::NotFound,
            Kind::Exists,
            Kind::NotNow,
            Kind::Denied,
            Kind::Busy,
            Kind::Unavailable,
            Kind::TooLate,
            Kind::Unimplemented,
            Kind::Internal,
        ] {
            let sent = CallError::new(kind, "no such rollout");
            let received = CallError::from(Status::from(sent.clone()));
            assert_eq!(received, sent);
        }
    }

    #[test]
    fn a_message_that_no_header_holds_is_cut_at_a_character() {
        let error = CallError::new(CallErrorKind::Invalid, "ü".repeat(5000));
        let text = error.to_string();
        assert!(text.len() < MAX_MESSAGE_BYTES + 16);
        assert!(text.ends_with("ü ... (cut)"));
    }

    #[test]
    fn only_what_time_may_heal_is_tried_again() {
        assert!(CallErrorKind::Unavailable.may_pass());
        assert!(CallErrorKind::of(Code::Unknown).may_pass());
        assert!(!CallErrorKind::NotFound.may_pass());
        assert!(!CallErrorKind::Invalid.may_pass());
    }
}
