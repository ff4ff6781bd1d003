//! What a check-up found: a line each, with the cure beside what is wrong.

use crate::{exit::Exit, render::View};
use serde::Serialize;

/// How one check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, and will not for ever or not for all.
    Warn,
    /// Does not work.
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it. Empty: nothing.
    pub cure: String,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, found, "")
    }

    /// It works for now.
    pub fn warn(check: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warn, found, cure)
    }

    /// It does not work.
    pub fn fail(check: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(check, Verdict::Fail, found, cure)
    }

    fn new(
        check: &'static str,
        verdict: Verdict,
        found: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            check,
            verdict,
            found: found.into(),
            cure: cure.into(),
        }
    }
}

/// All that a check-up found, in the order in which it was looked at.
#[derive(Debug, Serialize)]
pub struct CheckUp {
    /// The findings.
    pub checks: Vec<Finding>,
}

impl CheckUp {
    /// Failed when one check failed.
    pub fn exit(&self) -> Exit {
        if self.checks.iter().any(|c| c.verdict == Verdict::Fail) {
            Exit::Failed
        } else {
            Exit::Done
        }
    }
}

impl View for CheckUp {
    fn text(&self) -> String {
        let width = self.checks.iter().map(|c| c.check.len()).max().unwrap_or(0);
        let lines = self.checks.iter().map(|finding| {
            let verdict = match finding.verdict {
                Verdict::Ok => "ok  ",
                Verdict::Warn => "warn",
                Verdict::Fail => "fail",
            };
            let below = format!("\n{:1$}", "", width + 8);
            let found = finding.found.replace('\n', &below);
            let line = format!("{verdict}  {:width$}  {found}\n", finding.check);
            if finding.cure.is_empty() {
                return line;
            }
            format!("{}{below}-> {}\n", line.trim_end(), finding.cure)
        });
        lines.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_is_a_line_and_its_cure_stands_below() {
        let check_up = CheckUp {
            checks: vec![
                Finding::ok("config", "complete"),
                Finding::warn("certificate", "ends in 3 days", "issue a new one"),
            ],
        };
        assert_eq!(
            check_up.text(),
            "ok    config       complete\n\
             warn  certificate  ends in 3 days\n                   -> issue a new one\n"
        );
        assert_eq!(check_up.exit(), Exit::Done);
    }

    #[test]
    fn one_failed_check_fails_the_check_up() {
        let checks = vec![Finding::fail("config", "missing", "write it")];
        assert_eq!(CheckUp { checks }.exit(), Exit::Failed);
    }
}
