//! systemd's units: those that must be active, and those that have failed.

use crate::{
    checks::verdict::{Reading, Verdict},
    host::{
        command::{Command, Runner},
        unit::systemctl,
        unit_state::{self, DEADLINE},
    },
};
use cofferdam_proto::error_chain;
use std::path::Path;

/// There while systemd is what started the machine, `sd_booted(3)` says.
const BOOTED: &str = "/run/systemd/system";

/// The name of the reading that says that no unit has failed, or that nobody knows.
const FAILED_UNITS: &str = "failed-units";

/// The most failed units that are told of (guess: a host with more has one trouble, not fifty).
const MOST_FAILED: usize = 50;

/// Reads which units have failed, but for those that are told of by name. Nothing where systemd did
/// not start the machine.
pub(super) async fn read_failed(runner: &dyn Runner, named: &[String]) -> Vec<Reading> {
    if !Path::new(BOOTED).exists() {
        return Vec::new();
    }
    let list = ["list-units", "--state=failed", "--all", "--plain"];
    let command = systemctl(&list)
        .args(["--full", "--no-legend", "--no-pager"])
        .deadline(DEADLINE);
    match ask(runner, command).await {
        Ok(said) => judge_failed(&said, named),
        Err(why) => vec![Reading::new(FAILED_UNITS, Verdict::NoData, &why)],
    }
}

pub(super) fn judge_failed(said: &str, named: &[String]) -> Vec<Reading> {
    let failed = said.lines().filter_map(unit_of);
    let others = failed.filter(|unit| !named.iter().any(|name| name == unit));
    let readings: Vec<Reading> = others
        .take(MOST_FAILED)
        .map(|unit| Reading::new(signal(unit), Verdict::Fail, "it has failed"))
        .collect();
    if readings.is_empty() {
        return vec![Reading::new(FAILED_UNITS, Verdict::Pass, "")];
    }
    readings
}

/// The unit of a line of `systemctl list-units`, which old versions begin with a dot. Absent: the line
/// names none.
fn unit_of(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let unit = words.find(|word| !matches!(*word, "●" | "*" | "×"))?;
    (unit.contains('.') && words.next().is_some()).then_some(unit)
}

/// Reads whether named units are active, one reading a unit.
pub(super) async fn read_named(runner: &dyn Runner, units: &[String]) -> Vec<Reading> {
    if units.is_empty() {
        return Vec::new();
    }
    match ask(runner, unit_state::question(units)).await {
        Ok(said) => judge_named(&said, units),
        Err(why) => units
            .iter()
            .map(|unit| Reading::new(signal(unit), Verdict::NoData, &why))
            .collect(),
    }
}

pub(super) fn judge_named(said: &str, units: &[String]) -> Vec<Reading> {
    let states = unit_state::parse(said, units.len());
    let judged = units.iter().zip(states).map(|(unit, state)| {
        let verdict = match &*state.active {
            "active" | "reloading" | "refreshing" => {
                return Reading::new(signal(unit), Verdict::Pass, "");
            }
            "" => Verdict::NoData,
            _ => Verdict::Fail,
        };
        let words = [state.load, state.active, state.sub].join(" ");
        Reading::new(signal(unit), verdict, &words)
    });
    judged.collect()
}

fn signal(unit: &str) -> String {
    format!("unit:{unit}")
}

/// What systemd says. The error says why it says nothing.
async fn ask(runner: &dyn Runner, command: Command) -> Result<String, String> {
    match runner.run(&command).await {
        Ok(output) if output.is_success() => Ok(output.stdout.text()),
        Ok(output) => Err(output.text()),
        Err(error) => Err(error_chain(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::command::scripted::Scripted;

    fn say(readings: &[Reading]) -> Vec<String> {
        readings.iter().map(ToString::to_string).collect()
    }

    /// In the form of systemd 252 of Debian 12, and of 239 of Red Hat 8, which keeps the dots.
    const FAILED: &str = "\
app.service            loaded failed failed The application
cups-browsed.service   loaded failed failed Make remote CUPS printers available locally
";
    const DOTTED: &str = "● app.service loaded failed failed The application\n";

    #[test]
    fn each_failed_unit_is_told_of_by_itself_but_for_named_ones() {
        let named = ["app.service".to_owned()];
        assert_eq!(
            say(&judge_failed(FAILED, &named)),
            ["unit:cups-browsed.service: fail: it has failed"]
        );
        assert_eq!(
            say(&judge_failed(DOTTED, &[])),
            ["unit:app.service: fail: it has failed"]
        );
        for nothing in ["", "\n\n", "0 loaded units listed.", "\u{0}●\n●\n"] {
            assert_eq!(say(&judge_failed(nothing, &named)), ["failed-units: pass"]);
        }
        let many = FAILED.repeat(1000);
        assert_eq!(judge_failed(&many, &[]).len(), MOST_FAILED);
    }

    #[test]
    fn a_named_unit_must_be_active() {
        let units = ["a", "b", "c", "d", "e"].map(|unit| format!("{unit}.service"));
        // systemd 252 of Debian 12: it says properties in its own order.
        let said = "\
LoadState=loaded\nActiveState=active\nSubState=running\n\n\
LoadState=loaded\nActiveState=activating\nSubState=auto-restart\n\n\
LoadState=not-found\nActiveState=inactive\nSubState=dead\n\n\
LoadState=loaded\nActiveState=reloading\nSubState=reload\n";
        assert_eq!(
            say(&judge_named(said, &units)),
            [
                "unit:a.service: pass",
                "unit:b.service: fail: loaded activating auto-restart",
                "unit:c.service: fail: not-found inactive dead",
                "unit:d.service: pass",
                "unit:e.service: no-data",
            ]
        );
    }

    #[test]
    fn garbage_is_no_data() {
        let units = ["a.service".to_owned()];
        for garbage in [
            "",
            "\n\n\n\n",
            "=",
            "ActiveState",
            "ActiveState=",
            "\u{0}=\u{fffd}",
        ] {
            assert_eq!(judge_named(garbage, &units)[0].verdict, Verdict::NoData);
        }
    }

    #[tokio::test]
    async fn a_systemd_that_says_nothing_is_no_data_of_each_unit() {
        let silent = Scripted::new(|_| (1, "Failed to connect to bus: Host is down"));
        let units = ["a.service".to_owned(), "b.service".to_owned()];
        assert_eq!(
            say(&read_named(&silent, &units).await),
            ["a", "b"].map(|unit| format!(
                "unit:{unit}.service: no-data: Failed to connect to bus: Host is down"
            ))
        );
        assert!(read_named(&silent, &[]).await.is_empty());
        assert_eq!(
            silent.said(),
            [
                "systemctl --no-ask-password show --property=LoadState,ActiveState,SubState \
                 --no-pager -- a.service b.service"
            ]
        );
    }
}
