//! Why a rollout, a cell or a host does not move.

use super::{
    Situation, aftermath, changed, cluster, guard,
    host::{connected_since, out, out_in_words, run, serves},
    region,
    rollout::{reason, rollout_of, state},
    said, strata,
};
use cofferdam_engine::{
    cell::{Cell, Member},
    cells,
    counts::Counts,
    denial::Place,
    duration,
    hold::{Hold, Subject},
    id::{CellId, HostId, RolloutId},
    plan::Plan,
    rollout::Rollout,
    time::Timestamp,
    warrant::{Change, FailedEnd, Outcome},
};
use cofferdam_proto::operator::{Explanation, Fact, HoldView, SubjectKind};
use std::{collections::BTreeSet, time::Duration};

/// Explains a rollout, a cell or a host by its name. Nothing when nothing has that name.
pub(crate) fn explain(situation: Situation<'_>, subject: &str) -> Option<Explanation> {
    let rollouts = situation.fleet.rollouts();
    if let Some(rollout) = RolloutId::new(subject)
        .ok()
        .and_then(|id| rollouts.get(&id))
    {
        return Some(explain_rollout(situation, rollout));
    }
    let cells = situation.fleet.cells();
    if let Some(cell) = CellId::new(subject).ok().and_then(|id| cells.get(&id)) {
        return Some(explain_cell(situation, cell));
    }
    let (cell, member) = situation.fleet.host(&HostId::new(subject).ok()?)?;
    Some(explain_host(situation, cell, member))
}

/// The hosts of a rollout, of a cell, or the host itself. Empty: nothing has that name.
pub(crate) fn hosts_of(
    situation: Situation<'_>,
    kind: SubjectKind,
    subject: &str,
) -> BTreeSet<HostId> {
    match kind {
        SubjectKind::Rollout => {
            let id = RolloutId::new(subject).ok();
            let rollout = id.and_then(|id| situation.fleet.rollouts().get(&id));
            rollout.map_or_else(BTreeSet::new, |r| r.plan().hosts.keys().cloned().collect())
        }
        SubjectKind::Cell => {
            let id = CellId::new(subject).ok();
            let cell = id.and_then(|id| situation.fleet.cells().get(&id));
            cell.map_or_else(BTreeSet::new, |cell| {
                cell.members().keys().cloned().collect()
            })
        }
        SubjectKind::Host => HostId::new(subject).into_iter().collect(),
    }
}

fn explain_rollout(situation: Situation<'_>, rollout: &Rollout) -> Explanation {
    let name = &rollout.plan().rollout;
    let lines = lines(situation, |subject| rollout_of(subject) == name);
    let why = reason(rollout);
    let state = state(rollout).to_string();
    let headline = match telling(&lines) {
        _ if why.replace(' ', "-").starts_with(&state) => why,
        _ if !why.is_empty() => format!("{state}: {why}"),
        Some(line) if rollout.is_live() => format!("{state}: {}", line.reason),
        _ => state,
    };
    let mut facts = Facts::default();
    facts.add("started by", rollout.by());
    facts.add("signed by", signer(rollout.plan()));
    if let Some(amends) = &rollout.plan().amends {
        let what = format!("{}, generation {}", amends.rollout, amends.generation);
        facts.add("amends", what);
    }
    for amendment in rollout.amended_by() {
        facts.add("amended by", amendment);
    }
    facts.add("rollout digest", rollout.plan().rollout_digest);
    facts.add("selected hosts", rollout.plan().hosts.len());
    facts.add_all("region", region::unheard_of(situation, rollout));
    facts.add_all("clock", situation.clock());
    add_counts(&mut facts, rollout);
    add_said(&mut facts, rollout, situation.now);
    add_left(&mut facts, rollout);
    add_aftermath(&mut facts, situation, rollout);
    if let Some(line) = changed::among(rollout) {
        facts.add("changed since the plan", line);
    }
    for line in strata::judged(rollout) {
        facts.add("strata", line);
    }
    for cluster in cluster::failures(rollout) {
        let hosts: Vec<_> = cluster.hosts.iter().map(HostId::as_str).collect();
        let failure = format!("{}: {}", cluster.kind, cluster.detail);
        facts.add(&format!("failed on {}", hosts.join(", ")), failure);
    }
    for (host, why) in rollout.left_late() {
        facts.add(&format!("not taken: {host}"), why);
    }
    for line in cluster::left_out(rollout) {
        facts.add("left out", line);
    }
    for line in cluster::exceptions(rollout) {
        facts.add("set aside", line);
    }
    Explanation {
        kind: SubjectKind::Rollout,
        subject: name.to_string(),
        headline,
        lines,
        facts: facts.0,
    }
}

