//! How long a rehearsal takes, and how its cost a host grows with the fleet.

use cofferdam_engine::{
    calendar::Calendar,
    inventory::Host,
    modelled_fleet::{self, Generated},
    rehearse::{Rehearsal, made_up, scenario::Scenario},
    services::Services,
    spec::Spec,
};
use cofferdam_tests::figures::Figures;
use std::time::Instant;

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

fn main() {
    let mut figures = Figures::default();
    let (small, large) = (rehearse(1_000), rehearse(25_000));
    figures.note("rehearse_1000_s", small);
    figures.note("rehearse_25000_s", large);
    figures.note("rehearse_25000_to_1000_a_host_ratio", large / 25.0 / small);
    figures.publish("rehearse");
}

/// How long a rehearsal of so many hosts takes, in seconds.
fn rehearse(count: u32) -> f64 {
    let fleet = modelled_fleet::generate(&Generated {
        hosts: usize::try_from(count).expect("a usize holds 32 bits"),
        regions: 12,
        seed: 1,
    });
    let hosts: Vec<Host> = fleet.hosts().collect();
    let spec = Spec::parse("bench.toml", SPEC).expect("a good rollout file");
    let lock = made_up::lock_file(&spec, &hosts).expect("bits for practice");
    let rehearsal = Rehearsal {
        spec: &spec,
        lock: &lock,
        hosts: &hosts,
        package_sets: &fleet.package_sets(),
        services: &Services::default(),
        calendar: &Calendar::default(),
        scenario: &Scenario::default(),
        seed: 1,
    };
    let began = Instant::now();
    let report = rehearsal.play().expect("a plan");
    let took = began.elapsed();
    assert_eq!(report.patched, report.planned, "everybody is patched");
    took.as_secs_f64()
}
