//! What in a file of faults did not come to what it says, so that nobody takes calm for proof.

use super::{report::FaultSeen, scenario::When, stage::Stage};

/// What there is to note once a rollout took so long.
pub(super) fn of(faults: &[FaultSeen], took_ms: u64, stage: &Stage<'_>) -> Vec<String> {
    let mut notes: Vec<String> = stage.strangers().collect();
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
