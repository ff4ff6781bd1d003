//! Tables and lines in one look: columns two spaces apart, headings in capitals, no frames.

use cofferdam_engine::{duration, time::Timestamp};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use std::time::Duration;

/// A table, with a line end after each row. Nothing when there are no rows.
pub fn table<const N: usize>(headings: [&str; N], rows: Vec<[String; N]>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings.map(str::to_uppercase));
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

/// The text with each line moved in by two spaces.
pub fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// A duration without what people do not look at: `850ms`, `12s`, `3m10s`, `2h5m`, `99h`.
pub fn short(duration: Duration) -> String {
    let whole = match duration.as_secs() {
        0 => duration,
        secs @ 1..3600 => Duration::from_secs(secs),
        secs @ 3600..86_400 => Duration::from_secs(secs / 60 * 60),
        secs => Duration::from_secs(secs / 3600 * 3600),
    };
    duration::format(whole)
}

/// How long ago a moment was.
pub fn ago(moment: Timestamp, now: Timestamp) -> String {
    format!("{} ago", short(now.since(moment)))
}

/// A number of things: `1 wave`, `3 waves`.
pub fn counted(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// The first characters of a digest: enough to tell two apart by eye.
pub fn brief(digest: impl std::fmt::Display) -> String {
    digest.to_string().chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_need_and_lines_end_without_spaces() {
        let rows = vec![
            ["a-1".to_owned(), "yes".to_owned()],
            ["a-longer-one".to_owned(), String::new()],
        ];
        assert_eq!(
            table(["host", "in service"], rows),
            "HOST          IN SERVICE\na-1           yes\na-longer-one\n"
        );
    }

    #[test]
    fn a_table_without_rows_is_nothing() {
        assert_eq!(table(["host"], Vec::new()), "");
    }

    #[test]
    fn one_thing_is_not_many() {
        let cases = [(0, "0 waves"), (1, "1 wave"), (2, "2 waves")];
        for (number, text) in cases {
            assert_eq!(counted(number, "wave"), text);
        }
    }

    #[test]
    fn a_duration_keeps_its_two_largest_units() {
        let cases = [
            (0, "0s"),
            (850, "850ms"),
            (12_345, "12s"),
            (190_999, "3m10s"),
            (7_505_000, "2h5m"),
            (356_461_000, "99h"),
        ];
        for (ms, text) in cases {
            assert_eq!(short(Duration::from_millis(ms)), text);
        }
    }
}
