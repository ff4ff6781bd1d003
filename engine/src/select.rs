//! The language that selects hosts: `service in ("web", "api") and region != "ap-southeast-1"`.
//!
//! A condition compares a label or fact of a host with texts: `==`, `!=`, `in (..)`, `not in (..)`.
//! Conditions are joined by `not`, `and`, `or`, which bind in this order, and by parentheses. Texts
//! stand in double quotes; `\"` and `\\` are the only escapes.
//!
//! A label that a host does not have equals nothing: `==` and `in` are false of it, `!=` and
//! `not in` are true.
//!
//! [`crate::query`] is the same language with conditions that only a host can tell.

mod error;
mod expr;
mod parse;
#[cfg(test)]
pub(crate) mod tests;
mod word;

pub use self::{
    error::SelectError,
    expr::{Expr, Partly},
};
pub(crate) use self::{
    parse::{Parser, Read, expr},
    word::{Word, keyword},
};

use crate::inventory::Host;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most bytes of one selection: room for some hundred host names (guess).
pub const MAX_SELECTION_LEN: usize = 16 * 1024;

/// The most parentheses and `not`s within each other (guess). Bounds the recursion over an
/// expression that others wrote.
pub const MAX_SELECTION_DEPTH: usize = 32;

/// A selection of hosts. Displays canonically, so that it reads back as itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selection(Expr<Condition>);

/// A comparison of a label with texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The name of the label or fact.
    pub label: String,
    /// How it is compared.
    pub comparison: Comparison,
}

/// How a label is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// `==`: it is this text.
    Is(String),
    /// `!=`: it is not this text.
    IsNot(String),
    /// `in`: it is one of these. Not empty.
    In(Vec<String>),
    /// `not in`: it is none of these. Not empty.
    NotIn(Vec<String>),
}

impl Selection {
    /// Reads a selection.
    ///
    /// # Errors
    /// A [`SelectError`] that says at which character what was expected.
    pub fn parse(text: &str) -> Result<Self, SelectError> {
        expr(text).map(Self)
    }

    /// What it says.
    pub fn expr(&self) -> &Expr<Condition> {
        &self.0
    }

    /// Whether a host is selected.
    pub fn matches(&self, host: &Host) -> bool {
        self.0
            .holds(&|condition| condition.holds(&|label| host.value(label)))
    }
}

impl Condition {
    /// Whether it holds of something whose labels `value` looks up.
    pub fn holds<'a>(&self, value: &impl Fn(&str) -> Option<&'a str>) -> bool {
        self.comparison.holds(value(&self.label))
    }
}

impl Comparison {
    /// Whether it holds of a label's value. Nothing: the label is not there.
    fn holds(&self, value: Option<&str>) -> bool {
        match self {
            Self::Is(text) => value == Some(text),
            Self::IsNot(text) => value != Some(text),
            Self::In(texts) => texts.iter().any(|text| value == Some(text)),
            Self::NotIn(texts) => texts.iter().all(|text| value != Some(text)),
        }
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)?;
        match &self.comparison {
            Comparison::Is(text) => write!(f, " == {}", Quoted(text)),
            Comparison::IsNot(text) => write!(f, " != {}", Quoted(text)),
            Comparison::In(texts) => write_list(f, " in", texts),
            Comparison::NotIn(texts) => write_list(f, " not in", texts),
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, word: &str, texts: &[String]) -> fmt::Result {
    write!(f, "{word} (")?;
    for (i, text) in texts.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(f, "{comma}{}", Quoted(text))?;
    }
    f.write_str(")")
}

/// A text in double quotes, escaped as the language reads it.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        write!(f, "\"{escaped}\"")
    }
}

impl TryFrom<String> for Selection {
    type Error = SelectError;
    fn try_from(text: String) -> Result<Self, SelectError> {
        Self::parse(&text)
    }
}

impl From<Selection> for String {
    fn from(selection: Selection) -> String {
        selection.to_string()
    }
}
