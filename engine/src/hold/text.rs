//! The sentence of each reason.

use super::Reason;
use crate::{
    failure::Failure,
    id::{CellId, HostId, OperatorId, RolloutId},
};
use std::fmt;

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused { by } => write!(f, "paused by {by}"),
            Self::Cord { cord } => write!(f, "{cord}"),
            Self::Stopped { reason } => f.write_str(reason),
            Self::Braked { finding } => f.write_str(&braked(finding)),
            Self::Bake { .. } => {
                f.write_str("baking, by time alone: no gate watches the patched hosts")
            }
            Self::Standing { passed, of } => standing(f, *passed, *of),
            Self::Slices { done, of } => write!(f, "{done} of {of} hosts are over"),
            Self::LeftOut { count, allowed } => f.write_str(&left_out(*count, *allowed)),
            Self::CellTurn { .. } => f.write_str("waits for its turn among the wave's cells"),
            Self::ZoneBake { .. } => f.write_str("the zone before it bakes (zone_bake)"),
            Self::Silent { .. } => f.write_str("nothing is heard of the cell"),
            Self::Unknown { pages } => f.write_str(unknown(*pages)),
            Self::UnknownShare { count, allowed } => f.write_str(&too_unknown(*count, *allowed)),
            Self::CanaryTurn { awaits } => f.write_str(&canary_turn(awaits)),
            Self::PatcherTurn { awaits } => f.write_str(&patcher_turn(awaits)),
            Self::Stratum { stratum, awaits } => f.write_str(&unproved(stratum, awaits)),
            Self::Convicted { stratum } => f.write_str(&convicted(stratum)),
            Self::Approval { what, by } => f.write_str(&unapproved(what, by)),
            Self::Warrant { ended } => f.write_str(warrant(ended.is_some())),
            Self::Settle { .. } => f.write_str("the coordinator just started and hears its hosts"),
            Self::Unreachable => f.write_str("the host is not connected"),
            Self::NotInService => f.write_str("the host is not in service, by itself"),
            Self::Grace { .. } => f.write_str("the host's state changed a moment ago (grace)"),
            Self::Claim { .. } => f.write_str("the host waits for the answer to its claim"),
            Self::Staging { after } => staging(f, after.as_ref()),
            Self::StagingFailed { failure, .. } => write!(f, "staging failed: {failure}"),
            Self::Floor { .. } | Self::Token { .. } => self.write_floor(f),
            Self::ZoneTrouble {
                group,
                out,
                allowance,
            } => f.write_str(&zone_trouble(group, *out, *allowance)),
            Self::Dependency {
                service,
                with,
                host,
            } => f.write_str(&beside(service, with, host)),
            Self::Later { later, host } => f.write_str(&after(later, host)),
            Self::Held { by, .. } => write!(f, "the host is held by {by}"),
            Self::AtOnce { out, limit } => write!(
                f,
                "{out} hosts of the cell are out, {limit} may be (at_once_per_cell)"
            ),
            Self::SlowDown { out, limit, of } => write!(
                f,
                "{out} hosts of the cell are out, {limit} instead of {of} may be after failures (slow_down)"
            ),
            Self::Spacing { .. } => f.write_str("the last start was a moment ago (start_spacing)"),
            Self::Freeze { name, .. } => write!(f, "a freeze is on: {name}"),
            Self::Window { until: Some(_) } => f.write_str("no window is open (window)"),
            Self::Window { until: None } => f.write_str(NO_WINDOW),
            Self::Retry { failure, .. } => write!(f, "tried again later after {failure}"),
        }
    }
}

const NO_WINDOW: &str = "no window is open, and none will be (window): `cofferdam amend` gives hosts \
                         other windows, `cofferdam exclude` takes them out";

fn braked(finding: &str) -> String {
    format!(
        "the brake stopped it: {finding}; `cofferdam resume` goes on from there, `cofferdam rollback` takes it back"
    )
}

fn left_out(count: usize, allowed: usize) -> String {
    format!(
        "{count} hosts of the wave failed or were left out, {allowed} may be (hosts_left_out): `cofferdam retry` tries them again"
    )
}

fn too_unknown(count: usize, allowed: usize) -> String {
    format!(
        "{count} hosts of the wave are in unknown cells, {allowed} may be (unknown_share): look at the links to their regions, or `cofferdam skip` hosts to go on without them"
    )
}

