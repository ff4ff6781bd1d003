//! What happened, as lines of text.

use super::{START, World};
use cofferdam_engine::{
    allotment::Allotment,
    cell::{CellEvent, GivenUp, Hello},
    fleet::FleetEvent,
    guard::GuardNews,
    id::{CellId, HostId},
    order::{ClaimAnswer, ClaimPoint, Direction, Order},
    report::ReportBody,
    rollout::RolloutEvent,
    time::Timestamp,
    warrant::StopKind,
};
use std::collections::BTreeSet;

impl World {
    /// Everything that was stored from a moment on, a line each, and what held the rest back. What one
    /// machine tells another stands there once, and renewals do not stand there.
    pub(crate) fn trace(&self, from: Timestamp) -> Vec<String> {
        let log = self.owner.log.iter().map(|(at, event)| (*at, line(event)));
        let mut wishes = BTreeSet::new();
        let mut is_news = |line: &String| !line.contains(" may ") || wishes.insert(line.clone());
        let told = log.filter_map(|(at, line)| Some((at, line.filter(&mut is_news)?)));
        let holds = self
            .owner
            .holds
            .iter()
            .map(|(at, holds)| (*at, holds.clone()));
        let mut lines: Vec<_> = told.chain(holds).filter(|(at, _)| *at >= from).collect();
        lines.sort_by_key(|(at, _)| *at);
        let text = |(at, line): (Timestamp, String)| {
            let millis = at.0 - START.0;
            format!("{:6}.{:03} {line}", millis / 1000, millis % 1000)
        };
        lines.into_iter().map(text).collect()
    }
}

fn line(event: &FleetEvent) -> Option<String> {
    match event {
        FleetEvent::OwnerStarted { epoch } => {
            Some(format!("the coordinator starts, epoch {epoch}"))
        }
        FleetEvent::Booted { .. } => Some("the region's machine boots".to_owned()),
        FleetEvent::HostConnected { hello } => Some(connects(hello)),
        FleetEvent::Packages { .. } | FleetEvent::FormTaken { .. } | FleetEvent::Link { .. } => {
            None
        }
        FleetEvent::CellSilent { cell, .. } => Some(format!("nothing is heard of cell {cell}")),
        FleetEvent::CellHeard { cell } => Some(format!("cell {cell} is heard of again")),
        FleetEvent::Gathered { to, hosts } => Some(format!("cell {to} takes in {}", listed(hosts))),
        FleetEvent::CalendarDeclared { calendar, by } => {
            Some(format!("{by} declares {} freezes", calendar.freezes.len()))
        }
        FleetEvent::CordPulled { by, reason } => Some(format!("{by} pulls the cord: {reason}")),
        FleetEvent::CordReleased { by, reason } => {
            Some(format!("{by} releases the cord: {reason}"))
        }
        FleetEvent::Cell {
            cell,
            event: CellEvent::Allotted { allotment },
        } => allotted(cell, allotment),
        FleetEvent::Reserved {
            hosts, by, reason, ..
        } => Some(format!("{by} takes {}: {reason}", listed(hosts))),
        FleetEvent::Unreserved { hosts, by, .. } => {
            Some(format!("{by} gives back {}", listed(hosts)))
        }
        FleetEvent::Host { event, .. } | FleetEvent::Cell { event, .. } => of_cell(event),
        FleetEvent::RolloutStarted { plan, by } => Some(format!("{by} starts {}", plan.rollout)),
        FleetEvent::Denied {
            named, place, by, ..
        } => Some(format!("{by} denies {named} to {place}")),
        FleetEvent::DenialLifted { named, by, .. } => {
            Some(format!("{by} lifts what denies {named}"))
        }
        FleetEvent::Amended {
            rollout, plan, by, ..
        } => {
            let hosts: Vec<&str> = plan.hosts.keys().map(HostId::as_str).collect();
            let (amendment, hosts) = (&plan.rollout, hosts.join(" "));
            Some(format!("{by} amends {rollout} by {amendment}: {hosts}"))
        }
        FleetEvent::Rollout { rollout, event } => {
            Some(format!("{rollout}: {}", of_rollout(event)?))
        }
        FleetEvent::ServicesDeclared { services, by } => {
            Some(format!("{by} declares {} services", services.all().len()))
        }
    }
}

