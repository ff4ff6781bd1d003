//! Shares of a whole, exact to a hundredth of a percent.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A share from 0 % to 100 %, in basis points. Written as `95%` or `0.5%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Share(u16);

const WHOLE: usize = 10_000;

/// The text is not a share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a share: a number from 0 to 100 with at most two decimals and `%` is expected, as in \"5%\""
)]
pub struct ShareError(String);

impl Share {
    /// Nothing of it.
    pub const NONE: Self = Self(0);

    /// All of it.
    pub const ALL: Self = Self(10_000);

    /// A share in whole percent; more than 100 counts as 100.
    pub const fn percent(percent: u16) -> Self {
        Self(if percent >= 100 {
            10_000
        } else {
            percent * 100
        })
    }

    /// A share in hundredths of a percent; more than 10,000 counts as 10,000.
    pub const fn basis_points(points: u16) -> Self {
        Self(if points >= 10_000 { 10_000 } else { points })
    }

    /// Reads `95%`, `0.5%`.
    ///
    /// # Errors
    /// [`ShareError`] when the text is anything else.
    pub fn parse(text: &str) -> Result<Self, ShareError> {
        let malformed = || ShareError(text.to_owned());
        let number = text.strip_suffix('%').ok_or_else(malformed)?;
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || whole.len() > 3 || decimals.len() > 2 {
            return Err(malformed());
        }
        let points = format!("{whole}{decimals:0<2}")
            .parse::<u32>()
            .map_err(|_| malformed())?;
        let points = u16::try_from(points).map_err(|_| malformed())?;
        if usize::from(points) > WHOLE {
            return Err(malformed());
        }
        Ok(Self(points))
    }

    /// Whether it picks something by a seed that lies evenly in all numbers.
    pub fn picks(self, seed: u64) -> bool {
        let rank = (u128::from(seed) * 10_000) >> 64;
        rank < u128::from(self.0)
    }

    /// The share of a count, rounded up.
    pub fn of_rounded_up(self, count: usize) -> usize {
        count.saturating_mul(usize::from(self.0)).div_ceil(WHOLE)
    }

    /// The share of a count, rounded down.
    pub fn of_rounded_down(self, count: usize) -> usize {
        count.saturating_mul(usize::from(self.0)) / WHOLE
    }

    /// Whether `part` of `whole` is more than this share. Nothing of nothing is not more.
    pub fn is_exceeded(self, part: usize, whole: usize) -> bool {
        part.saturating_mul(WHOLE) > whole.saturating_mul(usize::from(self.0))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.0 / 100, self.0 % 100);
        if decimals == 0 {
            return write!(f, "{whole}%");
        }
        let decimals = format!("{decimals:02}");
        write!(f, "{whole}.{}%", decimals.trim_end_matches('0'))
    }
}

impl TryFrom<String> for Share {
    type Error = ShareError;
    fn try_from(text: String) -> Result<Self, ShareError> {
        Self::parse(&text)
    }
}

impl From<Share> for String {
    fn from(share: Share) -> String {
        share.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_reads_back_what_it_writes() {
        for text in ["0%", "1%", "0.5%", "99.95%", "100%"] {
            assert_eq!(Share::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_share_is_refused() {
        for bad in [
            "", "%", "5", "-1%", "101%", "100.01%", "1.234%", "1.%", ".5%", "1e1%", " 1%",
        ] {
            assert!(Share::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_share_of_a_count_rounds_as_it_says() {
        assert_eq!(Share::percent(10).of_rounded_down(19), 1);
        assert_eq!(Share::percent(10).of_rounded_up(19), 2);
        assert_eq!(Share::percent(1).of_rounded_up(24), 1);
        assert_eq!(Share::percent(50).of_rounded_up(24), 12);
        assert_eq!(Share::percent(95).of_rounded_up(8), 8);
        assert_eq!(Share::percent(0).of_rounded_up(8), 0);
    }
}
