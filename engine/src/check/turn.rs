//! Promise 3, within a wave: regions and zones open in the order of the plan.

use super::{Broken, Disturbance, Step, approval, silence, wave};
use crate::{
    id::{CellId, HostId, WaveIndex},
    inventory::PATCHER,
    order::Direction,
    plan::PlannedWave,
    rollout::{Rollout, RolloutCommand, WhyOwnTurn},
    time::Timestamp,
    warrant::Outcome,
};

/// A cell that is opened comes after every cell of the turns before its own, and of the zones before
/// its own in its region, which have baked.
pub(super) fn by_rollout(
    rollout: &Rollout,
    command: &RolloutCommand,
    now: Timestamp,
    all: &mut Vec<Broken>,
) {
    let RolloutCommand::Warrant {
        warrant, opinion, ..
    } = command
    else {
        return;
    };
    if warrant.direction == Direction::Patch {
        let progress = rollout.cells().get(&warrant.cell);
        let granted = progress.and_then(|progress| progress.granted());
        let is_new = |host: &&HostId| !granted.unwrap_or_default().contains(host);
        let mut new = warrant.hosts.iter().filter(is_new);
        let found = new.find_map(|host| {
            let turn = out_of_turn(rollout, host, now);
            turn.or_else(|| unfounded(rollout, host))
        });
        all.extend(found.map(|what| broken(rollout, &what)));
        let opinion = opinion.iter().find(|host| !wave::is_opinion(rollout, host));
        let found = opinion.map(|host| format!("calls host {host} an opinion, and it is none"));
        all.extend(found.map(|what| broken(rollout, &what)));
    }
    let is_open = is_opened(rollout, &warrant.cell);
    let opens = |host: &&HostId| {
        let planned = rollout.plan().hosts.get(*host);
        planned.is_some_and(|planned| planned.wave <= rollout.wave())
            && waits_for_cell(rollout, host)
            && !wave::is_over(rollout, host)
    };
    if warrant.direction != Direction::Patch || is_open || !warrant.hosts.iter().any(|h| opens(&h))
    {
        return;
    }
    let found =
        awaited(rollout, &warrant.cell, now).or_else(|| beside(rollout, &warrant.cell, now));
    let cell = &warrant.cell;
    all.extend(found.map(|what| broken(rollout, &format!("opens cell {cell}: {what}"))));
}

/// The patcher's own hosts are disturbed in the last wave only, but for second opinions; and a host is
/// ordered in a cell that its wave has opened, unless it has its turn by itself.
pub(super) fn by_disturbing(of: &Disturbance<'_>, all: &mut Vec<Broken>) {
    let waves = of.rollout.plan().waves.len();
    let is_last = usize::try_from(of.rollout.wave().0).is_ok_and(|wave| wave + 1 >= waves);
    let has_own = has_own_turn(of.rollout, of.host());
    if of.is_forward() && of.member.host.is_marked(PATCHER) && !is_last && !has_own {
        all.push(of.broken(3, "it is the patcher's own, and the wave is not the last"));
    }
    let planned = of.rollout.plan().hosts.get(of.host());
    let is_of_wave = planned.is_some_and(|planned| planned.wave == of.rollout.wave());
    let waits =
        is_of_wave && !is_opened(of.rollout, of.cell.id()) && waits_for_cell(of.rollout, of.host());
    if of.step == Step::Order && of.is_forward() && waits && silence::has_heard_wish(of) {
        all.push(of.broken(3, "its cell has not had its turn in the wave"));
    }
}

/// Whether a host has its turn in the present wave by itself.
pub(super) fn has_own_turn(rollout: &Rollout, host: &HostId) -> bool {
    let turn = rollout.own_turns().get(host);
    turn.is_some_and(|turn| turn.wave == rollout.wave())
}

fn waits_for_cell(rollout: &Rollout, host: &HostId) -> bool {
    goes_with_others(rollout, host)
        && !has_own_turn(rollout, host)
        && !wave::is_opinion(rollout, host)
}

/// Why a host that is granted has no right to the turn that it has by itself.
fn unfounded(rollout: &Rollout, host: &HostId) -> Option<String> {
    let turn = rollout.own_turns().get(host)?;
    let outcome = rollout.outcomes().get(host);
    let is_founded = match turn.why {
        WhyOwnTurn::Opinion => true,
        // A pause may have come between its order and this leave.
        WhyOwnTurn::Again => matches!(outcome, Some(Outcome::Waiting | Outcome::Running)),
        WhyOwnTurn::PutOff => !approval::is_awaited(rollout, host),
        WhyOwnTurn::AtWork => outcome.is_some(),
    };
    let is_now = turn.wave == rollout.wave();
    (is_now && !is_founded).then(|| format!("gives host {host} a turn for nothing"))
}

fn broken(rollout: &Rollout, what: &str) -> Broken {
    let name = &rollout.plan().rollout;
    Broken {
        promise: 3,
        what: format!("rollout {name} {what}"),
    }
}

fn present(rollout: &Rollout) -> Option<&PlannedWave> {
    rollout.plan().wave(rollout.wave())
}

fn goes_with_others(rollout: &Rollout, host: &HostId) -> bool {
    let apart = present(rollout).map(|wave| &wave.order);
    apart.is_none_or(|order| {
        !order
            .ahead
            .iter()
            .flatten()
            .chain(&order.behind)
            .any(|h| h == host)
    })
}

