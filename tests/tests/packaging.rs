//! What the packages put on a machine is what the programs read.

use cofferdam_agent::config::Settings as AgentSettings;
use cofferdam_coordinator::config::Settings as CoordinatorSettings;
use std::{fs, path::Path};

fn shipped(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).expect("a file of the repository")
}

/// The file with some of its comments taken out of their `#`, as an operator does it.
fn without(mark: &str, text: &str) -> String {
    let line = |line: &str| match line.strip_prefix(mark) {
        Some(setting) if is_setting(setting) => setting.to_owned(),
        Some(_) | None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Whether a line is TOML rather than prose: a table, or a key and its value.
fn is_setting(line: &str) -> bool {
    let is_key =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| is_key(key))
}

#[test]
fn the_shipped_coordinator_config_is_read_and_shows_the_defaults() {
    let text = shipped("packaging/etc/cofferdam/coordinator.toml");
    let read = |text: &str| CoordinatorSettings::parse("coordinator.toml", text).unwrap();
    assert_eq!(read(&text), read(&without("#", &text)));
}

#[test]
fn the_shipped_agent_config_is_read_and_shows_the_defaults() {
    let text = shipped("packaging/etc/cofferdam/agent.toml");
    let read = |text: &str| AgentSettings::parse("agent.toml", text).unwrap();
    assert_eq!(read(&text), read(&without("#", &text)));
}

#[test]
fn the_examples_in_the_shipped_agent_config_are_read_too() {
    let text = shipped("packaging/etc/cofferdam/agent.toml");
    let with_examples = without("# ", &without("#", &text));
    let settings = AgentSettings::parse("agent.toml", &with_examples).unwrap();
    assert_eq!((settings.probes.len(), settings.validators.len()), (1, 1));
    assert_eq!(settings.labels.len(), 4);
}

/// A unit that names a file which is not shipped would fail on the first start.
#[test]
fn units_name_the_configs_that_are_shipped() {
    // All but the responder have it checked before they start.
    for (unit, config, times) in [
        ("cofferdam-agent", "agent.toml", 2),
        ("cofferdam-health", "agent.toml", 1),
        ("cofferdam-coordinator", "coordinator.toml", 2),
    ] {
        let text = shipped(&format!("systemd/system/{unit}.service"));
        let option = format!("--config /etc/cofferdam/{config}");
        assert_eq!(text.matches(&option).count(), times, "{unit}");
    }
}

/// A loop that hangs in the middle of a run would keep its host drained.
#[test]
fn an_agent_that_hangs_is_started_again() {
    let text = shipped("systemd/system/cofferdam-agent.service");
    for line in ["Type=notify", "WatchdogSec=180", "Restart=always"] {
        assert!(text.lines().any(|said| said == line), "{line}");
    }
}

/// systemd gives a unit up for good after five failures in ten seconds, unless it is told not to.
#[test]
fn units_are_started_again_however_often_they_fail() {
    for unit in ["agent", "health", "coordinator"] {
        let text = shipped(&format!("systemd/system/cofferdam-{unit}.service"));
        let (head, service) = text.split_once("[Service]").expect("a service");
        assert!(head.contains("\nStartLimitIntervalSec=0\n"), "{unit}");
        assert!(service.contains("\nRestart=always\n"), "{unit}");
    }
}
