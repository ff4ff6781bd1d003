//! Whether what an operator starts is what somebody signed whose signature counts.
//!
//! Agents look for themselves. That the coordinator looks too tells an operator at once what hosts would
//! refuse, and says afterwards who signed.

use crate::{clock::Clock, config};
use cofferdam_engine::{
    date::Date,
    patch::LockFile,
    plan::Plan,
    signers::SignersError,
    spec::Spec,
    statement::{Signed, Statement, StatementError},
};
use cofferdam_proto::{
    signature::{SignatureError, Signers},
    status::{CallError, CallErrorKind},
};
use std::{fs, io, path::PathBuf, sync::Arc};

/// Looks at signatures.
#[derive(Debug)]
pub(crate) struct Signing {
    pub(crate) settings: config::Signing,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Why a rollout is not started.
#[derive(Debug, thiserror::Error)]
enum Unsigned {
    #[error(
        "nobody signed {0}, and this coordinator starts only what is signed: sign it with `cofferdam \
         sign FILE --with KEY`, and start it again"
    )]
    NotSigned(String),
    #[error("cannot read the allowed signers in {}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Signers(#[from] SignersError),
    #[error("the signature does not count")]
    Signature(#[from] SignatureError),
    #[error("what was signed cannot be read")]
    Statement(#[from] StatementError),
    #[error(
        "what was signed is not this rollout file with this lock file: sign {0} again with `cofferdam sign`"
    )]
    OtherRollout(String),
    #[error("what was signed was good until {0}: sign it again with `cofferdam sign`")]
    Over(Date),
}

impl Signing {
    /// The plan of a rollout file and a lock file, as it was signed.
    ///
    /// # Errors
    /// [`CallError`] when it is not signed and must be, or was signed wrongly.
    pub(super) fn look(
        &self,
        plan: Plan,
        (spec, lock): (&Spec, &LockFile),
        signed: Option<&Signed>,
    ) -> Result<Plan, CallError> {
        let Some(signed) = signed else {
            return match self.settings.require {
                true => Err(refusal(&Unsigned::NotSigned(plan.rollout.to_string()))),
                false => Ok(plan),
            };
        };
        let (statement, signer) = self.read(signed).map_err(|error| refusal(&error))?;
        let meant = Statement::of(spec, lock, plan.amends.clone(), statement.validity());
        if statement != meant {
            return Err(refusal(&Unsigned::OtherRollout(plan.rollout.to_string())));
        }
        if self.clock.now() >= statement.until.end() {
            return Err(refusal(&Unsigned::Over(statement.until)));
        }
        Ok(plan.signed(signed, signer))
    }

    /// What was signed, and by whom; nobody says who where there are no allowed signers.
    fn read(&self, signed: &Signed) -> Result<(Statement, Option<String>), Unsigned> {
        let Some(path) = &self.settings.allowed_signers else {
            return Ok((Statement::parse(&signed.statement)?, None));
        };
        // Read each time, so that a key which was taken out of it counts no more.
        let text = fs::read_to_string(path).map_err(|source| Unsigned::Unreadable {
            path: path.clone(),
            source,
        })?;
        let signers = Signers::parse(&path.display().to_string(), &text)?;
        let checked = signers.check(signed, self.clock.now())?;
        Ok((checked.statement, Some(checked.signer.name)))
    }
}

/// Mistakes of the coordinator's own file are not the caller's.
fn refusal(error: &Unsigned) -> CallError {
    let kind = match error {
        Unsigned::Unreadable { .. } | Unsigned::Signers(_) => CallErrorKind::NotNow,
        Unsigned::NotSigned(_)
        | Unsigned::Signature(_)
        | Unsigned::Statement(_)
        | Unsigned::OtherRollout(_)
        | Unsigned::Over(_) => CallErrorKind::Invalid,
    };
    CallError::of(kind, error)
}
