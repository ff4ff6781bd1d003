//! A real HAProxy in front of one host, and what it makes of what the host tells it.

use crate::{folder::Folder, ports, process::Process};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// Where Debian has it.
pub const HAPROXY: &str = "/usr/sbin/haproxy";

/// How often HAProxy asks, in milliseconds; the agent-check is asked twice as often.
const INTER_MS: u64 = 200;

/// A running HAProxy whose one server is a host. Dropping it ends it.
#[derive(Debug)]
pub struct Balancer {
    folder: Folder,
    _process: Process,
}

/// What HAProxy thinks of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// `UP`, `DRAIN`, `DOWN`, and variants of these.
    pub status: String,
    /// The share of traffic, of 100.
    pub weight: u64,
    /// How often it went down.
    pub downs: u64,
    /// How many seconds ago it went up or down.
    pub unchanged_secs: u64,
    /// The reason that the agent-check gave last.
    pub reason: String,
}

impl Balancer {
    /// Starts HAProxy before an application whose host answers on these ports. Nothing when it is not
    /// installed: then the test run says so, once.
    ///
    /// # Panics
    /// When it is, and does not start.
    pub fn start(
        application: SocketAddr,
        health: SocketAddr,
        agent_check: SocketAddr,
    ) -> Option<Self> {
        if !Path::new(HAPROXY).exists() {
            say_left_out("HAProxy");
            return None;
        }
        let folder = Folder::new();
        let config = folder.join("haproxy.cfg");
        let text = config_text(&socket(&folder), application, health, agent_check);
        fs::write(&config, text).expect("a config");
        let mut command = Command::new(HAPROXY);
        command.arg("-db").arg("-f").arg(&config);
        let process = Process::start(command, &folder.join("haproxy.log"));
        Some(Self {
            folder,
            _process: process,
        })
    }

    /// What it thinks now.
    ///
    /// # Errors
    /// When it does not say, as before it has started.
    pub fn view(&self) -> Result<View, String> {
        let rows = statistics(&socket(&self.folder)).map_err(|error| error.to_string())?;
        let is_it = |row: &&Row| (row.cell("pxname"), row.cell("svname")) == ("hosts", "web-1");
        let row = rows.iter().find(is_it);
        let row = row.ok_or_else(|| format!("no such server: {rows:?}"))?;
        Ok(View {
            status: row.cell("status").to_owned(),
            weight: row.number("weight"),
            downs: row.number("chkdown"),
            unchanged_secs: row.number("lastchg"),
            reason: row.cell("last_agt").to_owned(),
        })
    }
}

/// One line of HAProxy's statistics: a frontend, a server or a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(BTreeMap<String, String>);

impl Row {
    /// What stands in a column. Empty: nothing, or there is no such column.
    pub fn cell(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The same as a number, and 0 where there is none.
    pub fn number(&self, name: &str) -> u64 {
        self.cell(name).parse().unwrap_or(0)
    }
}

/// What an HAProxy with its socket at a path counts.
///
/// # Errors
/// When it cannot be asked, as before it has started.
pub fn statistics(socket: &Path) -> io::Result<Vec<Row>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(b"show stat\n")?;
    let mut table = String::new();
    stream.read_to_string(&mut table)?;
    let mut lines = table.lines().filter(|line| !line.is_empty());
    let heads = lines.next().unwrap_or_default().trim_start_matches("# ");
    let row = |line: &str| {
        let cells = line.split(',').map(|cell| cell.trim_matches('"'));
        let named = heads.split(',').zip(cells);
        Row(named
            .map(|(head, cell)| (head.to_owned(), cell.to_owned()))
            .collect())
    };
    Ok(lines.map(row).collect())
}

fn socket(folder: &Folder) -> PathBuf {
    folder.join("haproxy.sock")
}

fn config_text(
    socket: &Path,
    application: SocketAddr,
    health: SocketAddr,
    agent_check: SocketAddr,
) -> String {
    format!(
        "global\n    stats socket {} level user\n\
         defaults\n    mode http\n    timeout connect 2s\n    timeout client 2s\n    timeout server 2s\n\
         frontend all\n    bind {}\n    default_backend hosts\n\
         backend hosts\n    option httpchk GET /ready\n    \
         server web-1 {application} weight 100 check addr {} port {} inter {INTER_MS}ms fall 2 rise 1 \
         agent-check agent-addr {} agent-port {} agent-inter {}ms\n",
        socket.display(),
        ports::free(),
        health.ip(),
        health.port(),
        agent_check.ip(),
        agent_check.port(),
        INTER_MS / 2,
    )
}

/// Says once a test run that something is left out for want of a program.
pub fn say_left_out(what: &'static str) {
    static SAID: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    if SAID.lock().is_ok_and(|mut said| said.insert(what)) {
        // Not to be heard is not worth a failure.
        writeln!(io::stderr(), "left out: {what} (it is not installed)").ok();
    }
}
