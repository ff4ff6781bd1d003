//! Reads an incident's file.

use super::{Expected, Incident};
use crate::{
    document::{Mistakes, Table},
    duration::DurationError,
    modelled_fleet::{FleetErrors, ModelledFleet},
    rehearse::{
        made_up,
        scenario::{Scenario, ScenarioErrors},
    },
    select::SelectError,
    share::ShareError,
    spec::{Spec, SpecErrors},
};

/// What is rolled out where a file does not say.
const ROLLOUT: &str = include_str!("../../../scenarios/common/rollout.toml");

/// Where, where a file does not say.
const FLEET: &str = include_str!("../../../scenarios/common/fleet.toml");

/// Every mistake of an incident's file.
pub type IncidentErrors = Mistakes<Refusal>;

/// What an incident's file says that none can say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not a duration.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// It is not a selection.
    #[error(transparent)]
    Selection(#[from] SelectError),
    /// It is not a share.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// Nobody resolved its bits, and they cannot be made up.
    #[error(
        "an incident has no lock file, and what `{0}` installs is known from one only: name the packages, as in packages = {{ openssl = \"latest\" }}"
    )]
    NoBits(&'static str),
    /// Its rollout is none.
    #[error("{0}")]
    Rollout(#[from] SpecErrors),
    /// Its fleet is none.
    #[error("{0}")]
    Fleet(#[from] FleetErrors),
    /// Its faults are none.
    #[error("{0}")]
    Faults(#[from] ScenarioErrors),
}

/// Reads the top of an incident's file. Nothing when a mistake was noted that prevents it.
pub(super) fn incident(mut top: Table<'_, Refusal>) -> Option<Incident> {
    top.require("incident", "incident = 1");
    top.require("title", "title = \"one slow host\"");
    top.require("expect", "[expect]");
    let number = top.count("incident", 1);
    let title = text(&mut top, "title");
    let story = text(&mut top, "story").unwrap_or_default();
    let spec = match top.has("rollout") {
        true => top.text("rollout", rollout),
        false => rollout(ROLLOUT).ok(),
    };
    let fleet = match top.has("fleet") {
        true => top.text("fleet", |text| ModelledFleet::parse("fleet", text)),
        false => ModelledFleet::parse("fleet", FLEET).ok(),
    };
    let has_faults = top.has("faults");
    let faults = top.text("faults", |text| Scenario::parse("faults", text));
    let expected = top.table("expect", "[expect]").map(expected);
    top.finish(&[], &[]);
    Some(Incident {
        number: number?,
        title: title?,
        story,
        spec: spec?,
        fleet: fleet?,
        scenario: match has_faults {
            true => faults?,
            false => Scenario::default(),
        },
        expected: expected?,
    })
}

/// A rollout whose bits can be made up.
fn rollout(text: &str) -> Result<Spec, Refusal> {
    let spec = Spec::parse("rollout", text)?;
    match made_up::unknown(&spec) {
        Some(what) => Err(Refusal::NoBits(what)),
        None => Ok(spec),
    }
}

fn expected(mut table: Table<'_, Refusal>) -> Expected {
    table.require("phase", "phase = \"done\"");
    let expected = Expected {
        phase: text(&mut table, "phase").unwrap_or_default(),
        spared: table.count("spared", 0).unwrap_or_default(),
        but_for: table.selection("but_for"),
        harmed: table.count("harmed", 0).unwrap_or_default(),
        out_at_the_end: table.count("out_at_the_end", 0).unwrap_or_default(),
        hands: table.count("hands", 0).unwrap_or_default(),
        pauses_in: table.texts("pauses_in").unwrap_or_default(),
        pause_names: text(&mut table, "pause_names"),
        all_noticed: table.flag("all_noticed").unwrap_or(true),
        noticed_within: table.duration("noticed_within"),
        noticed_by: table.texts("noticed_by").unwrap_or_default(),
        refused: text(&mut table, "refused"),
        delay: table.duration("delay"),
        back_within: table.share("back_within"),
        held_by: table.texts("held_by").unwrap_or_default(),
        not_held_by: table.texts("not_held_by").unwrap_or_default(),
        left: table.texts("left").unwrap_or_default(),
    };
    table.finish(&[], &[]);
    expected
}

fn text(table: &mut Table<'_, Refusal>, key: &'static str) -> Option<String> {
    table.text(key, |text| Ok::<_, Refusal>(text.trim().to_owned()))
}