/// How its hosts stand.
fn add_counts(facts: &mut Facts, rollout: &Rollout) {
    let counts = Counts::of(rollout.outcomes().values());
    facts.add("running", counts.running);
    facts.add("passed", counts.passed);
    facts.add("failed", counts.failed);
    facts.add("timed out", counts.timed_out);
    facts.add("unreachable", counts.unreachable);
    facts.add("left out", counts.left_out + counts.unknown);
    if counts.gone > 0 {
        facts.add("gone", counts.gone);
    }
    facts.add("skipped", counts.skipped);
    facts.add("rolled back", counts.rolled_back);
}

/// Who signed a rollout, in words.
fn signer(plan: &Plan) -> &str {
    match (&plan.signer, plan.is_signed()) {
        (Some(signer), _) => signer,
        (None, true) => "somebody: this coordinator has no list of signers to look it up in",
        (None, false) => "nobody",
    }
}

/// The hosts that it leaves to a later rollout when it is taken back.
fn add_left(facts: &mut Facts, rollout: &Rollout) {
    if rollout.superseded().is_empty() {
        return;
    }
    let left: Vec<_> = rollout.superseded().iter().map(HostId::as_str).collect();
    let line = format!(
        "{}: a later rollout changed the same there; take that one back, then this one once more",
        left.join(", ")
    );
    facts.add("not taken back", line);
}

/// How far it is in effect, and what ways back of it left behind.
fn add_aftermath(facts: &mut Facts, situation: Situation<'_>, rollout: &Rollout) {
    if let Some(effective) = aftermath::effective(situation, rollout) {
        facts.add("effective", effective);
    }
    if let Some(line) = aftermath::left_behind(situation, rollout) {
        facts.add("left behind", line);
    }
}

/// What people said of a rollout.
fn add_said(facts: &mut Facts, rollout: &Rollout, now: Timestamp) {
    for approval in said::approvals(rollout) {
        facts.add("approval", approval.told(&ago(approval.at_ms, now)));
    }
    for promotion in said::promotions(rollout) {
        facts.add("promoted", promotion.told(&ago(promotion.at_ms, now)));
    }
}

pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let whole = Duration::from_secs(now.since(at).as_secs());
    format!("{} ago", duration::format(whole))
}

fn explain_cell(situation: Situation<'_>, cell: &Cell) -> Explanation {
    let id = cell.id();
    let lines = lines(situation, |subject| match subject {
        Subject::Slice { cell, .. } => cell == id,
        Subject::Host { host, .. } => cell.members().contains_key(host),
        Subject::Rollout { .. } | Subject::Wave { .. } => false,
    });
    let members = cell.members();
    let is_out = |host: &&HostId| cell.is_out(host);
    let hosts_out: Vec<_> = members.keys().filter(is_out).collect();
    let mut facts = Facts::default();
    facts.add_all("region", region::of_cell(situation, id));
    facts.add_all("clock", situation.clock());
    facts.add("hosts", members.len());
    let connected = members.values().filter(|member| member.is_connected());
    facts.add("connected", connected.count());
    for host in &hosts_out {
        let why = match cell.ledger().entry(host).map(out) {
            Some(entry) => out_in_words(&entry, situation.now),
            None => "not heard from".to_owned(),
        };
        facts.add(&format!("out: {host}"), why);
    }
    for (rollout, work) in cell.work() {
        let at_work = format!("{} of {} hosts at work", work.active(), work.jobs.len());
        facts.add(&format!("rollout {rollout}"), at_work);
    }
    Explanation {
        kind: SubjectKind::Cell,
        subject: id.to_string(),
        headline: format!("{} of {} hosts are out", hosts_out.len(), members.len()),
        lines,
        facts: facts.0,
    }
}