/// Why a host of the present wave is granted before others that go first.
fn out_of_turn(rollout: &Rollout, host: &HostId, now: Timestamp) -> Option<String> {
    let order = &present(rollout)?.order;
    let plan = rollout.plan();
    let is_of_wave = |host: &HostId| {
        plan.hosts
            .get(host)
            .is_some_and(|p| p.wave == rollout.wave())
    };
    if !is_of_wave(host)
        || wave::is_over(rollout, host)
        || wave::is_opinion(rollout, host)
        || has_own_turn(rollout, host)
    {
        return None;
    }
    let is_done = |host: &HostId| {
        let planned = plan.hosts.get(host);
        let may_wait = |p| wave::is_held_for_good(rollout, p) || is_left(rollout, &p.cell, now);
        wave::is_over(rollout, host)
            || approval::is_awaited(rollout, host)
            || planned.is_some_and(may_wait)
    };
    let before = order.ahead.iter().take_while(|hosts| !hosts.contains(host));
    let mut first: Vec<&HostId> = before.flatten().collect();
    if order.behind.contains(host) {
        let others = plan
            .hosts
            .keys()
            .filter(|h| is_of_wave(h) && !order.behind.contains(h));
        first.extend(others.chain(order.behind.iter().take_while(|other| *other != host)));
    }
    let awaited = first.into_iter().find(|other| !is_done(other))?;
    Some(format!(
        "grants host {host} before {awaited} is over, which goes first"
    ))
}

/// Why it is not the cell's turn.
fn awaited(rollout: &Rollout, cell: &CellId, now: Timestamp) -> Option<String> {
    let planned = present(rollout)?;
    for turn in &planned.opening.turns {
        if !turn.cells().any(|other| other == cell) {
            let works = turn.cells().find(|other| !is_over(rollout, other, now));
            if let Some(other) = works {
                return Some(format!("cell {other} of an earlier turn is not over"));
            }
            continue;
        }
        let chain = turn
            .chains
            .iter()
            .find(|c| c.cells().any(|other| other == cell))?;
        for zone in chain.zones.iter().take_while(|zone| !zone.contains(cell)) {
            if let Some(other) = zone.iter().find(|other| !is_over(rollout, other, now)) {
                return Some(format!("cell {other} of an earlier zone is not over"));
            }
        }
        return None;
    }
    Some("the wave has no such cell".to_owned())
}

/// What the wave has opened since it went on without the cell, and must end first: cells of other turns,
/// and of other zones of its region, whose bakes are over too.
fn beside(rollout: &Rollout, cell: &CellId, now: Timestamp) -> Option<String> {
    let planned = present(rollout)?;
    let works = |other: &&CellId| is_opened(rollout, other) && !is_over(rollout, other, now);
    for turn in &planned.opening.turns {
        if turn.cells().all(|other| other != cell) {
            if let Some(other) = turn.cells().find(works) {
                return Some(format!("cell {other} of another turn is at work"));
            }
            continue;
        }
        let mut chains = turn.chains.iter();
        let chain = chains.find(|chain| chain.cells().any(|other| other == cell))?;
        let others = chain.zones.iter().filter(|zone| !zone.contains(cell));
        for other in others.flatten() {
            if works(&other) {
                return Some(format!("cell {other} of another zone is at work"));
            }
            if is_opened(rollout, other) && bakes(rollout, other, planned, now) {
                return Some(format!("the zone of cell {other} bakes"));
            }
        }
    }
    None
}

/// Whether the wait after a cell's zone is not over.
fn bakes(rollout: &Rollout, cell: &CellId, wave: &PlannedWave, now: Timestamp) -> bool {
    let ended = rollout.cells().get(cell).and_then(|p| p.closed_at);
    ended.is_some_and(|ended| now < ended.after(wave.zone_bake))
}

/// Whether the wave may go on without a cell, of which nothing is heard.
pub(super) fn is_left(rollout: &Rollout, cell: &CellId, now: Timestamp) -> bool {
    rollout.wave() != WaveIndex(0) && silence::is_unknown(rollout, cell, now)
}

fn is_opened(rollout: &Rollout, cell: &CellId) -> bool {
    let opened = rollout
        .cells()
        .get(cell)
        .and_then(|progress| progress.opened);
    opened.is_some_and(|(wave, _)| wave == rollout.wave())
}

/// Whether every host that the present wave has in a cell is over, held for good, or waits for people,
/// but for those that go after all others; or the wave may go on without the cell.
fn is_over(rollout: &Rollout, cell: &CellId, now: Timestamp) -> bool {
    if is_left(rollout, cell, now) {
        return true;
    }
    let behind = present(rollout).map(|wave| wave.order.behind.as_slice());
    let is_behind = |host: &HostId| behind.unwrap_or_default().contains(host);
    let mut hosts = rollout.plan().hosts.iter();
    hosts.all(|(host, planned)| {
        planned.cell != *cell
            || planned.wave != rollout.wave()
            || is_behind(host)
            || wave::is_over(rollout, host)
            || wave::is_held_for_good(rollout, planned)
            || approval::is_awaited(rollout, host)
    })
}
