//! How long `cofferdam rehearse` takes, as who calls it waits for it: the files that it reads, the rehearsal with
//! its checks, the one without coordination, and what it prints. How its cost a host grows with the fleet, and how
//! far the rollout of the 25,000-host story is above the bound that its limits set, and how much of it is
//! coordination. With `COFFERDAM_SOAK=1` a million hosts, too, and what a million hosts leave for a person under
//! the mix of faults. Fails when a figure is above its limit. Of the whole command the rehearsal alone is told as a
//! phase of its own, played in this process.

use cofferdam_engine::{
    calendar::Calendar,
    inventory::Host,
    modelled_fleet::{self, Generated},
    rehearse::{Rehearsal, made_up, scenario::Scenario},
    services::Services,
    spec::Spec,
};
use cofferdam_tests::{figures::Figures, process::binary, size::Size, usage};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

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

/// How often it is looked at how much memory the command has.
const LOOK: Duration = Duration::from_millis(20);

fn main() {
    let folder = tempfile::tempdir().expect("a folder for files");
    let bench = Bench {
        folder: folder.path(),
    };
    let mut figures = Figures::default();
    let small = bench.rehearse(1_000, SPEC, None);
    let large = bench.rehearse(25_000, SPEC, None);
    figures.note("rehearse_1000_s", small.seconds);
    figures.limit("rehearse_25000_s", large.seconds, 3.0);
    figures.note("rehearse_25000_play_alone_s", played_alone(25_000));
    figures.limit(
        "rehearse_25000_to_1000_a_host_ratio",
        large.seconds / 25.0 / small.seconds,
        1.5,
    );
    figures.limit("rehearse_25000_peak_mb", large.peak_mb, 500.0);
    let story = bench.rehearse(25_000, STORY, Some(STORY_TIMES));
    figures.note("rehearse_story_s", story.seconds);
    figures.limit(
        "rehearse_story_overhead_ratio",
        story.number("overhead_permille") / 1000.0,
        0.02,
    );
    // The story had 50 % of it: with what it takes as measured it is to be lost among the runs.
    figures.limit(
        "rehearse_story_coordination_ratio",
        story.number("coordination_permille") / 1000.0,
        0.02,
    );
    if Size::asked() == Size::Soak {
        million(&bench, &mut figures, small.seconds);
    }
    figures.publish("rehearse");
}

/// A million hosts: what they cost, and what they leave for a person where things go wrong.
fn million(bench: &Bench<'_>, figures: &mut Figures, small: f64) {
    let largest = bench.rehearse(1_000_000, SPEC, None);
    figures.limit("rehearse_1000000_s", largest.seconds, 120.0);
    figures.limit(
        "rehearse_1000000_to_1000_a_host_ratio",
        largest.seconds / 1000.0 / small,
        1.5,
    );
    figures.limit("rehearse_1000000_peak_mb", largest.peak_mb, 6000.0);
    let mixed = bench.rehearse(1_000_000, SPEC, Some(MIX));
    let planned = mixed.number("planned");
    let unpatched = (planned - mixed.number("patched")) / planned;
    figures.note("rehearse_1000000_mix_s", mixed.seconds);
    figures.limit(
        "rehearse_1000000_mix_unpatched_percent",
        unpatched * 100.0,
        0.06,
    );
    figures.limit("rehearse_1000000_mix_left", mixed.number("hands"), 9.0);
}

/// The command, and the files that it reads.
struct Bench<'f> {
    folder: &'f Path,
}

/// What the command came to.
struct Run {
    seconds: f64,
    peak_mb: f64,
    report: Value,
}

impl Bench<'_> {
    /// Rehearses a rollout over so many hosts. Without faults everybody must be patched.
    fn rehearse(&self, hosts: u32, rollout: &str, faults: Option<&str>) -> Run {
        let fleet = modelled_fleet::generate(&generated(hosts));
        let files = [
            ("fleet.toml", fleet.to_string()),
            ("rollout.toml", rollout.to_owned()),
            ("faults.toml", faults.unwrap_or_default().to_owned()),
        ];
        for (name, text) in files {
            fs::write(self.folder.join(name), text).expect("a file to read");
        }
        let line = "rehearse rollout.toml --fleet fleet.toml --faults faults.toml -o json";
        let out = fs::File::create(self.folder.join("report.json")).expect("a file to print into");
        let began = Instant::now();
        let mut command = Command::new(binary("cofferdam"))
            .args(line.split(' '))
            .current_dir(self.folder)
            .stdout(Stdio::from(out))
            .spawn()
            .expect("the built command");
        let process = command.id();
        // Beside the clock, which stops when the command ends.
        let looks = thread::spawn(move || {
            let mut peak_mb: f64 = 0.0;
            while let Some(kb) = usage::peak_kb(process) {
                peak_mb = peak_mb.max(kb / 1024.0);
                thread::sleep(LOOK);
            }
            peak_mb
        });
        let exit = command.wait().expect("a command that was started");
        let seconds = began.elapsed().as_secs_f64();
        let peak_mb = looks.join().expect("it only looks");
        assert!(
            exit.success(),
            "{exit}: a promise was broken, or it stood still"
        );
        let report = fs::read(self.folder.join("report.json")).expect("what it printed");
        let report = serde_json::from_slice(&report).expect("JSON");
        let run = Run {
            seconds,
            peak_mb,
            report,
        };
        if faults.is_none() {
            let (patched, planned) = (run.number("patched"), run.number("planned"));
            assert!(patched >= planned, "{patched} of {planned} are patched");
        }
        run
    }
}

impl Run {
    /// A number of its report.
    fn number(&self, key: &str) -> f64 {
        let value = self.report.get(key).and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("no number {key} in the report"))
    }
}

fn generated(hosts: u32) -> Generated {
    Generated {
        hosts: usize::try_from(hosts).expect("a usize holds 32 bits"),
        regions: 12,
        seed: 1,
    }
}

/// How long the rehearsal of so many hosts takes by itself, with its checks, in seconds.
fn played_alone(hosts: u32) -> f64 {
    let fleet = modelled_fleet::generate(&generated(hosts));
    let hosts: Vec<Host> = fleet.hosts().collect();
    let spec = Spec::parse("bench.toml", SPEC).expect("a good rollout file");
    let lock = made_up::lock_file(&spec, &hosts).expect("bits that can be made up");
    let rehearsal = Rehearsal {
        spec: &spec,
        lock: &lock,
        hosts: &hosts,
        beginning: &fleet.beginning(),
        package_sets: &fleet.package_sets(),
        services: &Services::default(),
        calendar: &Calendar::default(),
        scenario: &Scenario::default(),
        seed: 1,
    };
    let began = Instant::now();
    let report = rehearsal.play().expect("a plan");
    assert_eq!(report.broken, Vec::<String>::new(), "every promise is kept");
    began.elapsed().as_secs_f64()
}