fn after(later: &RolloutId, host: &HostId) -> String {
    format!("rollout {later} is taking host {host} back, which then has this one's patch again")
}

fn warrant(has_ended: bool) -> &'static str {
    match has_ended {
        false => "no warrant for this cell yet",
        true => "the warrant ended; the control plane has not renewed it",
    }
}

fn staging(f: &mut fmt::Formatter<'_>, after: Option<&Failure>) -> fmt::Result {
    match after {
        None => f.write_str("the host is still staging its bits"),
        Some(failure) => write!(f, "the host is staging its bits again, after {failure}"),
    }
}

fn canary_turn(awaits: &HostId) -> String {
    format!("validators and then one box go first; awaits the outcome of {awaits}")
}

fn patcher_turn(awaits: &HostId) -> String {
    format!("the patcher's own hosts go last; awaits the outcome of {awaits}")
}

fn zone_trouble(group: &str, out: usize, allowance: usize) -> String {
    format!(
        "another zone is in trouble: {out} of group {group} are out, {allowance} may be; `cofferdam hosts` shows which"
    )
}

fn unproved(stratum: &str, awaits: &HostId) -> String {
    format!("no host of {stratum} has passed yet; awaits the outcome of {awaits}")
}

fn unknown(pages: bool) -> &'static str {
    match pages {
        false => "the cell is unknown: nothing has been heard of it for unknown_after",
        true => "the cell is unknown for half an hour or more: look at the link to its region",
    }
}

fn convicted(stratum: &str) -> String {
    format!(
        "hosts of {stratum} failed, and so did the second opinion: `cofferdam amend` gives them another patch, `cofferdam exclude` takes them out"
    )
}

fn unapproved(group: &str, by: &[OperatorId]) -> String {
    let names: Vec<&str> = by.iter().map(OperatorId::as_str).collect();
    let names = names.join(" or ");
    format!("nothing stands in for the one host of {group}: {names} may approve it")
}

fn beside(service: &str, with: &str, host: &HostId) -> String {
    format!("one of {service} and {with} depends on the other, and {host} of {with} is at work")
}

fn standing(f: &mut fmt::Formatter<'_>, passed: usize, of: usize) -> fmt::Result {
    write!(
        f,
        "{passed} of {of} hosts are patched; it stands for those that come later, until it is aborted"
    )
}

impl Reason {
    /// Says which group has no room. Nothing of any other reason.
    fn write_floor(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Floor {
            group,
            out,
            allowance,
        } = self
        {
            write!(
                f,
                "floor: {out} of group {group} are out, {allowance} may be"
            )?;
        }
        if let Self::Token {
            group,
            out,
            allowance,
            with,
        } = self
        {
            write_token(f, group, *out, *allowance, with)?;
        }
        Ok(())
    }
}

fn write_token(
    f: &mut fmt::Formatter<'_>,
    group: &str,
    out: usize,
    allowance: usize,
    with: &[CellId],
) -> fmt::Result {
    write!(
        f,
        "floor: {out} of group {group} are out in all its cells, {allowance} may be"
    )?;
    let with: Vec<&str> = with.iter().map(CellId::as_str).collect();
    match with.is_empty() {
        true => Ok(()),
        false => write!(f, "; its tokens are with {}", with.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_people_end_names_the_command_that_does() {
        let (count, allowed, allowance) = (3, 1, 1);
        for (reason, command) in [
            (
                Reason::Braked {
                    finding: "x".to_owned(),
                },
                "`cofferdam resume`",
            ),
            (Reason::LeftOut { count, allowed }, "`cofferdam retry`"),
            (Reason::UnknownShare { count, allowed }, "`cofferdam skip`"),
            (
                Reason::Convicted {
                    stratum: "kernel=6.1".to_owned(),
                },
                "`cofferdam amend`",
            ),
            (
                Reason::ZoneTrouble {
                    group: "service=web".to_owned(),
                    out: 2,
                    allowance,
                },
                "`cofferdam hosts`",
            ),
            (Reason::Window { until: None }, "`cofferdam exclude`"),
        ] {
            let said = reason.to_string();
            assert!(said.contains(command), "{said}");
        }
    }
}
