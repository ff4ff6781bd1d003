//! The signals' part of the config file.

use super::{Refusal, probe, read::absolute, read::filled};
use crate::signals::settings::{Balancer, CLOCK_OFFSET, Clock, Signals, Statistics, Watched};
use cofferdam_engine::{document::Table, share::Share};
use std::path::PathBuf;

/// The port of NTP.
const NTP: u16 = 123;

/// Reads `[signals]`.
pub(super) fn read(top: &mut Table<'_, Refusal>) -> Signals {
    let mut signals = Signals::default();
    let Some(mut table) = top.table("signals", "[signals]") else {
        return signals;
    };
    if let Some(off) = table.choices("off", &Watched::ALL) {
        signals.watched.retain(|signal| !off.contains(signal));
    }
    signals.units = texts(&mut table, "units", unit);
    let ports: Option<Vec<u16>> = table.counts("ports", 1);
    signals.ports = ports.unwrap_or_default().into_iter().collect();
    set(&mut signals.load_per_core, table.count("load_per_core", 1));
    set(
        &mut signals.memory_available,
        share(&mut table, "memory_available"),
    );
    if let Some(disks) = table.names("disks", absolute) {
        signals.disks = disks;
    }
    if !signals.watched.contains(&Watched::Disk) {
        if table.has("disks") {
            table.refuse("disks", Refusal::IsOff("disk"));
        }
        signals.disks.clear();
    }
    set(&mut signals.disk_free, share(&mut table, "disk_free"));
    signals.names = texts(&mut table, "resolve", host);
    set(
        &mut signals.resolve_within,
        table.duration("resolve_within"),
    );
    signals.clock = clock(&mut table);
    signals.balancers = balancers(&mut table);
    table.finish(&[], &[]);
    signals
}

fn set<T>(value: &mut T, said: Option<T>) {
    if let Some(said) = said {
        *value = said;
    }
}

/// A share of which all would never be had.
fn share(table: &mut Table<'_, Refusal>, key: &'static str) -> Option<Share> {
    let share = table.text(key, |text| {
        Share::parse(text).map_err(|_| Refusal::Share(text.to_owned()))
    })?;
    if share == Share::ALL {
        table.refuse(key, Refusal::Share(share.to_string()));
    }
    Some(share)
}

/// A list, in its order and each once.
fn texts(
    table: &mut Table<'_, Refusal>,
    key: &'static str,
    check: impl Fn(&str) -> Result<(), Refusal>,
) -> Vec<String> {
    let texts = table.texts(key).unwrap_or_default();
    for (at, text) in texts.iter().enumerate() {
        if let Err(refusal) = check(text) {
            table.refuse(key, refusal);
        }
        if texts[..at].contains(text) {
            table.refuse(key, Refusal::Twice(text.clone()));
        }
    }
    texts
}

/// A unit's whole name: systemd lists failed ones by it.
fn unit(text: &str) -> Result<(), Refusal> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    let is_name = text.contains('.') && !text.starts_with('-') && text.chars().all(is_of_name);
    is_name
        .then_some(())
        .ok_or_else(|| Refusal::UnitName(text.to_owned()))
}

fn host(text: &str) -> Result<(), Refusal> {
    probe::address(&format!("{text}:{NTP}"))
        .map(drop)
        .map_err(|_| Refusal::HostName(text.to_owned()))
}

fn clock(table: &mut Table<'_, Refusal>) -> Option<Clock> {
    let mut table = table.table("clock", "[clock]")?;
    table.require("server", "server = \"ntp.example.org\"");
    let server = table.text("server", |text| {
        probe::address(text).or_else(|_| probe::address(&format!("{text}:{NTP}")))
    });
    let offset = table.duration("offset").unwrap_or(CLOCK_OFFSET);
    table.finish(&[], &[]);
    let server = server?;
    Some(Clock { server, offset })
}

fn balancers(table: &mut Table<'_, Refusal>) -> Vec<Balancer> {
    let tables = table.tables("haproxy", "[[haproxy]]");
    let mut balancers = Vec::new();
    for mut table in tables.unwrap_or_default() {
        table.require("stats", "stats = \"http://10.0.0.5:8404/stats;csv\"");
        let statistics = table.text("stats", |text| {
            statistics(text).map(|stats| (text.to_owned(), stats))
        });
        let backend = table.text("backend", filled);
        let server = table.text("server", filled);
        table.finish(&[], &[]);
        if let Some((name, statistics)) = statistics {
            balancers.push(Balancer {
                name,
                statistics,
                backend,
                server,
            });
        }
    }
    balancers
}

/// The URL of a page, or the path of a socket.
fn statistics(text: &str) -> Result<Statistics, Refusal> {
    if text.starts_with('/') {
        return Ok(Statistics::Socket(PathBuf::from(text)));
    }
    let probe::Url { address, path } =
        probe::url(text).map_err(|_| Refusal::Statistics(text.to_owned()))?;
    Ok(Statistics::Http { address, path })
}
