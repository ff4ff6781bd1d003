//! What in a file of faults did not come to what it says, so that nobody takes calm for proof; and what was not
//! well before the rollout.

use super::{report::FaultSeen, scenario::When, stage::Stage};
use crate::modelled_fleet::{Beginning, State};

/// What there is to note once a rollout took so long.
pub(super) fn of(
    faults: &[FaultSeen],
    took_ms: u64,
    stage: &Stage<'_>,
    beginning: &Beginning,
) -> Vec<String> {
    let mut notes: Vec<String> = unwell(beginning).into_iter().collect();
    notes.extend(stage.strangers());
    for fault in faults {
        let name = &fault.name;
        match fault.struck_ms {
            Some(struck) if struck > took_ms => {
                notes.push(format!(
                    "fault {name} struck after the end: let it come earlier"
                ));
            }
            Some(_) => {}
            None if fault.hosts == 0 => {
                notes.push(format!(
                    "fault {name} is about no host of the fleet: look at its match, share and hosts"
                ));
            }
            None => notes.push(format!(
                "fault {name} never struck: none of its hosts came to its step"
            )),
        }
    }
    for act in stage.not_acted() {
        notes.push(match &act.when {
            When::At(_) => format!("an operator's {} was never due", act.does.name()),
            When::Phase(phase) => format!(
                "an operator's {} waited for {phase}, which the rollout never was",
                act.does.name()
            ),
        });
    }
    notes
}

/// How many hosts did not stand as usual before anything was done. Nothing: all did.
fn unwell(beginning: &Beginning) -> Option<String> {
    let count = |is_so: fn(&State) -> bool| {
        let states = beginning.states.values();
        states.filter(|state| is_so(state)).count()
    };
    let out = count(|state| state.out.is_some());
    let away = count(|state| !state.is_connected);
    (out + away > 0)
        .then(|| format!("when it began, {out} of the hosts were out and {away} not connected"))
}
