//! The load: how many tasks run or wait, a core.

use crate::checks::verdict::{Limit, Measure, Reading, Verdict};
use std::{fs, thread};

const NAME: &str = "load";
const FILE: &str = "/proc/loadavg";

/// Reads the load of the last minute.
pub(super) fn read(most: u32) -> Reading {
    let unknown = |why: &str| Reading::new(NAME, Verdict::NoData, why);
    let text = match fs::read_to_string(FILE) {
        Ok(text) => text,
        Err(error) => return unknown(&format!("{FILE}: {error}")),
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    match per_core(&text, cores) {
        Some(load) => judge(load, most),
        None => unknown(&format!("{FILE} is not understood")),
    }
}

fn judge(load: f64, most: u32) -> Reading {
    let measure = Measure::new(load, "per core", Limit::AtMost(most.into()));
    Reading::measured(NAME, measure, "")
}

/// The load of the last minute a core, to two decimals, by `/proc/loadavg`. Absent: it says none.
pub(super) fn per_core(text: &str, cores: usize) -> Option<f64> {
    let load: f64 = text.split_whitespace().next()?.parse().ok()?;
    let cores = u32::try_from(cores.max(1)).ok()?;
    let per_core = load / f64::from(cores);
    let is_load = per_core.is_finite() && per_core >= 0.0;
    is_load.then(|| (per_core * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_of_the_last_minute_counts_a_core() {
        for (text, cores, load) in [
            // Linux 6.18, while a compiler ran.
            ("8.59 7.14 6.00 12/152 19788\n", 2, Some(4.3)),
            ("0.00 0.01 0.05 1/80 7\n", 64, Some(0.0)),
            ("100000.00 1 1 1/1 1\n", 1, Some(100_000.0)),
            ("", 2, None),
            ("x 7.14", 2, None),
            ("nan 1 1", 2, None),
            ("inf 1 1", 2, None),
            ("-1 1 1", 2, None),
            ("1e400 1 1", 2, None),
            ("\u{0}\u{ffff}", 0, None),
        ] {
            assert_eq!(per_core(text, cores), load, "{text:?}");
        }
    }

    #[test]
    fn only_more_than_the_most_fails() {
        assert_eq!(judge(8.0, 8).verdict, Verdict::Pass);
        assert_eq!(
            judge(8.01, 8).to_string(),
            "load: fail: 8.01 per core, at most 8 per core"
        );
    }

    #[test]
    fn this_machine_says_its_load() {
        assert_eq!(read(u32::MAX).verdict, Verdict::Pass);
    }
}
