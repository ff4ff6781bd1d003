//! Names of systemd units: what may stand in systemctl's arguments.
//!
//! systemctl reads more than names there: options begin with `-`, and `*` and `?` name every unit
//! that fits. So they are checked wherever they come in.

use crate::id::MAX_NAME_LEN;

/// A text is not the name of a systemd unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name of a systemd unit, as in \"nginx.service\"")]
pub struct UnitError(String);

/// Checks the name of a unit: what systemd.unit(5) allows, but for what begins as an option does.
///
/// # Errors
/// [`UnitError`] when no unit can be named so.
pub fn check(name: &str) -> Result<(), UnitError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins_well && name.len() <= MAX_NAME_LEN && name.chars().all(is_allowed) {
        return Ok(());
    }
    Err(UnitError(name.to_owned()))
}

/// The types of units, as systemd.unit(5) lists them.
const TYPES: [&str; 11] = [
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

/// The name of a unit with its type: one without is a service, as systemctl reads it.
pub fn with_type(name: &str) -> String {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    match ending.is_some_and(|ending| TYPES.contains(&ending)) {
        true => name.to_owned(),
        false => format!("{name}.service"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_without_a_type_is_a_service() {
        for (name, full) in [
            ("nginx", "nginx.service"),
            ("nginx.service", "nginx.service"),
            ("apt-daily.timer", "apt-daily.timer"),
            ("getty@tty1", "getty@tty1.service"),
            ("php8.2-fpm", "php8.2-fpm.service"),
        ] {
            assert_eq!(with_type(name), full);
        }
    }

    #[test]
    fn a_unit_has_a_name_and_never_an_option_or_a_pattern() {
        for name in ["nginx.service", "getty@tty1.service", "a\\x2db.mount"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in ["", "-H", "*", "ssh*.service", "a b", "a/b", "a\n", "[a]"] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
