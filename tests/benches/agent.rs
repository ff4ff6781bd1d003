//! What an agent costs its host: memory, threads, size, and processor time while nothing happens. The
//! host is a real one, sealed, with a guard that enforces; where none can run, its figures are left out.
//! The responder is measured with an application that has large pages to show, and without.

use cofferdam_tests::{
    figures::{Figures, millis},
    fleet::Fleet,
    machine::Machine,
    patience::eventually,
    process::{Process, binary, run},
    real_fleet::RealFleet,
    responder, usage,
};
use std::{
    fs,
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};

/// How long idleness is watched: some of what an agent does by itself, it does by the minute.
const IDLE: Duration = Duration::from_secs(300);

/// What an agent does after its start and after its first minute is over by then.
const SETTLED: Duration = Duration::from_secs(70);

/// How often it is looked meanwhile how many threads there are: some live for ten seconds only.
const LOOK_EVERY: Duration = Duration::from_millis(1100);

/// How often a responder is asked, and the application with it, before its memory is measured.
const ROUNDS: usize = 8;

/// How long the responder's is: it does nothing by itself.
const RESPONDER_IDLE: Duration = Duration::from_secs(30);

/// Starts are measured this often; the median counts.
const STARTS: usize = 9;

/// Questions to the responder: what some load balancers ask in a minute.
const QUESTIONS: u32 = 500;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut figures = Figures::default();
    on_a_real_host(&mut figures).await;
    let mut fleet = Fleet::start(Machine::several(1)).await;
    start_to_connected(&mut figures, &mut fleet).await;
    start_to_health(&mut figures, &fleet);
    responders(&mut figures, &fleet).await;
    figures.limit("binary_bytes", size("cofferdam-agent"), 10e6);
    figures.note("responder_binary_bytes", size("cofferdam-health"));
    fleet.finish();
    figures.publish("agent");
}

/// An agent at rest that has all to look after that it can have: a sealed image, every channel of
/// upgrades, a coordinator.
async fn on_a_real_host(figures: &mut Figures) {
    let Some(fleet) = RealFleet::boot(Machine::several(1)).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    let mut seal = Command::new(binary("cofferdam-agent"));
    seal.args(["seal", "--root"]).arg(host.root());
    let (code, printed) = run(seal);
    assert_eq!(code, 0, "{printed}");
    fleet.manage().await.expect("an agent and a coordinator");
    let guard = "printf '\\n[guard]\\nmode = \"enforce\"\\n' >>/etc/cofferdam/agent.toml && \
                 cofferdam-agent guard install && systemctl restart cofferdam-agent";
    host.run(guard).await.expect("a host that is on").well();
    eventually("a guard in control", Duration::from_secs(20), async || {
        let status = host.run("cofferdam-agent guard status").await;
        let status = status.expect("a host that is on").printed;
        let says = |part| status.contains(part);
        let is_there =
            says("mode      enforce") && says("agent     runs") && says("control   all ");
        is_there.then_some(()).ok_or(status)
    })
    .await;
    let agent = host.process("cofferdam-agent").expect("an agent");
    idle(figures, agent).await;
}

async fn idle(figures: &mut Figures, agent: u32) {
    // What it does right after its start is not idleness.
    tokio::time::sleep(SETTLED).await;
    let (before, written) = (usage::processor_time(agent), usage::written(agent));
    let mut threads = 0.0_f64;
    let end = Instant::now() + IDLE;
    while Instant::now() < end {
        tokio::time::sleep(LOOK_EVERY).await;
        threads = threads.max(usage::status(agent, "Threads"));
    }
    let spent = usage::processor_time(agent) - before;
    let share = spent.as_secs_f64() / IDLE.as_secs_f64();
    figures.limit("idle_core_percent", share * 100.0, 0.1);
    figures.limit("idle_written_bytes", usage::written(agent) - written, 0.0);
    figures.limit("rss_kib", usage::status(agent, "VmRSS"), 10e6 / 1024.0);
    figures.limit("threads", threads, 4.0);
}