/// What is said of a host that is in a cell of a place where it is no more.
const MOVED: &str = "its labels say another zone than its cell's: forget it while no rollout is at work \
                     on it, and it gets its new cell when it connects";

fn explain_host(situation: Situation<'_>, cell: &Cell, member: &Member) -> Explanation {
    let id = &member.host.id;
    let lines = host_lines(situation, cell, id);
    let run = run(cell, id, situation.now);
    let entry = cell.ledger().entry(id).map(out);
    let headline = match (&run, telling(&lines), &entry) {
        (Some(run), ..) => format!("at work: {}", run.state),
        (None, Some(first), _) => format!("waits: {}", first.reason),
        (None, None, Some(entry)) => format!("out: {}", entry.why),
        (None, None, None) if member.is_connected() => "at rest".to_owned(),
        (None, None, None) => "not connected".to_owned(),
    };
    let mut facts = Facts::default();
    facts.add_all("region", region::of_cell(situation, cell.id()));
    facts.add("cell", cell.id());
    facts.add_all("clock", situation.clock());
    if !cells::is_of_place(&member.host, cell.id()) {
        facts.add("moved", MOVED);
    }
    facts.add("connected", connected(member, situation.now));
    let serves = serves(cell, member);
    facts.add("in service", if serves { "yes" } else { "no" });
    if !member.detail.is_empty() {
        facts.add("what fails", &member.detail);
    }
    if let Some(entry) = entry {
        facts.add("out", out_in_words(&entry, situation.now));
    }
    facts.add("platform", &member.host.facts.platform);
    facts.add("agent", &member.version);
    add_watched(&mut facts, member, situation.now);
    if member.failed_runs > 0 {
        facts.add("failed runs", member.failed_runs);
    }
    for denied in denied(cell, id) {
        facts.add("denied", denied);
    }
    for (name, rollout) in situation.fleet.rollouts() {
        if let Some(needed) = rollout.plan().approvals.get(id) {
            let alone = format!("the only one of {}: needs an approval", needed.group);
            facts.add(&format!("in rollout {name}"), alone);
        }
        if let Some(outcome) = rollout.outcomes().get(id) {
            facts.add(&format!("in rollout {name}"), outcome_in_words(outcome));
        }
        if let Some(changed) = changed::of_host(rollout, id) {
            facts.add(&format!("in rollout {name}"), changed);
        }
        if let Some(exception) = rollout.exceptions().get(id) {
            facts.add(&format!("in rollout {name}"), exception);
        }
    }
    Explanation {
        kind: SubjectKind::Host,
        subject: id.to_string(),
        headline,
        lines,
        facts: facts.0,
    }
}

/// What its guard told, what changed on it without an order, and whether what is installed is in effect.
fn add_watched(facts: &mut Facts, member: &Member, now: Timestamp) {
    if let Some(record) = &member.guard {
        facts.add("guard", guard::standing(record, now));
        if record.dropped > 0 {
            let before = format!("{} unasked changes before these", record.dropped);
            facts.add("guard saw", before);
        }
        for event in &record.events {
            facts.add("guard saw", format!("{event}, {}", ago(event.at, now)));
        }
    }
    if let Some(effect) = &member.effect {
        facts.add("effective", effect.to_string());
    }
    for line in aftermath::left_on(member) {
        facts.add("not as before", line);
    }
    if let Some(drift) = &member.drift {
        facts.add("drift", guard::drifted(drift));
        for line in &drift.lines {
            facts.add("changed", line);
        }
    }
}

