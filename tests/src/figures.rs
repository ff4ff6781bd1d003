//! What a benchmark measured: a flat JSON file for machines, a table for people.

use crate::process::built;
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// The figures of one benchmark: name with its unit, and value.
#[derive(Debug, Default)]
pub struct Figures {
    values: BTreeMap<&'static str, f64>,
    /// What no figure may be above, of those that have a limit.
    limits: BTreeMap<&'static str, f64>,
}

impl Figures {
    /// Notes a figure; its name ends in its unit.
    pub fn note(&mut self, name: &'static str, value: f64) {
        self.values.insert(name, (value * 1000.0).round() / 1000.0);
    }

    /// Notes a figure that is to be at most so much.
    pub fn limit(&mut self, name: &'static str, value: f64, most: f64) {
        self.note(name, value);
        self.limits.insert(name, most);
    }

    /// Writes `target/bench/NAME.json` and prints the table.
    ///
    /// # Panics
    /// When the file cannot be written, and, once it is, when a figure is above its limit.
    pub fn publish(&self, name: &str) {
        let folder = folder();
        fs::create_dir_all(&folder).expect("a folder for figures");
        let path = folder.join(format!("{name}.json"));
        let json = serde_json::to_string_pretty(&self.values).expect("names and numbers");
        fs::write(&path, json + "\n").expect("a file for figures");
        eprintln!("{name}");
        let mut broken = Vec::new();
        for (name, value) in &self.values {
            let limit = self.limits.get(name);
            let most = limit.map_or_else(String::new, |most| format!("at most {most}"));
            eprintln!("  {name:<36} {value:>12} {most}");
            broken.extend(limit.filter(|most| value > most).map(|_| *name));
        }
        assert!(
            broken.is_empty(),
            "above their limits: {}",
            broken.join(", ")
        );
    }
}

/// Where figures and the binaries that they are of stand.
pub fn folder() -> PathBuf {
    let profile = built("");
    let target = profile.parent().expect("cargo builds into target/PROFILE");
    target.join("bench")
}

/// How long one call takes, as the median of `rounds`.
pub fn median(rounds: usize, mut call: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[rounds / 2]
}

/// The value below which `share` of them lie, in order of size. `share` is from 0 to 1.
///
/// # Panics
/// When there are none.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a length is a place in it"
    )]
    let place = ((values.len() - 1) as f64 * share) as usize;
    values[place]
}

/// A duration in microseconds.
pub fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// A duration in milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