/// From the start of the process to the coordinator's word that the host has a session.
async fn start_to_connected(figures: &mut Figures, fleet: &mut Fleet) {
    let host = fleet.hosts().remove(0);
    let mut times = Vec::new();
    for _ in 0..STARTS {
        fleet.kill_agent(&host);
        eventually(
            "the session to end",
            Duration::from_secs(20),
            async || match usage::sessions(fleet.site.http) {
                0 => Ok(()),
                open => Err(format!("{open} are open")),
            },
        )
        .await;
        let start = Instant::now();
        fleet.start_agent(&host, None);
        while usage::sessions(fleet.site.http) == 0 {
            assert!(start.elapsed() < Duration::from_secs(20), "no session");
        }
        times.push(start.elapsed());
    }
    times.sort_unstable();
    figures.note("start_to_connected_ms", millis(times[STARTS / 2]));
}

/// From the start of the responder to its first answer.
fn start_to_health(figures: &mut Figures, fleet: &Fleet) {
    let host = fleet.hosts().remove(0);
    let log = fleet.site.path().join("health.log");
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let command = fleet.site.health(&host);
        let start = Instant::now();
        let responder = Process::start(command, &log);
        while !answers(fleet.site.health_address) {
            assert!(start.elapsed() < Duration::from_secs(20), "no answer");
        }
        times.push(start.elapsed());
        responder.kill();
    }
    times.sort_unstable();
    figures.limit("start_to_health_ms", millis(times[STARTS / 2]), 50.0);
}

/// What the responder costs after a busy minute's worth of questions, and while nobody asks.
async fn responders(figures: &mut Figures, fleet: &Fleet) {
    let responder = asked(fleet, 0).await;
    let began = Instant::now();
    for _ in 0..QUESTIONS {
        assert!(answers(fleet.site.health_address));
    }
    let each = began.elapsed() / QUESTIONS;
    figures.note("responder_answer_ms", millis(each));
    let memory = usage::status(responder.id(), "VmRSS");
    figures.limit("responder_rss_kib", memory, 3e6 / 1024.0);
    let switches = || {
        usage::status(responder.id(), "voluntary_ctxt_switches")
            + usage::status(responder.id(), "nonvoluntary_ctxt_switches")
    };
    let before = switches();
    tokio::time::sleep(RESPONDER_IDLE).await;
    figures.note("responder_idle_wakeups", switches() - before);
    responder.kill();
    for (name, probes) in [
        ("responder_1_probe_rss_kib", 1),
        ("responder_3_probes_rss_kib", 3),
    ] {
        let responder = asked(fleet, probes).await;
        figures.limit(name, usage::status(responder.id(), "VmRSS"), 3e6 / 1024.0);
        let threads = usage::status(responder.id(), "Threads");
        figures.limit("responder_threads", threads, 4.0);
        responder.kill();
    }
}

/// A responder with so many probes that was asked for some seconds.
async fn asked(fleet: &Fleet, probes: usize) -> Process {
    let host = fleet.hosts().remove(0);
    let responder = responder::start(&fleet.site, &host, probes);
    for _ in 0..ROUNDS {
        eventually("a whole page", Duration::from_secs(20), async || {
            let page = usage::page(fleet.site.health_address, "/healthz").unwrap_or_default();
            let has = |probe| page.contains(&format!("\"p{probe}:version\""));
            let is_whole = page.starts_with("HTTP/1.1 ") && (0..probes).all(has);
            is_whole.then_some(()).ok_or(page)
        })
        .await;
        // Answers are not fresh any more by then, and the application is asked again.
        tokio::time::sleep(LOOK_EVERY).await;
    }
    responder
}

fn size(program: &str) -> f64 {
    let file = fs::metadata(binary(program)).expect("the program was built");
    #[expect(clippy::cast_precision_loss, reason = "a file of less than 2^52 bytes")]
    let size = file.len() as f64;
    size
}

fn answers(address: SocketAddr) -> bool {
    usage::page(address, "/healthz").is_ok_and(|page| page.starts_with("HTTP/1.1 "))
}
