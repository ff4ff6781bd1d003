//! How a simulation ended, and whether it kept the promises.

use super::{Rack, layout::Part, operator::Sights};
use cofferdam_agent::actions::{Effect, Flag};
use cofferdam_coordinator::store::{Record, memory::MemoryDisk};
use cofferdam_engine::{
    cell::CellEvent,
    check,
    fleet::{Fleet, FleetEvent},
    hold::Hold,
    id::HostId,
    order::{ClaimAnswer, ClaimPoint},
    rollout::{Rollout, RolloutEvent},
    time::Timestamp,
};
use cofferdam_proto::operator::{Explanation, RolloutView};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, SubscriberExt},
};

/// How a simulation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The seed that repeats it.
    pub seed: u64,
    /// The rollout, as the operator last saw it.
    pub rollout: RolloutView,
    /// What the operator had explained, each time that it asked.
    pub explained: Vec<Vec<Explanation>>,
    /// What changed on each host, in order.
    pub effects: BTreeMap<HostId, Vec<Effect>>,
    /// Hosts whose flag is down.
    pub drained: Vec<HostId>,
    /// The coordinator's history, a line an event: the trace that a seed repeats. Of several the one of the
    /// control plane, then those of the regions.
    pub history: Vec<String>,
    /// The history of each process, by its host.
    pub histories: BTreeMap<&'static str, Vec<String>>,
    /// The state that the history leads to.
    pub fleet: Fleet,
}

impl Ending {
    /// Hosts on which an effect is, and how often.
    pub fn count(&self, is_it: impl Fn(&Effect) -> bool) -> BTreeMap<HostId, usize> {
        let counted = self.effects.iter().map(|(host, effects)| {
            (
                host.clone(),
                effects.iter().filter(|effect| is_it(effect)).count(),
            )
        });
        counted.filter(|(_, times)| *times > 0).collect()
    }
}

/// Reads how it ended, and replays the coordinator's history under the checker.
pub(super) fn judge(
    seed: u64,
    seen: Sights,
    disks: &[(Part, MemoryDisk)],
    racks: &[Rack],
) -> Ending {
    let histories: Vec<Vec<String>> = disks.iter().map(|(_, disk)| history(disk)).collect();
    let fleets: Vec<Fleet> = histories.iter().map(|history| replay(history)).collect();
    let history = histories.concat();
    let hosts = disks.iter().map(|(part, _)| part.host());
    let histories = hosts.zip(histories).collect();
    let seats = || racks.iter().flat_map(Rack::seats);
    Ending {
        seed,
        rollout: seen.rollout.expect("the operator saw how it ended"),
        explained: seen.explained,
        effects: seats()
            .map(|seat| (seat.host.clone(), seat.actions.effects()))
            .collect(),
        drained: seats()
            .filter(|seat| seat.actions.flag() == Flag::Down)
            .map(|seat| seat.host.clone())
            .collect(),
        fleet: fleets.into_iter().next().expect("there is a process"),
        history,
        histories,
    }
}

/// Why a fleet does not move, after the last that it stored.
pub(super) fn holds(disks: &[(Part, MemoryDisk)]) -> Vec<Hold> {
    let held = disks.iter().flat_map(|(_, disk)| {
        let fleet = replay(&history(disk));
        let now = fleet.rollouts().values().map(Rollout::started_at).max();
        fleet.decide(now.unwrap_or_default()).holds
    });
    held.collect()
}

fn history(disk: &MemoryDisk) -> Vec<String> {
    let loaded = disk.content();
    assert!(
        loaded.checkpoint.is_none(),
        "a scene is shorter than the time between checkpoints"
    );
    let text = |record: &Record| String::from_utf8(record.0.clone()).expect("events are JSON");
    loaded.records.iter().map(text).collect()
}

fn replay(history: &[String]) -> Fleet {
    #[derive(Deserialize)]
    struct Entry {
        at: Timestamp,
        event: FleetEvent,
    }
    let mut fleet = Fleet::default();
    for line in history {
        let entry: Entry = serde_json::from_str(line).expect("an entry of the history");
        let is_stopped = fleet.cord_in_force().is_some();
        assert!(
            !(is_stopped && begins(&entry.event)),
            "under the cord: {line}"
        );
        fleet
            .apply(&entry.event, entry.at)
            .expect("what was stored can be replayed");
        let broken = check::broken(&fleet);
        assert!(broken.is_empty(), "after {line}: {broken:?}");
    }
    fleet
}

/// Whether something of a rollout begins with an event: leave is given, a host is ordered or let past the
/// point of disruption.
fn begins(event: &FleetEvent) -> bool {
    matches!(
        event,
        FleetEvent::Rollout {
            event: RolloutEvent::Warranted { .. },
            ..
        } | FleetEvent::Cell {
            event: CellEvent::Ordered { .. }
                | CellEvent::ClaimAnswered {
                    point: ClaimPoint::BeforeDrain,
                    answer: ClaimAnswer::Granted,
                    ..
                },
            ..
        }
    )
}

/// Runs something; panics when it logs an ERROR line.
pub(super) fn without_error_lines<T>(run: impl FnOnce() -> T) -> T {
    let errors = ErrorLines::default();
    // What was logged is shown with a test that fails.
    let log = tracing_subscriber::fmt::layer()
        .with_test_writer()
        .without_time();
    let only_ours = Targets::new().with_target("cofferdam", Level::INFO);
    let subscriber = tracing_subscriber::registry()
        .with(log.with_filter(only_ours))
        .with(errors.clone());
    let result = tracing::subscriber::with_default(subscriber, run);
    let lines = errors.0.lock().expect("nobody panics with it").clone();
    assert!(lines.is_empty(), "ERROR lines: {lines:#?}");
    result
}

#[derive(Debug, Clone, Default)]
struct ErrorLines(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for ErrorLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let is_ours = event.metadata().target().starts_with("cofferdam");
        if is_ours && *event.metadata().level() == Level::ERROR {
            let mut line = Line(String::new());
            event.record(&mut line);
            self.0.lock().expect("nobody panics with it").push(line.0);
        }
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0 += &format!("{field}={value:?} ");
    }
}
