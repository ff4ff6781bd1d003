//! Reads a file of faults.

use super::{
    super::{Spread, Step},
    Act, Costs, Deed, Event, Fault, FaultKind, Goes, Hosts, OtherTimes, Scenario, When,
};
use crate::{
    document::{Mistakes, Table},
    duration::{self, DurationError},
    failure::FailureKind,
    select::SelectError,
    share::{Share, ShareError},
    time::Timestamp,
    time_zone::TimeZone,
};
use jiff::civil::DateTime;
use std::{collections::BTreeMap, time::Duration};

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
    /// An exclusion of nobody.
    #[error("`exclude` says whom by `match`")]
    NobodyExcluded,
}

/// Reads the top of a file of faults. Nothing when a mistake was noted that prevents it.
pub(super) fn scenario(mut top: Table<'_, Refusal>) -> Option<Scenario> {
    let mut scenario = Scenario {
        start: top.text("start", moment),
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
    let faults = each(top.tables("fault", "[[fault]]"), fault);
    let acts = each(top.tables("act", "[[act]]"), act);
    top.finish(&[], &[]);
    Some(Scenario {
        others: others?,
        faults: faults?,
        acts: acts?,
        ..scenario
    })
}

fn each<'d, T>(
    tables: Option<Vec<Table<'d, Refusal>>>,
    read: impl Fn(&mut Table<'d, Refusal>) -> Option<T>,
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

fn fault(table: &mut Table<'_, Refusal>) -> Option<Fault> {
    table.require("name", "name = \"dead disk\"");
    let name = table.text("name", |text| Ok::<_, Refusal>(text.to_owned()));
    let hosts = hosts(table);
    let kind = match (table.has("step"), table.has("event")) {
        (true, false) => of_step(table),
        (false, true) => timed(table),
        (true, true) | (false, false) => {
            table.know(&[
                "step",
                "goes",
                "failure",
                "retry_cures",
                "event",
                "at",
                "for",
                "late",
            ]);
            table.refuse_whole(Refusal::NoKind);
            None
        }
    };
    Some(Fault {
        name: name?,
        hosts: hosts?,
        kind: kind?,
    })
}

fn of_step(table: &mut Table<'_, Refusal>) -> Option<FaultKind> {
    table.require("goes", "goes = \"fails\"");
    let step = table.choice("step", &Step::ALL.map(|step| (step.name(), step)));
    let failure = table.choice("failure", &FailureKind::ALL.map(|kind| (kind.name(), kind)));
    let goes = [
        (
            "fails",
            Goes::Fails(failure.unwrap_or(FailureKind::Unhealthy)),
        ),
        ("hangs", Goes::Hangs),
        ("dies", Goes::Dies),
    ];
    let goes = table.choice("goes", &goes);
    let retry_cures = table.share("retry_cures").unwrap_or(Share::NONE);
    Some(FaultKind::Step {
        step: step?,
        goes: goes?,
        retry_cures,
    })
}

fn timed(table: &mut Table<'_, Refusal>) -> Option<FaultKind> {
    table.require("at", "at = \"10m\"");
    let late = table.duration("late");
    let events = [
        ("hosts-cut", Event::HostsCut),
        ("cells-cut", Event::CellsCut),
        ("hosts-die", Event::HostsDie),
        ("hosts-gone", Event::HostsGone),
        ("hosts-come", Event::HostsCome),
        (
            "inventory-throttled",
            Event::InventoryThrottled {
                late: late.unwrap_or_default(),
            },
        ),
        ("hosts-fall", Event::HostsFall),
        ("coordinator-dies", Event::CoordinatorDies),
    ];
    let event = table.choice("event", &events);
    let at = table.duration("at");
    let lasts = table.duration("for").unwrap_or(Duration::ZERO);
    let is_throttled = matches!(event, Some(Event::InventoryThrottled { .. }));
    if is_throttled != late.is_some_and(|late| !late.is_zero()) {
        table.refuse_whole(Refusal::NotLate);
        return None;
    }
    Some(FaultKind::Timed {
        event: event?,
        at: at?,
        lasts,
    })
}

fn act(table: &mut Table<'_, Refusal>) -> Option<Act> {
    table.require("does", "does = \"resume\"");
    let at = table.duration("at").map(When::At);
    let phase = table.text("when", |text| Ok::<_, Refusal>(text.to_owned()));
    let when = match (at, phase.map(When::Phase)) {
        (Some(when), None) | (None, Some(when)) => Some(when),
        (Some(_), Some(_)) | (None, None) => {
            table.refuse_whole(Refusal::NoMoment);
            None
        }
    };
    let selection = table.selection("match");
    let words = [
        ("resume", Word::Resume),
        ("pause", Word::Pause),
        ("abort", Word::Abort),
        ("rollback", Word::Rollback),
        ("exclude", Word::Exclude),
        ("start-again", Word::StartAgain),
        ("approve", Word::Approve),
        ("promote", Word::Promote),
    ];
    let does = match table.choice("does", &words)? {
        Word::Resume => Deed::Resume,
        Word::Pause => Deed::Pause,
        Word::Abort => Deed::Abort,
        Word::Rollback => Deed::Rollback,
        Word::StartAgain => Deed::StartAgain,
        Word::Approve => Deed::Approve,
        Word::Promote => Deed::Promote,
        Word::Exclude => match selection {
            Some(selection) => Deed::Exclude(selection),
            None => {
                table.refuse("does", Refusal::NobodyExcluded);
                return None;
            }
        },
    };
    Some(Act { when: when?, does })
}

/// The words for what operators do.
#[derive(Debug, Clone, Copy)]
enum Word {
    Resume,
    Pause,
    Abort,
    Rollback,
    Exclude,
    StartAgain,
    Approve,
    Promote,
}
