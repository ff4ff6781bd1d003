//! Reads a file of faults.

mod act;
mod fault;

use super::{
    super::{Spread, Step},
    Costs, Fault, Hosts, OtherTimes, Scenario,
};
use crate::{
    document::{Mistakes, Table},
    duration::{self, DurationError},
    select::SelectError,
    share::{Share, ShareError},
    time::Timestamp,
    time_zone::TimeZone,
};
use jiff::civil::DateTime;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Every mistake of a file of faults.
pub type ScenarioErrors = Mistakes<Refusal>;

/// What a file of faults says that none can say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not a selection.
    #[error(transparent)]
    Selection(#[from] SelectError),
    /// It is not a duration.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// It is not a share.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// Neither one time nor three.
    #[error(
        "one duration is expected, or three that rise, as in \"20s 40s 90s\": of 100 times 50, 90 and 99 take at most that"
    )]
    Quantiles,
    /// A fault that does nothing, or two things.
    #[error("a fault has either `step`, with `goes`, or `event`, with `at`")]
    NoKind,
    /// An act that waits for nothing, or for two things.
    #[error("an act has either `at` or `when`")]
    NoMoment,
    /// It is not a moment.
    #[error("`{0}` is no moment: \"2026-11-26T18:00\" is expected, by the clocks of UTC")]
    Moment(String),
    /// A throttled inventory whose answers are not late.
    #[error("`inventory-throttled` says by `late` how much later an answer comes")]
    NotLate,
    /// A key that says nothing of a fault or an act of this kind.
    #[error("`{key}` says nothing of `{kind}`, which {why}: leave it out")]
    Misfit {
        /// The key.
        key: &'static str,
        /// What it stands beside.
        kind: &'static str,
        /// Why that has no use for it.
        why: &'static str,
    },
    /// A step that is slow and does not say how slow.
    #[error("`slow` says by `takes` how long the step takes, as in takes = \"8m\"")]
    NotSlow,
    /// Another fault has that name.
    #[error(
        "there is another fault `{0}`, and a rehearsal tells them apart by their names: give it another"
    )]
    OneName(String),
    /// An exclusion of nobody.
    #[error("`exclude` says whom by `match`")]
    NobodyExcluded,
}

/// Reads the top of a file of faults. Nothing when a mistake was noted that prevents it.
pub(super) fn scenario(mut top: Table<'_, Refusal>) -> Option<Scenario> {
    let mut scenario = Scenario {
        start: top.text("start", moment),
        needs_reboot: top.share("needs_reboot"),
        ..Scenario::default()
    };
    if let Some(mut table) = top.table("times", "[times]") {
        scenario.times.extend(times(&mut table));
        table.finish(&[], &[]);
    }
    if let Some(table) = top.table("costs", "[costs]") {
        scenario.costs = costs(table, scenario.costs);
    }
    let others = each(top.tables("times_for", "[[times_for]]"), other_times);
    let faults = faults(top.tables("fault", "[[fault]]"));
    let acts = each(top.tables("act", "[[act]]"), act::read);
    top.finish(&[], &[]);
    Some(Scenario {
        others: others?,
        faults: faults?,
        acts: acts?,
        ..scenario
    })
}

/// The faults, no two of one name.
fn faults(tables: Option<Vec<Table<'_, Refusal>>>) -> Option<Vec<Fault>> {
    let mut known = BTreeSet::new();
    each(tables, |table| {
        let fault = fault::read(table)?;
        if !known.insert(fault.name.clone()) {
            table.refuse("name", Refusal::OneName(fault.name.clone()));
        }
        Some(fault)
    })
}

fn each<'d, T>(
    tables: Option<Vec<Table<'d, Refusal>>>,
    mut read: impl FnMut(&mut Table<'d, Refusal>) -> Option<T>,
) -> Option<Vec<T>> {
    let tables = tables.unwrap_or_default().into_iter();
    let read: Vec<Option<T>> = tables
        .map(|mut table| {
            let read = read(&mut table);
            table.finish(&[], &[]);
            read
        })
        .collect();
    read.into_iter().collect()
}

fn moment(text: &str) -> Result<Timestamp, Refusal> {
    let malformed = || Refusal::Moment(text.to_owned());
    let time: Option<DateTime> = text.parse().ok().filter(|_| text.len() == 16);
    // As calendars have it: no time after 9998, and none before there is one to count from.
    let time = time.filter(|time| (1971..9999).contains(&time.year()));
    time.and_then(|time| TimeZone::UTC.beginning(time))
        .ok_or_else(malformed)
}

fn costs(mut table: Table<'_, Refusal>, usual: Costs) -> Costs {
    let micros = table.count("message_us", 0).map(Duration::from_micros);
    let mut cost = |key, usual| table.duration(key).unwrap_or(usual);
    let costs = Costs {
        link: cost("link", usual.link),
        turn: cost("turn", usual.turn),
        message: micros.unwrap_or(usual.message),
    };
    table.finish(&[], &[]);
    costs
}

fn times(table: &mut Table<'_, Refusal>) -> BTreeMap<Step, Spread> {
    let read = Step::ALL.map(|step| Some((step, table.text(step.name(), spread)?)));
    read.into_iter().flatten().collect()
}

fn spread(text: &str) -> Result<Spread, Refusal> {
    let words = text.split_whitespace().map(duration::parse);
    let times: Vec<Duration> = words.collect::<Result<_, _>>()?;
    match times.as_slice() {
        [one] => Ok(Spread::exactly(*one)),
        [p50, p90, p99] if p50 <= p90 && p90 <= p99 => Ok(Spread {
            p50: *p50,
            p90: *p90,
            p99: *p99,
        }),
        _ => Err(Refusal::Quantiles),
    }
}

/// Which hosts. Nothing when its selection is wrong.
fn hosts(table: &mut Table<'_, Refusal>) -> Option<Hosts> {
    let is_for_all = !table.has("match");
    let selection = table.selection("match");
    let share = table.share("share").unwrap_or(Share::ALL);
    let most = table.count("hosts", 1);
    (is_for_all || selection.is_some()).then_some(Hosts {
        selection,
        share,
        most,
    })
}

fn other_times(table: &mut Table<'_, Refusal>) -> Option<OtherTimes> {
    let hosts = hosts(table);
    let times = times(table);
    Some(OtherTimes {
        hosts: hosts?,
        times,
    })
}
