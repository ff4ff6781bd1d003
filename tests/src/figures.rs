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
pub struct Figures(BTreeMap<&'static str, f64>);

impl Figures {
    /// Notes a figure; its name ends in its unit.
    pub fn note(&mut self, name: &'static str, value: f64) {
        self.0.insert(name, (value * 100.0).round() / 100.0);
    }

    /// Writes `target/bench/NAME.json` and prints the table.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn publish(&self, name: &str) {
        let folder = folder();
        fs::create_dir_all(&folder).expect("a folder for figures");
        let path = folder.join(format!("{name}.json"));
        let json = serde_json::to_string_pretty(&self.0).expect("names and numbers");
        fs::write(&path, json + "\n").expect("a file for figures");
        eprintln!("{name}");
        for (name, value) in &self.0 {
            eprintln!("  {name:<28} {value:>12}");
        }
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
