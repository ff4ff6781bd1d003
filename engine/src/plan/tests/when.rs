//! What a plan says of freezes and windows in its way.

use super::{
    super::*,
    fleet::{Fleet, NOOP, NOW},
};
use crate::{
    calendar::{Calendar, Freeze},
    policy::Profile,
    select::Selection,
    time_zone::TimeZone,
};

fn mins(mins: u64) -> Duration {
    Duration::from_secs(60 * mins)
}

/// What a plan of twenty hosts says of freezes and windows. It takes a day of staging at most.
fn said(end: &str, freezes: &[(u64, u64, &str)]) -> Vec<String> {
    said_of("", end, freezes)
}

fn said_of(top: &str, end: &str, freezes: &[(u64, u64, &str)]) -> Vec<String> {
    let mut fleet = Fleet::default().with("web", "r1/a", "t", 20).placed();
    let freezes = freezes.iter().map(|(from, until, zone)| Freeze {
        name: "friday".to_owned(),
        from: NOW.after(mins(*from)),
        until: NOW.after(mins(*until)),
        time_zone: TimeZone::UTC,
        selection: Some(Selection::parse(&format!("zone == \"{zone}\"")).unwrap()),
        except_profiles: [Profile::Emergency].into(),
        reason: String::new(),
        owner: String::new(),
    });
    fleet.calendar = Calendar {
        freezes: freezes.collect(),
    };
    let warnings = fleet.plan(&format!("{top}{NOOP}{end}")).warnings;
    let is_meant = |warning: &&Warning| {
        matches!(
            warning,
            Warning::Frozen { .. }
                | Warning::PassesFreeze { .. }
                | Warning::WindowsNotCounted { .. }
                | Warning::NoWindow { .. }
        )
    };
    let meant = warnings.iter().filter(is_meant);
    meant.map(ToString::to_string).collect()
}

#[test]
fn a_freeze_in_the_way_is_said_and_no_other() {
    let begins = TimeZone::UTC.show(NOW.after(mins(60)));
    let ends = TimeZone::UTC.show(NOW.after(mins(90)));
    assert_eq!(
        said("", &[(60, 90, "a")]),
        [format!(
            "the freeze friday binds 20 of its hosts from {begins} until {ends}, within the time that it may take: nothing of them starts then; start the rollout after it, or let its profile through with except_profiles"
        )]
    );
    assert_eq!(said("", &[(60, 90, "b")]), [""; 0], "binds nobody");
    let spared = "severity = \"critical\"\n";
    assert_eq!(
        said_of(spared, "", &[(60, 90, "a")]),
        [
            "it goes through the freeze friday with 20 of its hosts, since its profile is emergency; give it another profile to have it wait"
        ]
    );
    let year = 60 * 24 * 365;
    assert_eq!(said("", &[(year, year + 1, "a")]), [""; 0], "too late");
}

#[test]
fn windows_are_not_in_the_estimate_and_may_open_too_late() {
    let counted = "the estimate does not count how long 20 hosts wait for their windows: add that to it, or widen them";
    let window = "[[window]]\nstart = \"22:00\"\nend = \"04:00\"\n";
    assert_eq!(said(window, &[]), [counted]);
    let other = window.replace("]]\n", "]]\nmatch = 'zone == \"b\"'\n");
    assert_eq!(said(&other, &[]), [""; 0]);
    let never = format!("{window}last_start = \"6h\"\n");
    assert_eq!(
        said(&never, &[]),
        [
            counted,
            "within the time that the rollout may take, no window opens for 20 hosts: start it nearer to them, or widen them"
        ]
    );
}
