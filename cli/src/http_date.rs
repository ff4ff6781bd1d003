//! The date that HTTP peers put on every answer, as in `Sun, 06 Nov 1994 08:49:37 GMT`
//! (RFC 9110, section 5.6.7).

use time::{Date, Month, PrimitiveDateTime, Time};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Whole seconds since 1970. Nothing when the text is no such date.
pub fn parse(text: &str) -> Option<u64> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [_weekday, day, month, year, clock, "GMT"] = words[..] else {
        return None;
    };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    let mut parts = clock.split(':').map(str::parse);
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let time = Time::from_hms(hour.ok()?, minute.ok()?, second.ok()?).ok()?;
    let moment = PrimitiveDateTime::new(date, time).assume_utc();
    u64::try_from(moment.unix_timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_the_standard_is_read() {
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
    }

    #[test]
    fn anything_else_is_no_date() {
        for bad in [
            "",
            "now",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 31 Feb 2026 00:00:00 GMT",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
