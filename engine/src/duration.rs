//! Durations as people write them: `500ms`, `15m`, `1h30m`.

use std::{fmt::Write as _, time::Duration};

/// Units in the order in which they may follow each other, with their milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 24 * 60 * 60 * 1000),
    ("h", 60 * 60 * 1000),
    ("m", 60 * 1000),
    ("s", 1000),
    ("ms", 1),
];

/// The largest unit that [`format()`] writes: `24h` reads better than `1d` beside `23h`.
const LARGEST_WRITTEN: usize = 1;

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It is not a row of numbers with units, or its units stand out of order.
    #[error(
        "`{0}` is not a duration: whole numbers with d, h, m, s or ms are expected, largest first, as in \"15m\" or \"1h30m\""
    )]
    Malformed(String),
    /// It has more milliseconds than 64 bits count.
    #[error("`{0}` is too long a duration")]
    TooLong(String),
}

/// Reads a duration: whole numbers, each with a unit (`d`, `h`, `m`, `s`, `ms`), largest unit
/// first, each unit at most once.
///
/// # Errors
/// [`DurationError`] when the text is anything else, or longer than 64 bits of milliseconds.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let malformed = || DurationError::Malformed(text.to_owned());
    let too_long = || DurationError::TooLong(text.to_owned());
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let (digits, after) = split_where(rest, |c| !c.is_ascii_digit());
        let (unit, after) = split_where(after, |c| c.is_ascii_digit());
        let (_, in_millis) = units
            .find(|(name, _)| *name == unit)
            .ok_or_else(malformed)?;
        if digits.is_empty() {
            return Err(malformed());
        }
        // Only digits are left, so the one way to fail is that they are too many.
        let number: u64 = digits.parse().map_err(|_| too_long())?;
        let part = number.checked_mul(*in_millis).ok_or_else(too_long)?;
        millis = millis.checked_add(part).ok_or_else(too_long)?;
        rest = after;
    }
    if text.is_empty() {
        return Err(malformed());
    }
    Ok(Duration::from_millis(millis))
}

/// Writes a duration as [`parse`] reads it, to the millisecond: `1h30m`, `24h`, `0s`.
pub fn format(duration: Duration) -> String {
    let mut rest = crate::time::millis(duration);
    let mut text = String::new();
    for (unit, in_millis) in &UNITS[LARGEST_WRITTEN..] {
        let count = rest / in_millis;
        rest %= in_millis;
        if count > 0 {
            write!(text, "{count}{unit}").expect("a String takes all that is written to it");
        }
    }
    if text.is_empty() {
        return "0s".to_owned();
    }
    text
}

fn split_where(text: &str, at: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(at).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_duration_is_numbers_with_units() {
        for (text, millis) in [
            ("0s", 0),
            ("0ms", 0),
            ("500ms", 500),
            ("90s", 90_000),
            ("15m", 900_000),
            ("1h30m", 5_400_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("24h", 86_400_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_duration() {
        for bad in [
            "", "5", "s", "-1s", "1.5h", "1 h", "15M", "30m1h", "1h1h", "1h30", "5 min", "1w",
            "1hm", "١s",
        ] {
            assert_eq!(parse(bad), Err(DurationError::Malformed(bad.to_owned())));
        }
        for long in ["99999999999999999999s", "9999999999999999999d"] {
            assert_eq!(parse(long), Err(DurationError::TooLong(long.to_owned())));
        }
    }

    #[test]
    fn a_duration_is_written_in_its_largest_units() {
        for text in ["0s", "500ms", "1s500ms", "15m", "1h30m", "24h", "100h"] {
            assert_eq!(format(parse(text).unwrap()), text);
        }
        assert_eq!(format(Duration::from_secs(90)), "1m30s");
    }

    proptest! {
        #[test]
        fn any_duration_reads_back_what_it_writes(millis: u64) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*|[0-9dhms]*") {
            parse(&text).ok();
        }
    }
}
