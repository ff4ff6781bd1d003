//! Reads what an operator does.

use super::Refusal;
use crate::{
    document::Table,
    rehearse::scenario::{Act, Deed, When},
};

/// Where a rollout can stand, as `status` names it.
const PHASES: [&str; 7] = [
    "running",
    "paused",
    "aborting",
    "rolling-back",
    "done",
    "aborted",
    "rolled-back",
];

pub(super) fn read(table: &mut Table<'_, Refusal>) -> Option<Act> {
    table.require("does", "does = \"resume\"");
    let is_said = table.has("at") || table.has("when");
    let at = table.duration("at").map(When::At);
    let phase = table.choice("when", &PHASES.map(|phase| (phase, phase)));
    let phase = phase.map(|phase| When::Phase(phase.to_owned()));
    let when = match (at, phase) {
        (Some(when), None) | (None, Some(when)) => Some(when),
        (None, None) if is_said => None,
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
    if table.has("match") && does.excluded().is_none() {
        let (key, kind, why) = ("match", does.name(), "is about the whole rollout");
        table.refuse(key, Refusal::Misfit { key, kind, why });
    }
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
