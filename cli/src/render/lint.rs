//! What is wrong with a rollout file, or may be.

use crate::render::{View, table::counted};
use cofferdam_engine::lint::{Finding, Severity};
use serde::Serialize;

/// What the linter found.
#[derive(Debug, Serialize)]
pub struct Linted {
    /// What was looked at.
    pub looked_at: LookedAt,
    /// What was found, in order of the file.
    pub findings: Vec<Finding>,
}

/// What the linter looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookedAt {
    /// The file alone.
    File,
    /// The file, and the hosts of the coordinator.
    Fleet,
}

impl Linted {
    /// How many findings are as bad as this.
    pub fn count(&self, severity: Severity) -> usize {
        let alike = self.findings.iter().filter(|f| f.severity == severity);
        alike.count()
    }
}

impl View for Linted {
    fn text(&self) -> String {
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        let more = match self.looked_at {
            LookedAt::File => " in the file alone; --fleet live looks at the hosts too",
            LookedAt::Fleet => "",
        };
        format!(
            "{}{}, {}{more}\n",
            lines(&self.findings),
            counted(errors, "error"),
            counted(warnings, "warning"),
        )
    }
}

/// One line a finding, each with its place.
pub fn lines(findings: &[Finding]) -> String {
    let line = |found: &Finding| {
        let severity = match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Finding {
            file,
            line,
            column,
            message,
            rule,
            ..
        } = found;
        format!("{file}:{line}:{column}: {severity}: {message} [{rule}]\n")
    };
    findings.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_is_a_line_and_the_last_line_counts_them() {
        let finding = |line, severity, rule: &str, message: &str| Finding {
            file: "openssl.toml".to_owned(),
            line,
            column: 5,
            severity,
            rule: rule.to_owned(),
            message: message.to_owned(),
        };
        let linted = Linted {
            looked_at: LookedAt::File,
            findings: vec![
                finding(3, Severity::Error, "file", "no such key"),
                finding(9, Severity::Warning, "brake", "it never fires"),
            ],
        };
        insta::assert_snapshot!(linted.text(), @r"
        openssl.toml:3:5: error: no such key [file]
        openssl.toml:9:5: warning: it never fires [brake]
        1 error, 1 warning in the file alone; --fleet live looks at the hosts too
        ");
        let json = serde_json::to_value(&linted).unwrap();
        assert_eq!(json["looked_at"], "file");
        assert_eq!(json["findings"][0]["severity"], "error");
        assert_eq!(json["findings"][1]["line"], 9);
    }
}
