//! Conditions joined by `and`, `or` and `not`.

use std::{collections::VecDeque, fmt};

/// What a text of the language says of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr<C> {
    /// At least one holds. Has two or more, none of them an `Or`.
    Or(Vec<Self>),
    /// All hold. Has two or more, none of them an `And`.
    And(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// A condition.
    Condition(C),
}

/// What is known of an expression of which not every condition is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Partly<C> {
    /// Whether it holds, whatever the open conditions come to.
    Known(bool),
    /// It holds when this does.
    Open(Expr<C>),
}

impl<C> Expr<C> {
    /// Whether it holds where its conditions are judged so.
    pub fn holds(&self, judge: &impl Fn(&C) -> bool) -> bool {
        match self {
            Self::Or(any) => any.iter().any(|expr| expr.holds(judge)),
            Self::And(all) => all.iter().all(|expr| expr.holds(judge)),
            Self::Not(expr) => !expr.holds(judge),
            Self::Condition(condition) => judge(condition),
        }
    }

    /// What is left of it where only some of its conditions are decided.
    pub fn partly<D>(&self, decide: &impl Fn(&C) -> Partly<D>) -> Partly<D> {
        match self {
            Self::Or(any) => joined(any, decide, true, Expr::any),
            Self::And(all) => joined(all, decide, false, Expr::all),
            Self::Not(expr) => match expr.partly(decide) {
                Partly::Known(holds) => Partly::Known(!holds),
                Partly::Open(expr) => Partly::Open(Expr::Not(Box::new(expr))),
            },
            Self::Condition(condition) => decide(condition),
        }
    }

    /// Calls `visit` with each condition, from left to right.
    pub fn each<'e>(&'e self, visit: &mut impl FnMut(&'e C)) {
        match self {
            Self::Or(exprs) | Self::And(exprs) => exprs.iter().for_each(|expr| expr.each(visit)),
            Self::Not(expr) => expr.each(visit),
            Self::Condition(condition) => visit(condition),
        }
    }

    /// At least one of these: one alone stays as it is, and others of its kind are merged into it.
    pub(super) fn any(first: Self, rest: Vec<Self>) -> Self {
        join(first, rest, Self::Or, |expr| match expr {
            Self::Or(inner) => Ok(inner),
            other @ (Self::And(_) | Self::Not(_) | Self::Condition(_)) => Err(other),
        })
    }

    /// All of these, in the same way.
    pub(super) fn all(first: Self, rest: Vec<Self>) -> Self {
        join(first, rest, Self::And, |expr| match expr {
            Self::And(inner) => Ok(inner),
            other @ (Self::Or(_) | Self::Not(_) | Self::Condition(_)) => Err(other),
        })
    }
}

/// What is left of several expressions of which one that is `enough` decides all.
fn joined<C, D>(
    exprs: &[Expr<C>],
    decide: &impl Fn(&C) -> Partly<D>,
    enough: bool,
    join: impl Fn(Expr<D>, Vec<Expr<D>>) -> Expr<D>,
) -> Partly<D> {
    let mut open = VecDeque::new();
    for expr in exprs {
        match expr.partly(decide) {
            Partly::Known(holds) if holds == enough => return Partly::Known(enough),
            Partly::Known(_) => {}
            Partly::Open(expr) => open.push_back(expr),
        }
    }
    match open.pop_front() {
        Some(first) => Partly::Open(join(first, open.into())),
        None => Partly::Known(!enough),
    }
}

fn join<C>(
    first: Expr<C>,
    rest: Vec<Expr<C>>,
    kind: impl Fn(Vec<Expr<C>>) -> Expr<C>,
    inner: impl Fn(Expr<C>) -> Result<Vec<Expr<C>>, Expr<C>>,
) -> Expr<C> {
    if rest.is_empty() {
        return first;
    }
    let merged = std::iter::once(first)
        .chain(rest)
        .flat_map(|expr| inner(expr).unwrap_or_else(|other| vec![other]))
        .collect();
    kind(merged)
}

impl<C: fmt::Display> fmt::Display for Expr<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(any) => write_joined(f, any, " or ", |_| false),
            Self::And(all) => write_joined(f, all, " and ", |expr| matches!(expr, Self::Or(_))),
            Self::Not(expr) => match **expr {
                Self::Or(_) | Self::And(_) => write!(f, "not ({expr})"),
                Self::Not(_) | Self::Condition(_) => write!(f, "not {expr}"),
            },
            Self::Condition(condition) => condition.fmt(f),
        }
    }
}

fn write_joined<C: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    exprs: &[Expr<C>],
    word: &str,
    needs_parentheses: impl Fn(&Expr<C>) -> bool,
) -> fmt::Result {
    for (i, expr) in exprs.iter().enumerate() {
        let word = if i == 0 { "" } else { word };
        if needs_parentheses(expr) {
            write!(f, "{word}({expr})")?;
        } else {
            write!(f, "{word}{expr}")?;
        }
    }
    Ok(())
}
