//! What every form of a rehearsal says in the same words.

use crate::render::table::{counted, short};
use cofferdam_engine::rehearse::{
    incident::Played,
    report::{Checks, FaultSeen, Report},
};
use std::time::Duration;

/// Where there is no lock file.
pub(super) const MADE_UP: &str =
    "its bits are made up, since there is no lock file yet: `cofferdam plan` makes one";

/// Where nobody has anything to do.
pub(super) const NOTHING_LEFT: &str = "nothing is left for a person";

/// A time in milliseconds, as people read it.
pub(super) fn lasts(millis: u64) -> String {
    short(Duration::from_millis(millis))
}

/// Thousandths in percent.
pub(super) fn percent(permille: u64) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

/// How much of the time is coordination. Nothing: that was not played, and it was not done.
pub(super) fn coordination(report: &Report) -> Option<String> {
    let Some(share) = report.coordination_permille() else {
        let most = percent(report.most_coordination_permille()?);
        return Some(format!("at most {most} of it coordination"));
    };
    Some(match share {
        0 => "less than 0.1 % of it coordination".to_owned(),
        share => format!("{} of it coordination", percent(share)),
    })
}

/// How much longer it took than it had to. Nothing: it was not done.
pub(super) fn overhead(report: &Report) -> Option<String> {
    let (over, bound) = (report.overhead_permille()?, lasts(report.bound_ms));
    let over = percent(over);
    Some(format!(
        "{over} over the bound that its limits set, {bound}"
    ))
}

/// That nothing moves it any more. Nothing: it ended, or somebody paused it.
pub(super) fn stalled(report: &Report) -> Option<String> {
    let since = lasts(report.took_ms);
    report
        .has_stalled
        .then(|| format!("nothing moves it after {since}, and it is not over"))
}

/// How long it took to take it back. Nothing: nobody asked.
pub(super) fn went_back(report: &Report) -> Option<String> {
    let took = lasts(report.went_back_ms?);
    Some(format!("{took} of it to take it back"))
}

/// How closely promises were checked.
pub(super) fn checked(report: &Report) -> String {
    match report.checks {
        Checks::EachStep => "all of them checked at every step".to_owned(),
        Checks::EachCommand { looks } => format!(
            "each command checked for its host, floors counted on the hosts at every step, the whole fleet \
             checked {}; a hold between two of these looks is not told",
            counted(looks, "time")
        ),
    }
}

/// The same in a few words.
pub(super) fn checked_in_short(report: &Report) -> &'static str {
    match report.checks {
        Checks::EachStep => "checked at every step",
        Checks::EachCommand { .. } => "checked with each command",
    }
}

/// When a fault struck.
pub(super) fn struck(fault: &FaultSeen) -> String {
    fault.struck_ms.map_or_else(|| "never".to_owned(), lasts)
}

/// After how long a fault was noticed.
pub(super) fn noticed(fault: &FaultSeen) -> String {
    match (fault.struck_ms, fault.noticed_ms) {
        (Some(struck), Some(noticed)) => lasts(noticed.saturating_sub(struck)),
        (Some(_), None) => "not noticed".to_owned(),
        (None, _) => "-".to_owned(),
    }
}

/// Whether an incident would still be one.
pub(super) fn incident(played: &Played) -> &'static str {
    match played.unmet.is_empty() {
        true => "it is no incident any more",
        false => "it is an incident still:",
    }
}
