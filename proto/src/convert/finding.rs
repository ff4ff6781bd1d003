//! What is wrong with a rollout, or may be.

use super::{
    bounds::MAX_ENTRIES,
    enumerated::Enumerated,
    field::{At, FieldError, Problem},
    read, write,
};
use crate::{operator::Findings, v1};
use cofferdam_engine::lint::{Finding, Severity};

impl From<Finding> for v1::Finding {
    fn from(finding: Finding) -> Self {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Self {
            file: write::line(&finding.file),
            line: number(finding.line),
            column: number(finding.column),
            severity: finding.severity.number(),
            rule: write::line(&finding.rule),
            message: write::line(&finding.message),
        }
    }
}

impl TryFrom<v1::Finding> for Finding {
    type Error = FieldError;
    fn try_from(wire: v1::Finding) -> Result<Self, FieldError> {
        Ok(Self {
            file: read::filled_line(wire.file).at("file")?,
            line: place(wire.line).at("line")?,
            column: place(wire.column).at("column")?,
            severity: Severity::read(wire.severity).at("severity")?,
            rule: read::filled_line(wire.rule).at("rule")?,
            message: read::filled_line(wire.message).at("message")?,
        })
    }
}

/// A line or a column: from 1.
fn place(number: u64) -> Result<usize, Problem> {
    let number = usize::try_from(number).ok().filter(|number| *number > 0);
    number.ok_or(Problem::Missing)
}

impl From<Findings> for v1::LintReply {
    fn from(Findings(findings): Findings) -> Self {
        Self {
            findings: write::list(findings),
        }
    }
}

impl TryFrom<v1::LintReply> for Findings {
    type Error = FieldError;
    fn try_from(wire: v1::LintReply) -> Result<Self, FieldError> {
        let findings = read::list(wire.findings, MAX_ENTRIES).at("findings")?;
        Ok(Self(findings))
    }
}
