//! wrk, and what it counts.

use crate::{balancer::say_left_out, process::Process, real_fleet::RealFleet};
use std::{fs, net::SocketAddr, path::Path, time::Duration};

/// Where Debian has it.
const WRK: &str = "/usr/bin/wrk";

/// How many connections each one has.
const CONNECTIONS: usize = 4;

/// How long one may need to count.
const ENDED_WITHIN: Duration = Duration::from_secs(30);

/// Waits between two requests, and says what was counted in one line.
const SCRIPT: &str = r#"
function delay() return 25 end
function done(summary)
    local e = summary.errors
    local failed = e.connect + e.read + e.write + e.status + e.timeout
    io.write(string.format("counted %d %d connect=%d read=%d write=%d status=%d timeout=%d\n",
        summary.requests, failed, e.connect, e.read, e.write, e.status, e.timeout))
end
"#;

/// What it does with a connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connections {
    Anew,
    Kept,
}

/// One that runs. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Wrk(Process);

/// What one counted.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) requests: u64,
    pub(super) failed: u64,
    /// All of it, by kind of failure.
    pub(super) words: String,
}

/// Whether it is installed: Debian package `wrk`. When it is not, the test run says so, once.
pub fn is_installed() -> bool {
    let is = Path::new(WRK).exists();
    if !is {
        say_left_out("wrk");
    }
    is
}

impl Wrk {
    pub(super) fn start(fleet: &RealFleet, service: SocketAddr, connections: Connections) -> Self {
        let script = fleet.folder().join("wrk.lua");
        fs::write(&script, SCRIPT).expect("a script for wrk");
        let mut command = fleet.network().command(WRK);
        command.args(["--threads=1", "--duration=1h", "--timeout=15s"]);
        command.arg(format!("--connections={CONNECTIONS}"));
        command.arg("--script").arg(script);
        let name = match connections {
            Connections::Anew => {
                command.args(["--header", "Connection: close"]);
                "wrk-anew.log"
            }
            Connections::Kept => "wrk-kept.log",
        };
        command.arg(format!("http://{service}/version"));
        Self(Process::start(command, &fleet.folder().join(name)))
    }

    pub(super) fn end(mut self) -> Counted {
        self.0.interrupt();
        self.0.wait(ENDED_WITHIN);
        counted(&self.0.log())
    }
}

fn counted(log: &str) -> Counted {
    let words = log.lines().find(|line| line.starts_with("counted "));
    let words = words.unwrap_or_else(|| panic!("wrk counts: {log}"));
    let mut numbers = words.split(' ').skip(1).map(|number| number.parse().ok());
    let mut next = || numbers.next().flatten().expect("wrk's script says it");
    Counted {
        requests: next(),
        failed: next(),
        words: format!("wrk: {words}"),
    }
}
