//! What a running process uses, as the kernel counts it.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// The processor time that all threads of a process have used.
///
/// # Panics
/// When there is no such process.
pub fn processor_time(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("a running process");
    let nanos = threads.map(|thread| {
        let path = thread.expect("a thread").path().join("schedstat");
        let text = fs::read_to_string(path).unwrap_or_default();
        let first = text.split_whitespace().next().unwrap_or("0");
        first.parse().unwrap_or(0)
    });
    Duration::from_nanos(nanos.sum())
}

/// A line of a process's `/proc/ID/status`, as a number in the line's unit.
///
/// # Panics
/// When there is no such process, or no such line.
pub fn status(process: u32, name: &str) -> f64 {
    line(process, "status", name)
}

/// The most memory that a process ever had, in KiB. Nothing: there is none, or it is just ending.
pub fn peak_kb(process: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The bytes that a process has had written to disks.
///
/// # Panics
/// When there is no such process.
pub fn written(process: u32) -> f64 {
    line(process, "io", "write_bytes")
}

fn line(process: u32, file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/{file}")).expect("a running process");
    let line = text.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.unwrap_or_else(|| panic!("no number {name} in:\n{text}"))
}

/// How many sessions a coordinator has, as its metrics say.
pub fn sessions(http: SocketAddr) -> u64 {
    let page = page(http, "/metrics").unwrap_or_default();
    let line = page.lines().find(|line| line.starts_with(SESSIONS));
    line.and_then(|line| line.split_whitespace().last()?.parse().ok())
        .unwrap_or(0)
}

/// The gauge of open sessions.
const SESSIONS: &str = "cofferdam_connected_agents";

/// A page over plain HTTP, head and body.
///
/// # Errors
/// When it cannot be had.
pub fn page(http: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(http)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}
