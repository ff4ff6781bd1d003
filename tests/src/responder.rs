//! A health responder as its unit starts it, and applications that it asks.

use crate::{
    process::{Process, binary},
    site::Site,
};
use cofferdam_engine::id::HostId;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
    thread,
};

/// The entries of an application's large health page, each of 500 bytes: 50 KB, of the 64 KB that are read.
const ENTRIES: usize = 100;

/// Starts a host's responder with the environment that its unit gives it, and with so many probes named `p0`,
/// `p1` and so on, of applications with large pages. Those end with this process.
///
/// # Panics
/// When something cannot be read, written or started.
pub fn start(site: &Site, host: &HostId, probes: usize) -> Process {
    let mut config = fs::read_to_string(site.agent_config(host)).expect("a config");
    for number in 0..probes {
        let url = format!("http://{}/health", application());
        config += &format!("\n[[probe]]\nname = \"p{number}\"\nhttp = \"{url}\"\n");
    }
    let file = site.path().join("responder.toml");
    fs::write(&file, config).expect("a config");
    let mut command = Command::new(binary("cofferdam-health"));
    command.arg("--config").arg(file).env_clear();
    command.envs(environment());
    Process::start(command, &site.path().join("health.log"))
}

/// What the unit says of the environment.
fn environment() -> Vec<(String, String)> {
    let unit = "../systemd/system/cofferdam-health.service";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(unit);
    let text = fs::read_to_string(path).expect("a unit");
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("Environment="));
    let pairs = lines
        .flat_map(str::split_whitespace)
        .filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// An application with a large health page. Where it is.
fn application() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a socket has an address");
    let entry = |n| {
        let output = "x".repeat(400);
        let entry =
            format!("{{\"observedValue\":{n},\"status\":\"pass\",\"output\":\"{output}\"}}");
        format!("\"pool{n}:connections\":[{entry}]")
    };
    let entries: Vec<String> = (0..ENTRIES).map(entry).collect();
    let page = format!("{{\"version\":\"7\",\"checks\":{{{}}}}}", entries.join(","));
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/health+json\r\nContent-Length: {}\r\n\r\n{page}",
        page.len()
    );
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // A client that has gone is not answered.
            if stream.read(&mut [0; 1024]).is_ok() {
                stream.write_all(answer.as_bytes()).ok();
            }
        }
    });
    address
}
