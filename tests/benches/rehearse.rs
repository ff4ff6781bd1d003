//! How long a rehearsal takes, how its cost a host grows with the fleet, and how far the rollout of the
//! 25,000-host story is above the bound that its limits set. With `COFFERDAM_SOAK=1` a million hosts, too,
//! and what a million hosts leave for a person under the mix of faults. Fails when a figure is above its limit.

use cofferdam_engine::{
    calendar::Calendar,
    inventory::Host,
    modelled_fleet::{self, Generated},
    rehearse::{Rehearsal, made_up, report::Report, scenario::Scenario},
    services::Services,
    spec::Spec,
};
use cofferdam_tests::{figures::Figures, size::Size, usage};
use std::{process, time::Instant};

const SPEC: &str = r#"
name = "bench"
[patch]
kind = "noop"
[select]
match = 'service != "none"'
[[wave]]
name = "canary"
to = "1%"
[[wave]]
name = "full"
to = "100%"
"#;

const STORY: &str = include_str!("../../engine/scenarios/story/rollout.toml");
const STORY_TIMES: &str = include_str!("../../engine/scenarios/story/faults.toml");

const MIX: &str = include_str!("../../engine/scenarios/mix.toml");

fn main() {
    let mut figures = Figures::default();
    let usual = Scenario::default();
    let (_, small) = rehearse_whole(1_000, SPEC, &usual);
    let (_, large) = rehearse_whole(25_000, SPEC, &usual);
    figures.note("rehearse_1000_s", small);
    figures.limit("rehearse_25000_s", large, 3.0);
    figures.limit(
        "rehearse_25000_to_1000_a_host_ratio",
        large / 25.0 / small,
        1.5,
    );
    figures.limit("rehearse_25000_peak_mb", peak_mb(), 500.0);
    let times = Scenario::parse("faults.toml", STORY_TIMES).expect("a good file of faults");
    let (story, took) = rehearse_whole(25_000, STORY, &times);
    let over = story.overhead_permille().expect("the story's rollout ends");
    let over = u32::try_from(over).expect("it takes less than a million times as long");
    figures.note("rehearse_story_s", took);
    figures.limit(
        "rehearse_story_overhead_ratio",
        f64::from(over) / 1000.0,
        0.02,
    );
    if Size::asked() == Size::Soak {
        million(&mut figures, small, &usual);
    }
    figures.publish("rehearse");
}

/// A million hosts: what they cost, and what they leave for a person where things go wrong.
fn million(figures: &mut Figures, small: f64, usual: &Scenario) {
    let (_, largest) = rehearse_whole(1_000_000, SPEC, usual);
    figures.limit("rehearse_1000000_s", largest, 120.0);
    figures.limit(
        "rehearse_1000000_to_1000_a_host_ratio",
        largest / 1000.0 / small,
        1.5,
    );
    figures.limit("rehearse_1000000_peak_mb", peak_mb(), 6000.0);
    let mix = Scenario::parse("mix.toml", MIX).expect("a good file of faults");
    let (mixed, took) = rehearse(1_000_000, SPEC, &mix);
    assert_eq!(mixed.broken, Vec::<String>::new(), "every promise is kept");
    let count = |number: usize| f64::from(u32::try_from(number).expect("at most a million"));
    let unpatched = count(mixed.planned - mixed.patched) / count(mixed.planned);
    figures.note("rehearse_1000000_mix_s", took);
    figures.limit(
        "rehearse_1000000_mix_unpatched_percent",
        unpatched * 100.0,
        0.06,
    );
    figures.limit("rehearse_1000000_mix_left", count(mixed.left.len()), 9.0);
}

/// The most memory that this process ever had, in megabytes.
fn peak_mb() -> f64 {
    usage::status(process::id(), "VmHWM") / 1024.0
}

/// The same where nothing goes wrong, so that everybody is patched.
fn rehearse_whole(count: u32, rollout: &str, scenario: &Scenario) -> (Report, f64) {
    let (report, took) = rehearse(count, rollout, scenario);
    assert_eq!(report.patched, report.planned, "everybody is patched");
    (report, took)
}

/// What a rollout over so many hosts comes to, and how long its rehearsal takes, in seconds.
fn rehearse(count: u32, rollout: &str, scenario: &Scenario) -> (Report, f64) {
    let fleet = modelled_fleet::generate(&Generated {
        hosts: usize::try_from(count).expect("a usize holds 32 bits"),
        regions: 12,
        seed: 1,
    });
    let hosts: Vec<Host> = fleet.hosts().collect();
    let spec = Spec::parse("bench.toml", rollout).expect("a good rollout file");
    let lock = made_up::lock_file(&spec, &hosts).expect("bits that can be made up");
    let rehearsal = Rehearsal {
        spec: &spec,
        lock: &lock,
        hosts: &hosts,
        package_sets: &fleet.package_sets(),
        services: &Services::default(),
        calendar: &Calendar::default(),
        scenario,
        seed: 1,
    };
    let began = Instant::now();
    let report = rehearsal.play().expect("a plan");
    (report, began.elapsed().as_secs_f64())
}