/// What is denied to a host, to its cell and to the fleet: each with its bits, who and why.
fn denied(cell: &Cell, id: &HostId) -> impl Iterator<Item = String> {
    let holds = cell.denials().iter();
    let holds = holds.filter(|(_, _, denial)| denial.lifted.is_none());
    holds.filter_map(move |(bits, place, denial)| match &place {
        Place::Host { host } if host != id => None,
        Place::Fleet | Place::Cell { .. } | Place::Host { .. } => {
            Some(format!("{bits} for {place}: {denial}"))
        }
    })
}

/// What holds a host: itself first, else its cell's slice, else the rollouts that it is part of.
fn host_lines(situation: Situation<'_>, cell: &Cell, id: &HostId) -> Vec<HoldView> {
    let own = lines(
        situation,
        |subject| matches!(subject, Subject::Host { host, .. } if host == id),
    );
    if !own.is_empty() {
        return own;
    }
    let awaits = |rollout: &RolloutId| {
        let rollout = situation.fleet.rollouts().get(rollout);
        rollout.is_some_and(|rollout| {
            let outcome = rollout.outcomes().get(id);
            rollout.plan().hosts.contains_key(id)
                && matches!(outcome, None | Some(Outcome::Waiting))
        })
    };
    lines(situation, |subject| match subject {
        Subject::Host { .. } => false,
        Subject::Slice {
            rollout,
            cell: held,
        } => held == cell.id() && awaits(rollout),
        Subject::Rollout { rollout } | Subject::Wave { rollout, .. } => awaits(rollout),
    })
}

fn lines(situation: Situation<'_>, is_meant: impl Fn(&Subject) -> bool) -> Vec<HoldView> {
    let meant = |hold: &&Hold| is_meant(&hold.subject);
    cluster::holds(situation.fleet, situation.holds().iter().filter(meant))
}

/// What is known, in the order to show it.
#[derive(Debug, Default)]
struct Facts(Vec<Fact>);

impl Facts {
    fn add_all(&mut self, key: &str, values: impl IntoIterator<Item = String>) {
        values.into_iter().for_each(|value| self.add(key, value));
    }

    fn add(&mut self, key: &str, value: impl ToString) {
        self.0.push(Fact {
            key: key.to_owned(),
            value: value.to_string(),
        });
    }
}

/// The line that tells most: that others are awaited says less than why they are.
fn telling(lines: &[HoldView]) -> Option<&HoldView> {
    let is_cause = |line: &&HoldView| line.rule != "slices";
    lines.iter().find(is_cause).or(lines.first())
}

/// How long the host has had its session, to the second.
fn connected(member: &Member, now: Timestamp) -> String {
    let Some(since) = connected_since(member) else {
        return "no".to_owned();
    };
    let secs = now.since(since).as_secs();
    format!("for {}", duration::format(Duration::from_secs(secs)))
}

fn outcome_in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Waiting => "waits".to_owned(),
        Outcome::Running => "at work".to_owned(),
        Outcome::Passed => "patched".to_owned(),
        Outcome::Failed { failure, end } => {
            let end = match end {
                FailedEnd::RolledBack => "rolled back",
                FailedEnd::Quarantined => "quarantined",
                FailedEnd::Silent => "not heard of since",
            };
            format!("failed, {end}: {failure}")
        }
        Outcome::LeftOut { reason, .. } => format!("left out: {reason}"),
        Outcome::Skipped { change, .. } => match change {
            Change::NotBegun => "skipped: its change had not begun".to_owned(),
            Change::Unknown => "skipped in its run, not heard of since".to_owned(),
        },
        Outcome::RolledBack => "rolled back by order".to_owned(),
        Outcome::Gone => "deleted from the inventory".to_owned(),
    }
}
