//! What a host says, to whoever asks, and what an operator does and sees.

use cofferdam_tests::{
    patience::eventually,
    process::run,
    real_fleet::{
        RealFleet,
        control::Control,
        host::{BOOTED_WITHIN, Host},
    },
    rollout::{self, ALL_AT_ONCE},
};
use std::{fs, time::Duration};

/// What happens on a host is seen within the minute.
const SEEN_WITHIN: Duration = Duration::from_secs(60);

/// A host's run may take that long: what it starts has the least claim on a busy machine.
pub(super) const RUN_WITHIN: Duration = Duration::from_secs(240);

/// Asks a host's responder for its page for load balancers, and shows its status.
pub(super) const READY: &str =
    "curl --silent --max-time 5 --write-out ' %{http_code}' 127.0.0.1:9100/ready";

/// Asks it as HAProxy's agent-check does.
pub(super) const LINE: &str = "timeout 5 cat </dev/tcp/127.0.0.1/9101";

/// What a line of shell says on a host, where it must succeed.
pub(super) async fn said(host: &Host, line: &str) -> String {
    host.run(line).await.unwrap().well().trim().to_owned()
}

/// Runs a line of shell on all hosts of a fleet side by side. It must succeed.
pub(super) async fn on_each(fleet: &RealFleet, line: &'static str) {
    let hosts = fleet.hosts().iter().cloned();
    let running = hosts.map(|host| tokio::spawn(async move { said(&host, line).await }));
    for running in running.collect::<Vec<_>>() {
        running.await.unwrap();
    }
}

/// What a line of shell says once it holds a part.
pub(super) async fn eventually_says(host: &Host, line: &str, part: &str) -> String {
    eventually(part, BOOTED_WITHIN, async || {
        let said = host.run(line).await.map_err(|error| error.to_string())?;
        let said = said.printed;
        let found = said.contains(part);
        found.then(|| said.clone()).ok_or(said)
    })
    .await
}

/// Waits until an operator's command shows all of some parts. What it shows then.
pub(super) async fn until_shown(fleet: &RealFleet, arguments: &[&str], parts: &[&str]) -> String {
    eventually("the operator to see it", SEEN_WITHIN, async || {
        let mut command = fleet.control.operator();
        command.args(arguments);
        let (code, printed) = run(command);
        match code == 0 && parts.iter().all(|part| printed.contains(part)) {
            true => Ok(printed),
            false => Err(printed),
        }
    })
    .await
}

/// A rollout of one package to one host, alone as it is, that tries once; `more` stands among the keys
/// at the top.
pub(super) fn patch_of(host: &Host, package: &str, more: &str) -> String {
    let rollout = rollout::package(package, package, "2") + ALL_AT_ONCE;
    rollout
        .replace(
            "service == \"web\"",
            &format!("host == \"{}\"", host.name()),
        )
        .replace("min_in_service = \"50%\"", "min_in_service = \"0%\"")
        .replace("retry_backoff = \"500ms\"", &format!("retry = 0\n{more}"))
}

/// Waits until a rollout is over on the one host that it failed on. What its status says then.
pub(super) async fn until_failed(fleet: &RealFleet, rollout: &str) -> String {
    eventually("the host to have failed", RUN_WITHIN, async || {
        let mut command = fleet.control.operator();
        command.args(["status", rollout, "--output", "json"]);
        let (_, printed) = run(command);
        let view: serde_json::Value =
            serde_json::from_str(&printed).map_err(|error| format!("{error}: {printed}"))?;
        let is_over = view["waves"][0]["failed"] == 1;
        is_over.then_some(()).ok_or(printed)
    })
    .await;
    let mut command = fleet.control.operator();
    command.args(["status", rollout]);
    run(command).1
}

/// Plans and starts a rollout.
pub(super) async fn start(fleet: &RealFleet, rollout: &str) {
    start_by(&fleet.control, rollout).await;
}

/// The same where the control plane is apart from its regions.
pub(super) async fn start_by(control: &Control, rollout: &str) {
    let file = tempfile::NamedTempFile::new_in(control.config_home()).unwrap();
    fs::write(&file, rollout).unwrap();
    let file = file.path().to_str().unwrap();
    for subcommand in ["plan", "start"] {
        // An agent may be on its way back from a restart.
        eventually(subcommand, BOOTED_WITHIN, async || {
            let (is_done, printed) = operate_by(control, &[subcommand, file]).await;
            is_done.then_some(()).ok_or(printed)
        })
        .await;
    }
}

/// Runs an operator's command, and lets others run meanwhile: whether it ended well, and what it printed.
pub(super) async fn operate(fleet: &RealFleet, arguments: &[&str]) -> (bool, String) {
    operate_by(&fleet.control, arguments).await
}

/// The same where the control plane is apart from its regions.
pub(super) async fn operate_by(control: &Control, arguments: &[&str]) -> (bool, String) {
    let mut command = tokio::process::Command::from(control.operator());
    let output = command.args(arguments).output().await.unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    (output.status.success(), printed)
}
