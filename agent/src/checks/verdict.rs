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

/// A number that was measured, and its threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// The number. Finite.
    pub value: f64,
    /// Its unit, as in `%` or `ms`. Empty: it is a count.
    pub unit: String,
    /// Where well ends.
    pub limit: Limit,
}

/// The threshold of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// More is not well.
    AtMost(f64),
    /// Less is not well.
    AtLeast(f64),
}

impl Measure {
    /// A number with its unit and threshold.
    pub fn new(value: f64, unit: &str, limit: Limit) -> Self {
        Self {
            value,
            unit: unit.to_owned(),
            limit,
        }
    }

    /// What it says by its threshold. A number that is none is no data.
    pub fn verdict(&self) -> Verdict {
        let is_well = match self.limit {
            _ if !self.value.is_finite() => return Verdict::NoData,
            Limit::AtMost(most) => self.value <= most,
            Limit::AtLeast(least) => self.value >= least,
        };
        if is_well {
            Verdict::Pass
        } else {
            Verdict::Fail
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, limit) = match self.limit {
            Limit::AtMost(most) => ("most", most),
            Limit::AtLeast(least) => ("least", least),
        };
        let gap = if matches!(&*self.unit, "" | "%") {
            ""
        } else {
            " "
        };
        let Self { value, unit, .. } = self;
        write!(f, "{value}{gap}{unit}, at {word} {limit}{gap}{unit}")
    }
}

/// One reading of one check or signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The name of the check, probe or signal.
    pub name: String,
    /// What it says.
    pub verdict: Verdict,
    /// The number that it goes by. Absent: it goes by none, or could not be measured.
    pub measure: Option<Measure>,
    /// Why, in one line of at most [`MAX_OUTPUT_CHARS`]. Empty: it said nothing.
    pub output: String,
}

impl Reading {
    /// A reading without a number, with its output as one line.
    pub fn new(name: impl Into<String>, verdict: Verdict, output: &str) -> Self {
        let words: Vec<&str> = output.split_whitespace().collect();
        Self {
            name: name.into(),
            verdict,
            measure: None,
            output: words.join(" ").chars().take(MAX_OUTPUT_CHARS).collect(),
        }
    }

    /// A reading that goes by a number.
    pub fn measured(name: impl Into<String>, measure: Measure, output: &str) -> Self {
        Self {
            measure: measure.value.is_finite().then(|| measure.clone()),
            ..Self::new(name, measure.verdict(), output)
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.verdict)?;
        if let Some(measure) = &self.measure {
            write!(f, ": {measure}")?;
        }
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
    fn a_number_is_judged_by_its_threshold_and_none_is_no_data() {
        for (value, limit, says) in [
            (8.0, Limit::AtMost(8.0), "x: pass: 8%, at most 8%"),
            (8.01, Limit::AtMost(8.0), "x: fail: 8.01%, at most 8%"),
            (5.0, Limit::AtLeast(5.0), "x: pass: 5%, at least 5%"),
            (4.9, Limit::AtLeast(5.0), "x: fail: 4.9%, at least 5%"),
            (f64::NAN, Limit::AtLeast(5.0), "x: no-data"),
            (f64::INFINITY, Limit::AtLeast(5.0), "x: no-data"),
        ] {
            let reading = Reading::measured("x", Measure::new(value, "%", limit), "");
            assert_eq!(reading.to_string(), says);
        }
        let load = Measure::new(9.5, "per core", Limit::AtMost(8.0));
        assert_eq!(load.to_string(), "9.5 per core, at most 8 per core");
    }

    #[test]
    fn an_output_is_one_short_line() {
        let reading = Reading::new("x", Verdict::Fail, &format!("a\n b\0\t{}", "c".repeat(999)));
        assert!(reading.output.starts_with("a b\0 ccc"), "{reading}");
        assert_eq!(reading.output.chars().count(), MAX_OUTPUT_CHARS);
    }
}