fn connects(hello: &Hello) -> String {
    let service = if hello.in_service { "in" } else { "out of" };
    let open = hello
        .open
        .map(|(key, state)| format!(", order {key} {state}"));
    let (host, open) = (&hello.host.id, open.unwrap_or_default());
    format!("{host} connects, {service} service{open}")
}

fn listed(hosts: &BTreeSet<HostId>) -> String {
    let hosts: Vec<&str> = hosts.iter().map(HostId::as_str).collect();
    hosts.join(" ")
}

/// What a cell has of groups that reach beyond it. Nothing where that is its own share.
fn allotted(cell: &CellId, allotment: &Allotment) -> Option<String> {
    let rights = allotment.rights.iter().map(|right| {
        let less = match right.overdrawn {
            0 => String::new(),
            more => format!(", less {more} that are out elsewhere"),
        };
        match right.is_closed {
            true => format!("none of {}", right.group),
            false => format!("{} of {}{less}", right.tokens, right.group),
        }
    });
    let rights: Vec<String> = rights.collect();
    (!rights.is_empty()).then(|| {
        let rights = rights.join("; ");
        format!("cell {cell} has, beside its own share, {rights}")
    })
}

fn told_of_guard(host: &HostId, news: &GuardNews) -> String {
    match &news.window {
        Some(window) => format!("{host} is taken by {}: {}", window.by, window.reason),
        None => format!("{host} tells of its guard"),
    }
}

fn of_cell(event: &CellEvent) -> Option<String> {
    Some(match event {
        CellEvent::Booted => "its warrants end with the boot".to_owned(),
        CellEvent::HostDisconnected { host } => format!("{host} is silent"),
        CellEvent::PackagesChanged { host, .. } => format!("{host} has other packages"),
        CellEvent::GuardTold { host, news } => told_of_guard(host, news),
        CellEvent::DriftTold { host, drift } => format!("{host} has {} changes", drift.changes()),
        CellEvent::EffectTold { host, effect } => format!("{host} is effective: {effect}"),
        CellEvent::HostForgotten { host } => format!("{host} is forgotten"),
        CellEvent::Reserved { host, reservation } => format!("{} has {host}", reservation.by),
        CellEvent::Unreserved { host, .. } => format!("{host} is reserved no more"),
        CellEvent::Reported { host, report } => reported(host, &report.body),
        CellEvent::Claimed {
            host, key, point, ..
        } => {
            let point = match point {
                ClaimPoint::BeforeDrain => "drain",
                ClaimPoint::BeforeApply => "apply",
            };
            format!("{host} asks: order {key}, may I {point}?")
        }
        CellEvent::StageAsked { rollout, host } => format!("{rollout} -> {host}: stage"),
        CellEvent::Ordered { order } => ordered(order),
        CellEvent::Resent { rollout, host } => format!("{rollout} -> {host}: the order again"),
        CellEvent::ClaimAnswered {
            rollout,
            host,
            answer,
            ..
        } => match answer {
            ClaimAnswer::Granted => format!("{rollout} -> {host}: yes"),
            ClaimAnswer::Refused { reason } => format!("{rollout} -> {host}: no, {reason}"),
        },
        CellEvent::Withdrawn { rollout, host } => format!("{rollout} -> {host}: withdrawn"),
        CellEvent::GaveUp { rollout, host, why } => match why {
            GivenUp::NotStarted { reason } => format!("{rollout}: {host} left out, {reason}"),
            GivenUp::NotNamed => format!("{rollout}: {host} waits for another turn, unordered"),
            GivenUp::Unreachable => format!("{rollout}: {host} given up before its run"),
            GivenUp::TimedOut { failure } => format!("{rollout}: {host} given up, {failure}"),
            GivenUp::NoRoom { reason } | GivenUp::Held { reason } => {
                format!("{rollout}: {host} is left out: {reason}")
            }
            GivenUp::Skipped => format!("{rollout}: {host} is waited for no longer"),
        },
        CellEvent::Released { rollout } => format!("{rollout}: a cell forgets it"),
        // Told from the side of the rollout.
        CellEvent::OwnerStarted { .. }
        | CellEvent::HostConnected { .. }
        | CellEvent::Allotted { .. }
        | CellEvent::Assigned { .. }
        | CellEvent::Excepted { .. }
        | CellEvent::Warranted { .. }
        | CellEvent::Stopped { .. }
        | CellEvent::Braked { .. }
        | CellEvent::CalendarDeclared { .. }
        | CellEvent::CordTold { .. }
        | CellEvent::Summarised { .. }
        | CellEvent::DenialsTold { .. } => return None,
    })
}

