//! What one check says, and what all of them say together.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The most characters of a check's output that are kept (guess: one line for people).
pub const MAX_OUTPUT_CHARS: usize = 300;

/// What a check or probe says. No data is never a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Well.
    Pass,
    /// Not well.
    Fail,
    /// Nobody knows: it gave no answer in time, or none that is understood.
    NoData,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NoData => "no-data",
        })
    }
}

/// One reading of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The check's or probe's name.
    pub name: String,
    /// What it says.
    pub verdict: Verdict,
    /// Why, in one line of at most [`MAX_OUTPUT_CHARS`]. Empty: it said nothing.
    pub output: String,
}

impl Reading {
    /// A reading, with its output as one line.
    pub fn new(name: impl Into<String>, verdict: Verdict, output: &str) -> Self {
        let words: Vec<&str> = output.split_whitespace().collect();
        Self {
            name: name.into(),
            verdict,
            output: words.join(" ").chars().take(MAX_OUTPUT_CHARS).collect(),
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.verdict)?;
        if self.output.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.output)
    }
}

/// What all readings say together: a failure if one fails, a pass only if all pass. A host without
/// checks passes: what it has to prove is that its packages are the right ones.
pub fn of_all(readings: &[Reading]) -> Verdict {
    of_verdicts(readings.iter().map(|reading| reading.verdict))
}

/// The same, of verdicts alone.
pub fn of_verdicts(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let worse = |together, verdict| match (together, verdict) {
        (Verdict::Fail, _) | (_, Verdict::Fail) => Verdict::Fail,
        (Verdict::NoData, _) | (_, Verdict::NoData) => Verdict::NoData,
        (Verdict::Pass, Verdict::Pass) => Verdict::Pass,
    };
    verdicts.into_iter().fold(Verdict::Pass, worse)
}

/// The readings that did not pass, in one line. Empty: all passed.
pub fn troubles(readings: &[Reading]) -> String {
    let troubles: Vec<String> = readings
        .iter()
        .filter(|reading| reading.verdict != Verdict::Pass)
        .map(Reading::to_string)
        .collect();
    troubles.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn together(verdicts: &[Verdict]) -> Verdict {
        let reading = |&verdict| Reading::new("x", verdict, "");
        of_all(&verdicts.iter().map(reading).collect::<Vec<_>>())
    }

    #[test]
    fn all_pass_only_if_each_passes() {
        use Verdict::{Fail, NoData, Pass};
        assert_eq!(together(&[]), Pass);
        assert_eq!(together(&[Pass, Pass]), Pass);
        assert_eq!(together(&[Pass, NoData]), NoData);
        assert_eq!(together(&[NoData, Fail, Pass]), Fail);
    }

    #[test]
    fn an_output_is_one_short_line() {
        let reading = Reading::new("x", Verdict::Fail, &format!("a\n b\0\t{}", "c".repeat(999)));
        assert!(reading.output.starts_with("a b\0 ccc"), "{reading}");
        assert_eq!(reading.output.chars().count(), MAX_OUTPUT_CHARS);
    }
}
