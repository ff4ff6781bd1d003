//! What a rollout costs the coordinator, and how long its store takes to make a record durable.

use cofferdam_coordinator::store::{Record, SledStore, Store as _};
use cofferdam_tests::{
    figures::{self, Figures, micros, quantile},
    fleet::Fleet,
    machine::Machine,
    rollout::{self, CANARY_FIRST},
    usage,
};
use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// As many agents as the end-to-end test has.
const HOSTS: u16 = 100;

/// Single commits that are timed.
const COMMITS: usize = 2000;

/// About the size of what a report adds to the log.
const RECORD_BYTES: usize = 256;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut figures = Figures::default();
    figures.note("cpu_us_per_host", processor_time_a_host().await);
    fs::create_dir_all(figures::folder()).expect("a folder for figures");
    let folder = TempDir::new_in(figures::folder()).expect("a folder on the disk of the build");
    let mut appends = appends(folder.path()).await;
    figures.note("append_p50_us", quantile(&mut appends, 0.5));
    figures.note("append_p99_us", quantile(&mut appends, 0.99));
    let mut floor = bare_syncs(folder.path());
    figures.note("fdatasync_p50_us", quantile(&mut floor, 0.5));
    figures.note("fdatasync_p99_us", quantile(&mut floor, 0.99));
    figures.publish("coordinator");
}

/// One whole rollout that changes nothing, from plan to end, sessions being open already.
async fn processor_time_a_host() -> f64 {
    let mut fleet = Fleet::start(Machine::several(HOSTS.into())).await;
    let coordinator = fleet.coordinator().id();
    let before = usage::processor_time(coordinator);
    let text = rollout::noop("bench", "") + CANARY_FIRST;
    let rollout = fleet.start_rollout("bench", &text).await;
    fleet.end_of(&rollout, Duration::from_secs(120)).await;
    let spent = usage::processor_time(coordinator) - before;
    fleet.finish();
    micros(spent) / f64::from(HOSTS)
}

async fn appends(folder: &Path) -> Vec<f64> {
    let mut store = SledStore::open(&folder.join("store")).expect("an empty folder");
    store.load().await.expect("an empty store");
    let mut times = Vec::with_capacity(COMMITS);
    for _ in 0..COMMITS {
        let record = Record(vec![b'x'; RECORD_BYTES]);
        let start = Instant::now();
        store.append(vec![record]).await.expect("room on the disk");
        times.push(micros(start.elapsed()));
    }
    times
}

/// The floor: a bare file on the same disk, in the same run.
fn bare_syncs(folder: &Path) -> Vec<f64> {
    let mut file = File::create(folder.join("bare")).expect("room on the disk");
    let mut times = Vec::with_capacity(COMMITS);
    for _ in 0..COMMITS {
        let start = Instant::now();
        file.write_all(&[b'x'; RECORD_BYTES])
            .expect("room on the disk");
        file.sync_data().expect("a disk that syncs");
        times.push(micros(start.elapsed()));
    }
    times
}
