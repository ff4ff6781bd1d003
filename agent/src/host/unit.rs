//! systemd units.

use super::command::{Command, Runner};
use cofferdam_engine::failure::{Failure, FailureKind};
use std::time::Duration;

/// How long a unit may take to reload (systemd's own default of 90 s for starts, and a margin).
const DEADLINE: Duration = Duration::from_secs(120);

/// Lets a unit read its files again, or restarts it where it cannot. One that does not run is left
/// alone.
///
/// # Errors
/// [`FailureKind::Service`] when systemd says no, or the unit has failed afterwards.
pub async fn reload(runner: &dyn Runner, unit: &str) -> Result<(), Failure> {
    act_on(runner, "try-reload-or-restart", unit, "reload").await
}

/// Lets systemd do something with a unit, and looks whether it is well afterwards.
async fn act_on(runner: &dyn Runner, verb: &str, unit: &str, called: &str) -> Result<(), Failure> {
    let no = |detail: String| Err(Failure::new(FailureKind::Service, detail));
    let act = systemctl(&[verb, "--", unit]).deadline(DEADLINE);
    let output = runner.run(&act).await?;
    if !output.is_success() {
        let said = output.text();
        return no(format!("unit {unit} could not {called}: {}", said.trim()));
    }
    if runner
        .run(&systemctl(&["is-failed", "--quiet", "--", unit]))
        .await?
        .is_success()
    {
        return no(format!("unit {unit} has failed after its {called}"));
    }
    Ok(())
}

/// Restarts a unit. One that does not run is left alone.
///
/// # Errors
/// [`FailureKind::Service`] when systemd says no, or the unit has failed afterwards.
pub async fn restart(runner: &dyn Runner, unit: &str) -> Result<(), Failure> {
    act_on(runner, "try-restart", unit, "restart").await
}

/// Lets the system's first process begin anew, as after an upgrade of its own program or libraries.
///
/// # Errors
/// [`FailureKind::Service`] when systemd says no.
pub async fn begin_first_anew(runner: &dyn Runner) -> Result<(), Failure> {
    let reexec = systemctl(&["daemon-reexec"]).deadline(DEADLINE);
    must(runner, &reexec, FailureKind::Service, "begin anew").await
}

/// Lets systemd read its units' files again.
///
/// # Errors
/// [`FailureKind::Service`] when systemd says no.
pub async fn read_again(runner: &dyn Runner) -> Result<(), Failure> {
    let reload = systemctl(&["daemon-reload"]).deadline(DEADLINE);
    let what = "read its files again";
    must(runner, &reload, FailureKind::Service, what).await
}

/// Asks systemd to reboot the machine, and does not wait for it. One that goes down already, as asked by
/// an agent that died since, refuses to be asked again, and is what is wanted.
///
/// # Errors
/// [`FailureKind::Reboot`] when systemd says no.
pub async fn reboot(runner: &dyn Runner) -> Result<(), Failure> {
    let reboot = systemctl(&["--no-wall", "reboot"]);
    let asked = must(runner, &reboot, FailureKind::Reboot, "reboot").await;
    match asked {
        Err(_) if goes_down(runner).await? => Ok(()),
        asked => asked,
    }
}

/// Whether logind has begun to take the machine down, which it holds back for a while where somebody
/// wants it to, or systemd has.
async fn goes_down(runner: &dyn Runner) -> Result<bool, Failure> {
    let logind = Command::new("busctl").args([
        "get-property",
        "org.freedesktop.login1",
        "/org/freedesktop/login1",
        "org.freedesktop.login1.Manager",
        "PreparingForShutdown",
    ]);
    let prepares = runner.run(&logind).await?.text();
    let systemd = runner.run(&systemctl(&["is-system-running"])).await?.text();
    Ok(prepares.trim() == "b true" || systemd.trim() == "stopping")
}

/// Tells systemd to do something; `what` says it, for a failure.
async fn must(
    runner: &dyn Runner,
    command: &Command,
    kind: FailureKind,
    what: &str,
) -> Result<(), Failure> {
    let output = runner.run(command).await?;
    if output.is_success() {
        return Ok(());
    }
    let said = output.text();
    let detail = format!("systemd does not {what}: {}", said.trim());
    Err(Failure::new(kind, detail))
}

pub(crate) fn systemctl(args: &[&str]) -> Command {
    Command::new("systemctl")
        .arg("--no-ask-password")
        .args(args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::command::scripted::Scripted;

    #[tokio::test]
    async fn a_unit_that_reloads_and_runs_on_is_well() {
        let systemd = Scripted::new(|command| {
            let asks_for_failure = command.args.iter().any(|arg| arg == "is-failed");
            (i32::from(asks_for_failure), "")
        });
        reload(&systemd, "app.service").await.unwrap();
        assert_eq!(
            systemd.said(),
            [
                "systemctl --no-ask-password try-reload-or-restart -- app.service",
                "systemctl --no-ask-password is-failed --quiet -- app.service"
            ]
        );
    }

    #[tokio::test]
    async fn a_unit_that_cannot_reload_or_fails_afterwards_is_named() {
        for systemd in [
            Scripted::new(|_| (1, "Unit app.service not found.\n")),
            Scripted::new(|_| (0, "")),
        ] {
            let failure = reload(&systemd, "app.service").await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Service);
            assert!(failure.detail.contains("app.service"), "{failure}");
        }
    }

    #[tokio::test]
    async fn a_reboot_that_is_under_way_is_asked_for_and_not_refused() {
        fn says(command: &Command, program: &str, word: &'static str) -> (i32, &'static str) {
            let text = command.to_string();
            match (text.contains("reboot"), text.contains(program)) {
                (true, _) => (1, "There's already a shutdown in progress\n"),
                (false, true) => (0, word),
                (false, false) => (1, ""),
            }
        }
        for going_down in [
            Scripted::new(|command| says(command, "busctl", "b true\n")),
            Scripted::new(|command| says(command, "is-system-running", "stopping\n")),
        ] {
            reboot(&going_down).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_reboot_that_is_refused_is_said() {
        let refusing = Scripted::new(|_| (1, "Access denied\n"));
        let failure = reboot(&refusing).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Reboot);
        assert_eq!(failure.detail, "systemd does not reboot: Access denied");
        reboot(&Scripted::new(|_| (0, ""))).await.unwrap();
    }
}
