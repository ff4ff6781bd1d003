//! What a rollout says of how traffic leaves its hosts and comes back to them.
//!
//! A host's own people know its load balancers and its application, so each host's settings say what
//! holds there. A rollout may say otherwise for its hosts: a patch that cannot wait for a few long
//! sessions cuts them, one that empties caches takes traffic back more slowly. Whoever signs it answers
//! for that.

use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// What becomes of a run whose host has connections or sessions left at the end of its drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnExpiry {
    /// It is undone at once: the host was never touched.
    #[default]
    Abort,
    /// It goes on, and the change cuts what is left.
    Force,
}

impl OnExpiry {
    /// Both, with the word that files have for each.
    pub const WORDS: [(&'static str, Self); 2] = [
        (Self::Abort.word(), Self::Abort),
        (Self::Force.word(), Self::Force),
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::Force => "force",
        }
    }
}

impl fmt::Display for OnExpiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The most steps of a ramp (guess: one each 5 %).
pub const MOST_STEPS: usize = 20;

/// The parts of its full traffic that a host is given one after the other before it is given all, in
/// percent: at least one, each more than the one before, from 1 to 99.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct RampSteps(Vec<u8>);

/// These are no steps of a ramp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a ramp has 1 to {MOST_STEPS} steps of whole percent from \"1%\" to \"99%\", each more than the one \
     before, as in [\"10%\", \"50%\"]; all of the traffic follows by itself"
)]
pub struct RampStepsError;

impl RampSteps {
    /// Steps in percent.
    ///
    /// # Errors
    /// [`RampStepsError`] when there are none or too many, or they do not go up from 1 to 99.
    pub fn new(percents: Vec<u8>) -> Result<Self, RampStepsError> {
        let is_of_ramp = |percent: &u8| (1..100).contains(percent);
        let goes_up = percents.windows(2).all(|pair| pair[0] < pair[1]);
        let is_some = (1..=MOST_STEPS).contains(&percents.len());
        if is_some && goes_up && percents.iter().all(is_of_ramp) {
            return Ok(Self(percents));
        }
        Err(RampStepsError)
    }

    /// Reads steps as files say them, as in `10%`.
    ///
    /// # Errors
    /// [`RampStepsError`] when one is no whole number of percent, or as of [`RampSteps::new`].
    pub fn parse(texts: &[String]) -> Result<Self, RampStepsError> {
        let percent = |text: &String| {
            let number = text.strip_suffix('%')?;
            let is_plain = number.bytes().all(|b| b.is_ascii_digit());
            number.parse().ok().filter(|_: &u8| is_plain)
        };
        let percents: Option<Vec<u8>> = texts.iter().map(percent).collect();
        Self::new(percents.ok_or(RampStepsError)?)
    }

    /// The steps, in percent.
    pub fn percents(&self) -> &[u8] {
        &self.0
    }
}

impl Default for RampSteps {
    /// A tenth, a quarter, a half (guess: a tenth warms caches and hurts little; each step then at most
    /// doubles and a half what the host has shown that it bears).
    fn default() -> Self {
        Self(vec![10, 25, 50])
    }
}

/// Writes the list as a file has it.
impl fmt::Display for RampSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<_> = self.0.iter().map(|step| format!("\"{step}%\"")).collect();
        write!(f, "[{}]", steps.join(", "))
    }
}

impl TryFrom<Vec<u8>> for RampSteps {
    type Error = RampStepsError;
    fn try_from(percents: Vec<u8>) -> Result<Self, RampStepsError> {
        Self::new(percents)
    }
}

impl From<RampSteps> for Vec<u8> {
    fn from(steps: RampSteps) -> Self {
        steps.0
    }
}

/// What a rollout says otherwise than its hosts do. What is absent is as each host says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TrafficWish {
    /// What becomes of what is left at the end of drain.
    pub on_expiry: Option<OnExpiry>,
    /// How long the steps of the ramp take together, when all goes well. Zero: no ramp.
    pub ramp: Option<Duration>,
    /// The steps of the ramp.
    pub ramp_steps: Option<RampSteps>,
}

impl TrafficWish {
    /// Whether it says nothing.
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }
}

/// The longest ramp in a run whose drain may take so long: half of that, which traffic has to come back
/// in. The other half is for steps back and for the wait for load balancers (guess).
pub fn longest_ramp(drain: Duration) -> Duration {
    drain / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<RampSteps, RampStepsError> {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        RampSteps::parse(&texts)
    }

    #[test]
    fn steps_go_up_in_whole_percent() {
        assert_eq!(parse(&["10%", "25%", "50%"]), Ok(RampSteps::default()));
        assert_eq!(parse(&["1%", "99%"]).unwrap().percents(), [1, 99]);
        let shown = RampSteps::default().to_string();
        assert_eq!(shown, "[\"10%\", \"25%\", \"50%\"]");
        for wrong in [
            &[][..],
            &["0%"],
            &["100%"],
            &["10%", "10%"],
            &["20%", "10%"],
            &["10"],
            &["+10%"],
            &["%"],
            &["2.5%"],
            &["300%"],
        ] {
            assert_eq!(parse(wrong), Err(RampStepsError), "{wrong:?}");
        }
        let many: Vec<u8> = (1..=21).collect();
        assert_eq!(RampSteps::new(many), Err(RampStepsError));
    }

    #[test]
    fn a_record_cannot_hold_what_no_file_says() {
        assert!(serde_json::from_str::<RampSteps>("[10,5]").is_err());
        let steps: RampSteps = serde_json::from_str("[10,50]").unwrap();
        assert_eq!(serde_json::to_string(&steps).unwrap(), "[10,50]");
    }
}
