//! What is asked of a fleet: `service == "web" and package openssl < 3.0.15`.
//!
//! The language of [`crate::select`], and three conditions that only a host can tell:
//!
//! ```text
//! package NAME             it is installed
//! package NAME < VERSION   it is installed, in a version before this one: == != < <= > >=
//! kernel < VERSION         the running kernel is before this one: < <= > >=
//! unit NAME failed         systemd calls the unit so: active inactive failed activating ...
//! ```
//!
//! Names and versions stand without quotes or in them. Versions are compared as the host's package
//! manager does it. A label or fact may still be called `package`, `kernel` or `unit`: followed by `==`,
//! `!=`, `in` or `not in`, it is one, as in `kernel == "6.1.0-25-amd64"`.
//!
//! ```text
//! Query --labels, at the coordinator--> known | Question --text--> the host: Wants --looks--> Found --> Answer
//! ```

mod condition;
mod found;
mod question;
#[cfg(test)]
mod tests;

pub use self::{
    condition::{HostCondition, Relation, UnitState},
    found::{Found, Installed, Kernel, UnitFound, Wants},
    question::{Answer, Question},
};

pub(crate) use self::condition::Subject;

use crate::{
    inventory::Host,
    select::{Condition, Expr, Parser, Partly, Read, SelectError, expr},
};
use std::fmt;

/// What is asked of a fleet. Displays canonically, so that it reads back as itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(Expr<Term>);

/// One condition of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    /// On a label or fact: known without asking.
    Label(Condition),
    /// On what only the host can tell.
    Host(HostCondition),
}

/// What a query comes to of one host before it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Its labels and facts alone decide whether it matches.
    Known(bool),
    /// It matches if it answers this with yes.
    Ask(Question),
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// A [`SelectError`] that says at which character what was expected.
    pub fn parse(text: &str) -> Result<Self, SelectError> {
        expr(text).map(Self)
    }

    /// What is to be asked of a host.
    pub fn about(&self, host: &Host) -> Decision {
        let left = self.0.partly(&|term| match term {
            Term::Label(condition) => Partly::Known(condition.holds(&|label| host.value(label))),
            Term::Host(condition) => Partly::Open(Expr::Condition(condition.clone())),
        });
        match left {
            Partly::Known(holds) => Decision::Known(holds),
            Partly::Open(expr) => Decision::Ask(Question::of(expr)),
        }
    }
}

impl Read for Term {
    fn read(parser: &mut Parser<'_>) -> Result<Self, SelectError> {
        let at = parser.at();
        let label = parser.label("a label, `package`, `kernel`, `unit`, `not` or `(`")?;
        if let Some(subject) = Subject::of(&label, parser.next()) {
            return subject.read(parser).map(Self::Host);
        }
        if let Some(meant) = Subject::meant(&label, parser.next()) {
            let found = label;
            return Err(SelectError::Misspelt { at, found, meant });
        }
        Ok(Self::Label(Condition {
            label,
            comparison: parser.comparison()?,
        }))
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(condition) => condition.fmt(f),
            Self::Host(condition) => condition.fmt(f),
        }
    }
}
