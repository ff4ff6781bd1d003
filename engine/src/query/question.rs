//! What one host is asked.

use super::{Found, HostCondition, Subject, Wants};
use crate::select::{Expr, Parser, Read, SelectError, expr};
use std::fmt;

/// What one host is asked: conditions that it can tell, and no labels. Displays canonically, so that it
/// reads back as itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question(Expr<HostCondition>);

/// What a host answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it is as was asked.
    pub holds: bool,
    /// What it found of all that the question names, in its order, in one line, as in `openssl 3.0.13-1`.
    pub evidence: String,
}

impl Question {
    pub(super) fn of(expr: Expr<HostCondition>) -> Self {
        Self(expr)
    }

    /// Reads a question.
    ///
    /// # Errors
    /// A [`SelectError`] that says at which character what was expected.
    pub fn parse(text: &str) -> Result<Self, SelectError> {
        expr(text).map(Self)
    }

    /// What the host has to look for.
    pub fn wants(&self) -> Wants {
        let mut wants = Wants::default();
        self.0.each(&mut |condition| wants.add(condition));
        wants
    }

    /// The answer to it.
    pub fn answer(&self, found: &Found) -> Answer {
        let mut evidence: Vec<String> = Vec::new();
        self.0.each(&mut |condition| {
            let words = found.in_words(condition);
            if !evidence.contains(&words) {
                evidence.push(words);
            }
        });
        Answer {
            holds: self.0.holds(&|condition| condition.holds(found)),
            evidence: evidence.join(", "),
        }
    }
}

impl Read for HostCondition {
    fn read(parser: &mut Parser<'_>) -> Result<Self, SelectError> {
        let at = parser.at();
        let label = parser.label("`package`, `kernel`, `unit`, `not` or `(`")?;
        match Subject::of(&label, parser.next()) {
            Some(subject) => subject.read(parser),
            None => Err(SelectError::ForLabels { at, label }),
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
