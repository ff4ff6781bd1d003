//! What the packages put on a machine is what the programs read.

use cofferdam_coordinator::config::Settings as CoordinatorSettings;
use std::{fs, path::Path};

fn shipped(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).expect("a file of the repository")
}

/// The file with each default taken out of its comment, as an operator does it.
fn spelled_out(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(default) if default.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => {
            default.to_owned()
        }
        Some(_) | None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_coordinator_config_is_read_and_shows_the_defaults() {
    let text = shipped("packaging/etc/cofferdam/coordinator.toml");
    let as_shipped = CoordinatorSettings::parse(&text).unwrap();
    let with_defaults = CoordinatorSettings::parse(&spelled_out(&text)).unwrap();
    assert_eq!(as_shipped, with_defaults);
}

/// A unit that names a file which is not shipped would fail on the first start.
#[test]
fn units_name_the_configs_that_are_shipped() {
    for (unit, config) in [
        ("cofferdam-agent", "agent.toml"),
        ("cofferdam-health", "agent.toml"),
        ("cofferdam-coordinator", "coordinator.toml"),
    ] {
        let text = shipped(&format!("systemd/system/{unit}.service"));
        let option = format!("--config /etc/cofferdam/{config}");
        assert_eq!(text.matches(&option).count(), 2, "{unit}");
    }
}
