//! What systemd says of units that are named.

use super::{
    command::{Command, Runner},
    unit::systemctl,
};
use cofferdam_engine::failure::{Failure, FailureKind};
use std::{collections::BTreeMap, time::Duration};

/// How long systemd may take to answer (guess: it does in 10 ms, unless it is at a loss).
pub const DEADLINE: Duration = Duration::from_secs(5);

/// What systemd says of a unit, in its own words. Empty: it did not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitState {
    /// Whether its file was read: `LoadState`.
    pub load: String,
    /// What it does: `ActiveState`.
    pub active: String,
    /// The same, in words of its type: `SubState`.
    pub sub: String,
}

/// What asks systemd for the states of units, whose names were checked.
pub fn question(units: &[String]) -> Command {
    systemctl(&["show", "--property=LoadState,ActiveState,SubState"])
        .arg("--no-pager")
        .arg("--")
        .args(units)
        .deadline(DEADLINE)
}

/// Reads the answer to [`question`] about so many units: systemd tells of them in the order in which it
/// was asked, with an empty line between two.
pub fn parse(said: &str, count: usize) -> Vec<UnitState> {
    let mut told = said.split("\n\n");
    let states = (0..count).map(|_| {
        let lines = told.next().unwrap_or_default().lines();
        let properties: BTreeMap<&str, &str> =
            lines.filter_map(|line| line.split_once('=')).collect();
        let property = |key| properties.get(key).copied().unwrap_or_default().to_owned();
        UnitState {
            load: property("LoadState"),
            active: property("ActiveState"),
            sub: property("SubState"),
        }
    });
    states.collect()
}

/// The states of units, in the order in which they are named.
///
/// # Errors
/// [`FailureKind::Service`] when systemd does not say them all.
pub async fn ask(runner: &dyn Runner, units: &[String]) -> Result<Vec<UnitState>, Failure> {
    let output = runner.run(&question(units)).await?;
    if !output.is_success() {
        let said = output.text();
        let detail = format!("systemd does not tell of units: {}", said.trim());
        return Err(Failure::new(FailureKind::Service, detail));
    }
    let states = parse(&output.stdout.text(), units.len());
    let silent = states.iter().position(|state| state.active.is_empty());
    if let Some(unit) = silent.and_then(|at| units.get(at)) {
        let detail = format!("systemd does not tell of {unit}");
        return Err(Failure::new(FailureKind::Service, detail));
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::command::scripted::Scripted;

    #[test]
    fn each_unit_has_its_own_words() {
        // In the form of systemd 252 of Debian 12, which says properties in its own order.
        let said = "LoadState=loaded\nActiveState=failed\nSubState=failed\n\n\
                    SubState=dead\nLoadState=not-found\nActiveState=inactive\n";
        let state = |load: &str, active: &str, sub: &str| UnitState {
            load: load.to_owned(),
            active: active.to_owned(),
            sub: sub.to_owned(),
        };
        assert_eq!(
            parse(said, 3),
            [
                state("loaded", "failed", "failed"),
                state("not-found", "inactive", "dead"),
                UnitState::default(),
            ]
        );
    }

    #[tokio::test]
    async fn a_systemd_that_says_no_or_nothing_is_a_failure() {
        let units = ["a.service".to_owned()];
        for (systemd, expected) in [
            (
                Scripted::new(|_| (1, "Failed to connect to bus: Host is down")),
                "service: systemd does not tell of units: Failed to connect to bus: Host is down",
            ),
            (
                Scripted::new(|_| (0, "")),
                "service: systemd does not tell of a.service",
            ),
        ] {
            let failure = ask(&systemd, &units).await.unwrap_err();
            assert_eq!(failure.to_string(), expected);
        }
    }
}
