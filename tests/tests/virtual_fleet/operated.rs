//! What an operator of virtual machines does and sees.

use cofferdam_tests::{
    evidence::{self, Told},
    patience::eventually,
    process::run,
    virtual_fleet::{VirtualFleet, guest::Guest},
};
use serde_json::Value;
use std::{fs, time::Duration};

/// A run with two boots by emulation on a busy machine, of which the first one hangs until its timer ends it.
const OVER_WITHIN: Duration = Duration::from_secs(5400);

/// A host that has booted is heard of and let in.
const SEEN_WITHIN: Duration = Duration::from_secs(300);

/// Asks a host's responder for its page for load balancers, and shows its status.
const READY: &str = "curl --silent --max-time 20 --write-out ' %{http_code}' 127.0.0.1:9100/ready";

/// A rollout of packages to one machine that tries once, with deadlines for emulation; `more` stands in `[patch]`.
pub(super) fn rollout(name: &str, package: &str, version: &str, more: &str) -> String {
    format!(
        r#"
name = "{name}"
grace = "0s"
stage_within = "0s"
start_spacing = "0s"
order = "none"
stable_for = "3s"
settle = "3s"
retry = 0
start_by = "5m"
claim_wait = "3m"
drain_deadline = "3m"
apply_deadline = "45m"
script_deadline = "40m"
reboot_deadline = "6m"
verify_deadline = "6m"

[patch]
kind = "packages"
packages = {{ "{package}" = "{version}" }}
{more}

[select]
match = 'service == "web"'

[[wave]]
name = "full"
to = "100%"
bake = "0s"

[[limits]]
floor = [{{ group_by = ["service", "zone"], min_in_service = "0%" }}]
"#
    )
}

/// What a line of shell says on a machine, where it must succeed.
pub(super) async fn said(guest: &Guest, line: &str) -> String {
    let answer = guest.run(line).await.unwrap();
    answer.well().trim().to_owned()
}

/// Runs an operator's command: whether it ended well, and what it printed.
pub(super) fn operate(fleet: &VirtualFleet, arguments: &[&str]) -> (bool, String) {
    let mut command = fleet.control.operator();
    command.args(arguments);
    let (code, printed) = run(command);
    (code == 0, printed)
}

/// Plans and starts a rollout, once its machine is heard of.
pub(super) async fn start(fleet: &VirtualFleet, rollout: &str) {
    let file = fleet.folder().join("rollout.toml");
    fs::write(&file, rollout).unwrap();
    for subcommand in ["plan", "start"] {
        eventually(subcommand, SEEN_WITHIN, async || {
            let (is_done, printed) = operate(fleet, &[subcommand, file.to_str().unwrap()]);
            is_done.then_some(()).ok_or(printed)
        })
        .await;
    }
}

/// Waits until a rollout is over on its one machine. Whether it passed, and what its status says.
pub(super) async fn until_over(fleet: &VirtualFleet, rollout: &str) -> (bool, String) {
    let what = format!("{rollout} to be over");
    let passed = eventually(&what, OVER_WITHIN, async || {
        let (_, printed) = operate(fleet, &["status", rollout, "--output", "json"]);
        let view: Value = serde_json::from_str(&printed).map_err(|error| error.to_string())?;
        let count = |name: &str| view["waves"][0][name].as_u64() == Some(1);
        match (count("passed"), count("failed")) {
            (false, false) => Err(printed),
            (passed, _) => Ok(passed),
        }
    })
    .await;
    (passed, operate(fleet, &["status", rollout]).1)
}

/// Waits until a machine is in traffic.
pub(super) async fn until_ready(guest: &Guest) {
    eventually("the machine to be in service", SEEN_WITHIN, async || {
        let answer = guest.run(READY).await.map_err(|error| error.to_string())?;
        let printed = answer.printed;
        let is_ready = printed.ends_with(" 200");
        is_ready.then_some(()).ok_or(printed)
    })
    .await;
}

/// Waits until a machine's console says something after what it said before. How much it has said then.
pub(super) async fn until_console(guest: &Guest, after: usize, part: &str) -> usize {
    eventually(part, OVER_WITHIN, async || {
        let console = guest.console();
        let new = console.get(after..).unwrap_or_default();
        match new.find(part) {
            Some(place) => Ok(after + place),
            None => Err(new
                .chars()
                .rev()
                .take(2000)
                .collect::<Vec<_>>()
                .iter()
                .rev()
                .collect()),
        }
    })
    .await
}

/// What a machine's journal says of the orders of a rollout.
pub(super) async fn told(guest: &Guest, rollout: &str) -> Vec<Told> {
    let journal = guest.journal().await.unwrap();
    let orders = evidence::orders(&journal).into_values();
    orders
        .filter(|told| told.rollout.as_str() == rollout)
        .collect()
}
