//! Whether names resolve, as programs of this host resolve them.
//!
//! `getent` asks, so whatever the host's people set in `nsswitch.conf` holds, and a resolver that hangs
//! holds no thread of the agent's.

use super::settings::Signals;
use crate::{
    checks::{
        side_by_side,
        verdict::{Limit, Measure, Reading, Verdict},
    },
    host::command::{Command, Exit, RunError, Runner},
};
use cofferdam_engine::time::millis;
use cofferdam_proto::error_chain;
use std::time::Duration;
use tokio::time::Instant;

/// The status of `getent` when there is no such entry.
const NOT_FOUND: Exit = Exit::Status(2);

/// Resolves every name, one reading a name.
pub(super) async fn read_all(runner: &dyn Runner, settings: &Signals) -> Vec<Reading> {
    let within = settings.resolve_within;
    let asked = settings.names.iter().map(|name| read(runner, name, within));
    side_by_side(asked.collect()).await
}

async fn read(runner: &dyn Runner, name: &str, within: Duration) -> Reading {
    let command = Command::new("getent")
        .args(["ahosts", "--", name])
        .deadline(within);
    let began = Instant::now();
    let ended = runner.run(&command).await.map(|output| output.exit);
    judge(name, within, ended, began.elapsed())
}

fn judge(name: &str, within: Duration, ended: Result<Exit, RunError>, took: Duration) -> Reading {
    let signal = format!("dns:{name}");
    let reading = |verdict, why: &str| Reading::new(&signal, verdict, why);
    match ended {
        Ok(Exit::Status(0)) => {
            let limit = Limit::AtMost(in_millis(within));
            Reading::measured(&signal, Measure::new(in_millis(took), "ms", limit), "")
        }
        Ok(NOT_FOUND) => reading(Verdict::Fail, "it does not resolve"),
        Ok(exit @ (Exit::Status(_) | Exit::Signal(_))) => {
            reading(Verdict::NoData, &format!("getent ended with {exit}"))
        }
        Err(RunError::Late { .. }) => {
            let late = format!("no answer in {} ms", within.as_millis());
            reading(Verdict::NoData, &late)
        }
        Err(
            error @ (RunError::Start { .. } | RunError::Transcript { .. } | RunError::Wait { .. }),
        ) => reading(Verdict::NoData, &error_chain(&error)),
    }
}

fn in_millis(duration: Duration) -> f64 {
    u32::try_from(millis(duration)).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::process::Processes;

    const WITHIN: Duration = Duration::from_secs(2);

    #[test]
    fn an_answer_is_judged_by_how_it_came() {
        let late = || {
            Err(RunError::Late {
                command: "getent".to_owned(),
                after: WITHIN,
            })
        };
        for (ended, says) in [
            (Ok(Exit::Status(0)), "dns:a: pass: 7 ms, at most 2000 ms"),
            (Ok(Exit::Status(2)), "dns:a: fail: it does not resolve"),
            (
                Ok(Exit::Status(3)),
                "dns:a: no-data: getent ended with status 3",
            ),
            (
                Ok(Exit::Signal(9)),
                "dns:a: no-data: getent ended with signal 9",
            ),
            (late(), "dns:a: no-data: no answer in 2000 ms"),
        ] {
            let reading = judge("a", WITHIN, ended, Duration::from_millis(7));
            assert_eq!(reading.to_string(), says);
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_resolves() {
        let settings = Signals {
            names: vec!["localhost".to_owned()],
            resolve_within: Duration::from_secs(20),
            ..Signals::default().only_named()
        };
        let readings = read_all(&Processes, &settings).await;
        assert_eq!(readings[0].verdict, Verdict::Pass, "{}", readings[0]);
    }
}