fn ordered(order: &Order) -> String {
    let way = match order.direction {
        Direction::Patch => "patch",
        Direction::Rollback => "go back",
    };
    let (rollout, host, key) = (&order.grant.rollout, &order.host, order.key);
    format!(
        "{rollout} -> {host}: order {key}, try {}, {way}",
        order.attempt
    )
}

fn reported(host: &HostId, body: &ReportBody) -> String {
    match body {
        ReportBody::Staged {
            rollout, failure, ..
        } => match failure {
            None => format!("{host} has staged {rollout}"),
            Some(failure) => format!("{host} cannot stage {rollout}: {failure}"),
        },
        ReportBody::Refused { key, refusal } => format!("{host} refuses order {key}: {refusal}"),
        ReportBody::Entered {
            key,
            state,
            failure,
            exceptions: _,
        } => {
            let failure = failure.as_ref().map(|failure| format!(" ({failure})"));
            format!(
                "{host} is {state}, order {key}{}",
                failure.unwrap_or_default()
            )
        }
        ReportBody::Service { in_service, detail } => match in_service {
            true => format!("{host} is in service"),
            false => format!("{host} is out of service: {detail}"),
        },
    }
}

fn of_rollout(event: &RolloutEvent) -> Option<String> {
    Some(match event {
        RolloutEvent::Asked { action, by, .. } => format!("{by} asks for {}", action.name()),
        RolloutEvent::Excepted {
            word, hosts, by, ..
        } => {
            let hosts: Vec<&str> = hosts.iter().map(HostId::as_str).collect();
            format!("{by}: {} {}", word.name(), hosts.join(" "))
        }
        RolloutEvent::Approved { by, .. } => format!("{by} approves"),
        RolloutEvent::Promoted { by, .. } => format!("{by} ends the bake"),
        RolloutEvent::Summarised { summary } => {
            let finding = summary.braked.as_ref()?;
            format!("cell {} stopped itself: {finding}", summary.cell)
        }
        RolloutEvent::Warranted { warrant, .. } => {
            let hosts: Vec<&str> = warrant.hosts.iter().map(HostId::as_str).collect();
            let way = match warrant.direction {
                Direction::Patch => "may start",
                Direction::Rollback => "may take back",
            };
            format!("cell {} {way} {}", warrant.cell, hosts.join(" "))
        }
        RolloutEvent::Stopped { stop } => {
            let kind = match stop.kind {
                StopKind::Pause => "pauses",
                StopKind::End => "ends",
            };
            format!("cell {} {kind}", stop.cell)
        }
        RolloutEvent::Braked { finding } => format!("the brake: {finding}"),
        RolloutEvent::BakeBegan { wave } => format!("wave {wave} bakes"),
        RolloutEvent::WavePassed { wave } => format!("wave {wave} has passed"),
        RolloutEvent::Ended { end } => format!("over: {end:?}"),
        RolloutEvent::Assigned { .. } | RolloutEvent::ExceptionsTold { .. } => return None,
    })
}
