//! What a rollout costs the coordinator, and how long its store takes to make a record durable.

use cofferdam_coordinator::{
    store::{Record, SledStore, Store as _},
    write_checkpoint,
};
use cofferdam_proto::operator::CordRequest;
use cofferdam_tests::{
    figures::{self, Figures, micros, millis, quantile},
    fleet::Fleet,
    machine::Machine,
    on_paper::{ONE_WAVE, OnPaper, inventory, plan},
    rollout::{self, ALL_AT_ONCE, CANARY_FIRST},
    sealing,
    swarm::Swarm,
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

/// Agents that the cord is to reach within a second.
const SESSIONS: usize = 1000;

/// Hosts whose state is to be served within two seconds of a restart, and how many of them are patched.
const MANY_HOSTS: usize = 19_000;
const PATCHED: usize = 250;

/// Single commits that are timed.
const COMMITS: usize = 2000;

/// About the size of what a report adds to the log.
const RECORD_BYTES: usize = 256;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut figures = Figures::default();
    figures.note("cpu_us_per_host", processor_time_a_host().await);
    figures.limit(
        "cord_1000_agents_ms",
        cord_to_the_last_agent().await,
        1000.0,
    );
    figures.limit(
        "restart_19000_hosts_ms",
        restart_to_the_first_answer().await,
        2000.0,
    );
    fs::create_dir_all(figures::folder()).expect("a folder for figures");
    let folder = TempDir::new_in(figures::folder()).expect("a folder on the disk of the build");
    let sealing = sealing::measure(&folder.path().join("pki"));
    figures.note("seals_per_s", 1.0 / sealing.sign.as_secs_f64());
    figures.note("seal_500_hosts_us", micros(sealing.sign));
    figures.note("check_order_us", micros(sealing.check));
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

/// From the call to when the last of many agents has got the stop, each with an order that it has not begun.
async fn cord_to_the_last_agent() -> f64 {
    let machines = Machine::several(SESSIONS);
    let mut fleet = Fleet::enrol(machines.clone());
    fleet.start_coordinator(None);
    let operator = fleet.operator().await;
    let mut swarm = Swarm::open(&fleet.site, &machines).await;
    let more = format!("coverage = [\"region\"]\ncells_at_once = {SESSIONS}\n");
    let text = rollout::noop("cord", &more).replace("\"50%\"", "\"0%\"") + ALL_AT_ONCE;
    fleet.start_rollout("cord", &text).await;
    swarm.ordered().await;
    let reason = "measured".to_owned();
    let pulled_at = Instant::now();
    let pull = operator.pull_cord(CordRequest { reason });
    let (pulled, last) = tokio::join!(pull, swarm.stopped());
    pulled.expect("an operator may pull it");
    millis(last - pulled_at)
}

/// From the start of the process to its first answer, with the state of many hosts in mid-rollout.
async fn restart_to_the_first_answer() -> f64 {
    let hosts = inventory(MANY_HOSTS, 500);
    let mut paper = OnPaper::new(&hosts);
    let planned = plan(&hosts, paper.fleet().homes(), ONE_WAVE);
    paper.start(planned);
    paper.run_until_ended(PATCHED);
    let mut fleet = Fleet::enrol(Vec::new());
    let folder = fleet.site.coordinator_data().join("store");
    fs::create_dir_all(&folder).expect("a folder for the store");
    let mut store = SledStore::open(&folder).expect("an empty folder");
    store.load().await.expect("an empty store");
    // A checkpoint stands in place of records, which it covers: without one none is made.
    let covered = vec![Record(b"covered".to_vec())];
    store.append(covered).await.expect("room on the disk");
    let state = write_checkpoint(paper.now(), paper.fleet());
    store.checkpoint(state).await.expect("room on the disk");
    drop(store);

    let started_at = Instant::now();
    fleet.start_coordinator(None);
    let operator = fleet.operator().await;
    let answer = operator.describe().await.expect("an answer");
    let took = millis(started_at.elapsed());
    assert_eq!(answer.0.hosts, MANY_HOSTS as u64);
    took
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
