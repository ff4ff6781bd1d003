//! Reads how hosts stand when a rehearsal begins, and what is denied to them.

use super::{
    super::{Denied, Kind, Out, Person, State},
    Refusal, filled_line, line,
};
use crate::{
    digest::Digest,
    document::Table,
    duration,
    id::{HostId, OperatorId},
    policy::LONGEST_RESERVATION,
};
use std::{collections::BTreeSet, time::Duration};

/// How the hosts of a kind stand. Nothing when a mistake was noted.
pub(super) fn state(table: &mut Table<'_, Refusal>) -> Option<State> {
    table.know(&["connected", "out"]);
    let is_connected = match table.has("connected") {
        true => table.flag("connected"),
        false => Some(true),
    };
    let out = match table.has("out") {
        true => table.table("out", "out").map(|said| out(said).map(Some)),
        false => Some(Some(None)),
    };
    Some(State {
        is_connected: is_connected?,
        out: out??,
    })
}

fn out(mut said: Table<'_, Refusal>) -> Option<Out> {
    said.require("why", "why = \"the disk is full\"");
    let own = |check: fn(&str) -> Result<(), Refusal>| {
        move |text: &str| check(text).map(|()| text.to_owned())
    };
    let why = said.text("why", own(filled_line));
    let is_taken = said.has("by") || said.has("for");
    if is_taken {
        said.require("by", "by = \"ana\"");
        said.require("for", "for = \"2h\"");
    }
    let by = said.text("by", own(filled_line));
    let lasts = said.text("for", lasts);
    said.finish(&[], &[]);
    let person = match is_taken {
        true => Some(Person {
            by: by?,
            lasts: lasts?,
        }),
        false => None,
    };
    Some(Out { why: why?, person })
}

fn lasts(text: &str) -> Result<Duration, Refusal> {
    let lasts = duration::parse(text)?;
    match lasts.is_zero() || lasts > LONGEST_RESERVATION {
        true => Err(Refusal::Lasts),
        false => Ok(lasts),
    }
}

/// What the file denies; what it makes of one with a mistake is nothing.
pub(super) fn denied(top: &mut Table<'_, Refusal>, kinds: &[Option<Kind>]) -> Option<Vec<Denied>> {
    let Some(mut tables) = top.tables("denied", "[[denied]]") else {
        return (!top.has("denied")).then(Vec::new);
    };
    let known: BTreeSet<HostId> = match tables.is_empty() {
        true => BTreeSet::new(),
        false => kinds
            .iter()
            .flatten()
            .flat_map(|kind| kind.names.all())
            .collect(),
    };
    let is_whole = kinds.iter().all(Option::is_some);
    let all: Vec<_> = tables
        .iter_mut()
        .map(|table| one(table, &known, is_whole))
        .collect();
    tables.into_iter().for_each(|table| table.finish(&[], &[]));
    all.into_iter().collect()
}

fn one(table: &mut Table<'_, Refusal>, known: &BTreeSet<HostId>, is_whole: bool) -> Option<Denied> {
    table.require(
        "bits",
        "bits = \"the digest that cofferdam deny list -o json shows\"",
    );
    table.know(&["hosts", "by", "why"]);
    let bits = table.text("bits", Digest::parse);
    let hosts = match table.has("hosts") {
        true => hosts(table, known, is_whole).map(Some),
        false => Some(None),
    };
    let by = match table.has("by") {
        true => table.text("by", |name| OperatorId::new(name)).map(Some),
        false => Some(None),
    };
    let why = match table.has("why") {
        true => table.text("why", |text| line(text).map(|()| text.to_owned())),
        false => Some(String::new()),
    };
    Some(Denied {
        bits: bits?,
        hosts: hosts?,
        by: by?,
        why: why?,
    })
}

/// The hosts that something is denied to. Whom the fleet does not have is looked for where all of its kinds are known.
fn hosts(
    table: &mut Table<'_, Refusal>,
    known: &BTreeSet<HostId>,
    is_whole: bool,
) -> Option<BTreeSet<HostId>> {
    let hosts: BTreeSet<HostId> = table.names("hosts", |name| HostId::new(name))?;
    if hosts.is_empty() {
        table.refuse("hosts", Refusal::DeniedToNobody);
        return None;
    }
    let stranger = hosts.iter().find(|host| is_whole && !known.contains(*host));
    if let Some(stranger) = stranger {
        table.refuse("hosts", Refusal::NoSuchHost(stranger.clone()));
        return None;
    }
    Some(hosts)
}
