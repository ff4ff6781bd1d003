//! The memory that is there for new work, by the kernel's own estimate.

use super::settings::{part, percent};
use crate::checks::verdict::{Limit, Measure, Reading, Verdict};
use cofferdam_engine::share::Share;
use std::fs;

const NAME: &str = "memory-available";
const FILE: &str = "/proc/meminfo";

/// Reads how much memory is available.
pub(super) fn read(least: Share) -> Reading {
    let unknown = |why: &str| Reading::new(NAME, Verdict::NoData, why);
    match fs::read_to_string(FILE).map(|text| available(&text)) {
        Ok(Some(share)) => {
            let measure = Measure::new(share, "%", Limit::AtLeast(percent(least)));
            Reading::measured(NAME, measure, "")
        }
        Ok(None) => unknown(&format!("{FILE} is not understood")),
        Err(error) => unknown(&format!("{FILE}: {error}")),
    }
}

/// The share of all memory that is available, in percent, by `/proc/meminfo`. Absent: it does not say.
pub(super) fn available(text: &str) -> Option<f64> {
    part(kib(text, "MemAvailable:")?, kib(text, "MemTotal:")?)
}

fn kib(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of `/proc/meminfo` on Linux 6.18 with 24 GiB.
    const SAMPLE: &str = "\
MemTotal:       24683656 kB
MemFree:        10788916 kB
MemAvailable:   22087072 kB
Buffers:           49168 kB
";

    #[test]
    fn what_is_available_is_a_share_of_all() {
        for (text, share) in [
            (SAMPLE.to_owned(), Some(89.4)),
            (SAMPLE.replace("22087072", "0"), Some(0.0)),
            (SAMPLE.replace("24683656", "0"), None),
            (SAMPLE.replace("MemAvailable", "MemUnavailable"), None),
            (SAMPLE.replace("22087072", "99999999999999999999999"), None),
            (SAMPLE.replace("22087072", &u64::MAX.to_string()), None),
            (SAMPLE.replace(" kB", ""), None),
            ("MemTotal:\nMemAvailable:".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(available(&text), share, "{text}");
        }
    }

    #[test]
    fn this_machine_says_its_memory() {
        assert_eq!(read(Share::NONE).verdict, Verdict::Pass);
        assert_eq!(read(Share::ALL).verdict, Verdict::Fail);
    }
}
