//! How long the engine takes: one decision of a full cell in the middle of a wave, and the plan of
//! a fleet of 25,000.

use cofferdam_tests::{
    figures::{Figures, median, micros, millis},
    on_paper::{ONE_WAVE, OnPaper, THREE_WAVES, cells_of, inventory, plan},
};
use std::{hint::black_box, time::Instant};

fn main() {
    let mut figures = Figures::default();
    figures.limit("cell_500_decide_us", cell_of_500(), 100.0);
    figures.limit("cell_500_event_us", event_of_500(), 10.0);
    figures.limit("plan_25000_ms", plan_of_25_000(), 200.0);
    figures.publish("engine");
}

fn plan_of_25_000() -> f64 {
    let hosts = inventory(25_000, 500);
    // Hosts have their cells from when they connect.
    let cells = cells_of(&hosts);
    millis(median(5, || {
        black_box(plan(&hosts, &cells, THREE_WAVES));
    }))
}

/// One cell of 500, half of it patched and as many out as its pace allows.
fn cell_of_500() -> f64 {
    let hosts = inventory(500, 500);
    let mut bench = OnPaper::new(&hosts);
    let planned = plan(&hosts, bench.fleet().homes(), ONE_WAVE);
    bench.start(planned);
    bench.run_until_ended(250);
    let cell = bench.fleet().cells().values().next().expect("one cell");
    micros(median(1001, || {
        drop(black_box(cell.decide(bench.now())));
    }))
}

/// What an event costs a cell of 500, decisions included, over a whole wave in which each round of
/// decisions follows what all its agents said since the one before, as in the driver's batches.
fn event_of_500() -> f64 {
    let hosts = inventory(500, 500);
    let mut bench = OnPaper::new(&hosts);
    let planned = plan(&hosts, bench.fleet().homes(), ONE_WAVE);
    bench.start(planned);
    let before = bench.applied();
    let began = Instant::now();
    bench.run_until_ended(500);
    let took = began.elapsed();
    let events = u32::try_from(bench.applied() - before).expect("a count of events fits");
    micros(took / events)
}
