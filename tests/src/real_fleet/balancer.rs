//! A real HAProxy before the hosts of a fleet, on the bridge's address: it never tries a request twice,
//! and asks each host what to send it.

use super::{
    ground::Ground,
    host::Host,
    launch::Place,
    network::{BRIDGE_ADDRESS, Network},
    trouble::{FleetError, file},
};
use crate::{
    balancer::{HAPROXY, Row, say_left_out, statistics},
    load::COOKIE_NAME,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// Where clients come.
pub const SERVICE: SocketAddr = SocketAddr::new(IpAddr::V4(BRIDGE_ADDRESS), 8080);

/// Where hosts read what it sees of them.
pub const STATISTICS: &str = "http://10.203.0.1:8404/stats;csv";

/// How often it asks the agent-check, in milliseconds; a health check is made a quarter as often.
const AGENT_INTER_MS: u64 = 125;

/// The least wait between a flag and what follows from it: four of its questions, on a busy machine.
pub const DRAIN_AT_LEAST: &str = "500ms";

/// How often it is looked at what it sees.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// A running HAProxy. It ends with its fleet.
#[derive(Debug)]
pub struct FleetBalancer {
    socket: PathBuf,
}

impl FleetBalancer {
    /// Starts it before hosts that serve on port 80. Nothing when it is not installed.
    ///
    /// # Errors
    /// When it cannot be launched. That it fails later stands in its log.
    pub async fn start(ground: &Ground, hosts: &[Host]) -> Result<Option<Self>, FleetError> {
        if !Path::new(HAPROXY).exists() {
            say_left_out("HAProxy");
            return Ok(None);
        }
        let folder = ground.folder();
        let socket = folder.join("haproxy.sock");
        let config = folder.join("haproxy.cfg");
        fs::write(&config, config_text(&socket, hosts)).map_err(file("write", &config))?;
        let place = Place {
            network: &Network::in_folder(folder),
            cgroup: &ground.cgroup().within("balancer"),
            log: &folder.join("haproxy.log"),
        };
        let program = [HAPROXY.into(), "-db".into(), "-f".into(), config.into()];
        place.launch(program.to_vec()).await?;
        Ok(Some(Self { socket }))
    }

    /// What it counts now, a row a host.
    ///
    /// # Errors
    /// When it does not say, as before it has started.
    pub fn hosts(&self) -> io::Result<Vec<Row>> {
        hosts(&self.socket)
    }

    /// Looks at it all the time, until [`Watch::end`].
    pub fn watch(&self) -> Watch {
        let (end, ended) = mpsc::channel();
        let socket = self.socket.clone();
        let thread = thread::spawn(move || {
            let mut saw = Saw::default();
            loop {
                saw.note(&hosts(&socket).expect("HAProxy answers"));
                if ended.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout) {
                    return saw;
                }
            }
        });
        Watch { end, thread }
    }
}

/// Somebody who looks at an HAProxy all the time.
#[derive(Debug)]
pub struct Watch {
    end: mpsc::Sender<()>,
    thread: JoinHandle<Saw>,
}

impl Watch {
    /// What was seen.
    ///
    /// # Panics
    /// When HAProxy did not answer.
    pub fn end(self) -> Saw {
        drop(self.end);
        self.thread.join().expect("HAProxy answers")
    }
}

/// What was seen of HAProxy.
#[derive(Debug, Clone, Default)]
pub struct Saw {
    /// The most hosts that it sent nothing new to at one moment.
    pub most_out_at_once: usize,
    /// The statuses that each host had, in order, each with its weight.
    pub statuses: BTreeMap<String, Vec<(String, u64)>>,
    /// Every status that any host had, without its counter.
    pub kinds: BTreeSet<String>,
}

impl Saw {
    fn note(&mut self, hosts: &[Row]) {
        let is_out = |row: &&Row| !is_in(row);
        let out = hosts.iter().filter(is_out).count();
        self.most_out_at_once = self.most_out_at_once.max(out);
        for row in hosts {
            let kind = row.cell("status").split(' ').next().unwrap_or_default();
            self.kinds.insert(kind.to_owned());
            let seen = (kind.to_owned(), row.number("weight"));
            let statuses = self.statuses.entry(row.cell("svname").to_owned());
            let statuses = statuses.or_default();
            if statuses.last() != Some(&seen) {
                statuses.push(seen);
            }
        }
    }
}

/// Whether HAProxy sends new requests to a host.
pub fn is_in(row: &Row) -> bool {
    row.cell("status").starts_with("UP") && row.number("weight") > 0
}

fn hosts(socket: &Path) -> io::Result<Vec<Row>> {
    let mut rows = statistics(socket)?;
    let is_host = |row: &Row| row.cell("pxname") == "hosts" && row.cell("svname") != "BACKEND";
    rows.retain(is_host);
    Ok(rows)
}

/// Its own check asks the application, and not `/ready`: that is no during a drain, and a server that is
/// down keeps no sticky sessions. It keeps no idle connection to a server: of 2.6.12 the last one stays,
/// whatever `pool-purge-delay` says, until nginx ends it after 75 s (seen), and a drain waits for it.
fn config_text(socket: &Path, hosts: &[Host]) -> String {
    let server = |host: &Host| {
        let (name, address) = (host.name(), host.address());
        format!("    server {name} {address}:80 cookie {name}\n")
    };
    let servers: String = hosts.iter().map(server).collect();
    format!(
        "global\n    stats socket {} level user\n\
         defaults\n    mode http\n    retries 0\n    no option redispatch\n    timeout connect 2s\n    \
         timeout client 5m\n    timeout server 5m\n\
         frontend clients\n    bind {SERVICE}\n    default_backend hosts\n\
         frontend statistics\n    bind {BRIDGE_ADDRESS}:8404\n    stats enable\n    stats uri /stats\n\
         backend hosts\n    balance roundrobin\n    cookie {COOKIE_NAME} insert indirect nocache\n    \
         option httpchk GET /version\n    default-server weight 100 pool-max-conn 0 check inter {}ms fall 2 rise 1 \
         agent-check agent-port 9101 agent-inter {AGENT_INTER_MS}ms\n{servers}",
        socket.display(),
        4 * AGENT_INTER_MS,
    )
}
