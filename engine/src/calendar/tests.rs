use super::*;

const FULL: &str = r#"
[[freeze]]
name = "black friday"
from = "2026-11-26T18:00"
until = "2026-11-30"
time_zone = "America/New_York"
match = 'service == "shop"'
except_profiles = ["emergency", "accelerated"]
reason = "nobody touches the shop"
owner = "sre"
[[freeze]]
name = "audit"
from = "2026-12-01"
until = "2026-12-01T12:00"
"#;

fn at(text: &str) -> Timestamp {
    let at: jiff::Timestamp = text.parse().unwrap();
    Timestamp(u64::try_from(at.as_millisecond()).unwrap())
}

#[test]
fn a_calendar_is_read_by_the_clocks_of_its_zones() {
    let calendar = Calendar::parse("calendar.toml", FULL).unwrap();
    let [friday, audit] = &calendar.freezes[..] else {
        panic!("two freezes are expected");
    };
    assert_eq!(friday.name, "black friday");
    assert_eq!(friday.from, at("2026-11-26T23:00:00Z"));
    assert_eq!(friday.until, at("2026-12-01T05:00:00Z"), "all of the 30th");
    assert!(friday.selection.is_some());
    let spared = [Profile::Accelerated, Profile::Emergency];
    assert!(friday.except_profiles.iter().eq(&spared));
    assert!(audit.except_profiles.is_empty());
    assert_eq!(
        (friday.reason.as_str(), friday.owner.as_str()),
        ("nobody touches the shop", "sre")
    );
    assert_eq!(audit.from, at("2026-12-01T00:00:00Z"));
    assert_eq!(audit.until, at("2026-12-01T12:00:00Z"));
    assert_eq!((&audit.selection, audit.time_zone.name()), (&None, "UTC"));
    assert_eq!(calendar.next_begin(friday.from), Some(audit.from));
    assert_eq!(calendar.next_begin(audit.from), None);
}

#[test]
fn an_empty_calendar_freezes_nothing() {
    assert_eq!(Calendar::parse("c.toml", "").unwrap(), Calendar::default());
}

#[test]
fn every_mistake_of_a_calendar_is_reported_at_once() {
    let text = r#"freezes = 1
[[freeze]]
name = " "
from = "tomorrow"
until = "2026-11-30T25:00"
time_zone = "Mars/Olympus"
[[freeze]]
name = "a"
from = "2026-11-30T12:00"
until = "2026-11-29"
match = 'service'
[[freeze]]
name = "b"
from = "2026-11-30"
until = "2026-11-30"
untill = "2026-11-30"
[[freeze]]
name = "b"
until = "2026-11-30"
except_profiles = ["emergency", "hasty"]
"#;
    let found = Calendar::parse("c.toml", text).unwrap_err().to_string();
    for mistake in [
        "c.toml:1:1: unknown key \"freezes\"; did you mean \"freeze\"?",
        "c.toml:3:8: name in [[freeze]]: a freeze has a name",
        "c.toml:4:8: from in [[freeze]]: `tomorrow` is no local time: \"2026-11-26\" or \"2026-11-26T18:00\" is expected",
        "c.toml:5:9: until in [[freeze]]: `2026-11-30T25:00` is no local time",
        "c.toml:6:13: time_zone in [[freeze]]: `Mars/Olympus` is no time zone",
        "c.toml:10:9: until in [[freeze]]: ends before it begins, by the clocks of its time zone",
        "c.toml:11:",
        "c.toml:16:1: unknown key \"untill\" in [[freeze]]; did you mean \"until\"?",
        "c.toml:17:1: \"from\" in [[freeze]] is missing",
        "c.toml:20:33: except_profiles in [[freeze]]: \"default\" or \"accelerated\" or \"emergency\" is expected, this is \"hasty\"",
    ] {
        assert!(found.contains(mistake), "{mistake}\n{found}");
    }
    let twice = format!("{FULL}{FULL}");
    let found = Calendar::parse("c.toml", &twice).unwrap_err().to_string();
    assert!(
        found.contains("another freeze is named `audit` already"),
        "{found}"
    );
}
