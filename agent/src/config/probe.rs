//! The probes of the application.

use super::{Refusal, read::filled};
use crate::checks::probe::{Probe, Question};
use cofferdam_engine::document::Table;
use cofferdam_proto::tls;
use std::{collections::BTreeSet, ops::RangeInclusive, time::Duration};

/// How long a probe may take when the file is silent: what HAProxy gives a check.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The statuses that are well when the file is silent.
const WELL: RangeInclusive<u16> = 200..=299;

/// A URL, taken apart.
pub(super) struct Url {
    /// `HOST:PORT`.
    pub(super) address: String,
    /// The path, beginning with `/`.
    pub(super) path: String,
}

/// Reads every `[[probe]]`.
pub(super) fn read(top: &mut Table<'_, Refusal>) -> Vec<Probe> {
    let mut names = BTreeSet::new();
    let mut probes = Vec::new();
    for mut table in top.tables("probe", "[[probe]]").unwrap_or_default() {
        if let Some(probe) = one(&mut table) {
            if !names.insert(probe.name.clone()) {
                table.refuse("name", Refusal::Twice(probe.name.clone()));
            }
            probes.push(probe);
        }
        table.finish(&[], &[]);
    }
    probes
}

fn one(table: &mut Table<'_, Refusal>) -> Option<Probe> {
    if table.has("tcp") == table.has("http") {
        table.refuse_whole(Refusal::OneQuestion);
    }
    let name = table.text("name", filled);
    let deadline = table.duration("timeout").unwrap_or(TIMEOUT);
    let tcp = table.text("tcp", address);
    let http = table.text("http", url);
    let statuses = table.text("expect_status", statuses);
    let body = table.text("expect_body", filled);
    if table.has("tcp") && table.has("expect_body") {
        table.refuse("expect_body", Refusal::NoBody);
    }
    let (address, question) = match (tcp, http) {
        (Some(address), None) => (address, Question::Tcp),
        (None, Some(Url { address, path })) => {
            let statuses = statuses.unwrap_or(WELL);
            let question = Question::Http {
                path,
                statuses,
                body,
            };
            (address, question)
        }
        (None, None) | (Some(_), Some(_)) => return None,
    };
    Some(Probe {
        name: name.unwrap_or_else(|| address.clone()),
        address,
        deadline,
        question,
    })
}

pub(super) fn address(text: &str) -> Result<String, Refusal> {
    tls::uri(text)?;
    Ok(text.to_owned())
}

/// Takes `http://HOST[:PORT][/PATH]` apart.
pub(super) fn url(text: &str) -> Result<Url, Refusal> {
    let malformed = || Refusal::Url(text.to_owned());
    let rest = text.strip_prefix("http://").ok_or_else(malformed)?;
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    };
    let address = [authority.to_owned(), format!("{authority}:80")]
        .into_iter()
        .find(|address| tls::uri(address).is_ok())
        .ok_or_else(malformed)?;
    if path.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(malformed());
    }
    let path = path.to_owned();
    Ok(Url { address, path })
}

fn statuses(text: &str) -> Result<RangeInclusive<u16>, Refusal> {
    let malformed = || Refusal::Statuses(text.to_owned());
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let status = |text: &str| {
        let status = text.parse().ok();
        status.filter(|status| (100..600).contains(status))
    };
    let first = status(first).ok_or_else(malformed)?;
    let last = status(last).ok_or_else(malformed)?;
    if first > last {
        return Err(malformed());
    }
    Ok(first..=last)
}
