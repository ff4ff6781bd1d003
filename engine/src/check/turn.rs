//! Promise 3, within a wave: regions and zones open in the order of the plan.

use super::{Broken, approval, silence, wave};
use crate::{
    id::{CellId, HostId, WaveIndex},
    order::Direction,
    rollout::{Rollout, RolloutCommand},
    time::Timestamp,
};

/// A cell that is opened comes after every cell of the turns before its own, and of the zones before
/// its own in its region, which have baked.
pub(super) fn by_rollout(
    rollout: &Rollout,
    command: &RolloutCommand,
    now: Timestamp,
    all: &mut Vec<Broken>,
) {
    let RolloutCommand::Warrant(warrant) = command else {
        return;
    };
    let is_open = is_opened(rollout, &warrant.cell);
    let opens = |host: &&HostId| {
        let planned = rollout.plan().hosts.get(*host);
        planned.is_some_and(|planned| planned.wave == rollout.wave())
            && !wave::is_over(rollout, host)
            && !wave::is_opinion(rollout, host)
    };
    if warrant.direction != Direction::Patch || is_open || !warrant.hosts.iter().any(|h| opens(&h))
    {
        return;
    }
    let found = early(rollout, &warrant.cell, now);
    let name = &rollout.plan().rollout;
    all.extend(found.map(|what| Broken {
        promise: 3,
        what: format!("rollout {name} opens cell {}: {what}", warrant.cell),
    }));
}

/// Why it is not the cell's turn.
fn early(rollout: &Rollout, cell: &CellId, now: Timestamp) -> Option<String> {
    let place = usize::try_from(rollout.wave().0).ok()?;
    let planned = rollout.plan().waves.get(place)?;
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
            let bakes = |other: &&CellId| {
                let ended = rollout.cells().get(*other).and_then(|p| p.closed_at);
                is_opened(rollout, other)
                    && ended.is_some_and(|ended| now < ended.after(planned.zone_bake))
            };
            if let Some(other) = zone.iter().find(bakes) {
                return Some(format!("the zone of cell {other} bakes"));
            }
        }
        return None;
    }
    Some("the wave has no such cell".to_owned())
}

fn is_opened(rollout: &Rollout, cell: &CellId) -> bool {
    let opened = rollout
        .cells()
        .get(cell)
        .and_then(|progress| progress.opened);
    opened.is_some_and(|(wave, _)| wave == rollout.wave())
}

/// Whether every host that the present wave has in a cell is over, held for good, or waits for people;
/// or the wave may go on without the cell.
fn is_over(rollout: &Rollout, cell: &CellId, now: Timestamp) -> bool {
    if rollout.wave() != WaveIndex(0) && silence::is_unknown(rollout, cell, now) {
        return true;
    }
    let mut hosts = rollout.plan().hosts.iter();
    hosts.all(|(host, planned)| {
        planned.cell != *cell
            || planned.wave != rollout.wave()
            || wave::is_over(rollout, host)
            || wave::is_held_for_good(rollout, planned)
            || approval::is_awaited(rollout, host)
    })
}
