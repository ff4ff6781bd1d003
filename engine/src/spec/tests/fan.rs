//! What a fan may say.

use super::{MINIMAL, mistakes_with, parse};

#[test]
fn what_is_wrong_with_a_fan_is_said_where_it_stands() {
    for (fan, mistake) in [
        ("[]", "1:7: fan: a fan has turns and each turn has regions"),
        (
            "[[\"first\"], []]",
            "1:7: fan: a fan has turns and each turn has regions",
        ),
        (
            "[\"first\"]",
            "1:8: fan: a list of lists of texts is expected, this is \"first\"",
        ),
        (
            "[[\"rest\"], [\"first\"]]",
            "1:9: fan: \"rest\" is all that is left",
        ),
        (
            "[[\"a\"], [\"b\", \"a\"]]",
            "1:21: fan: \"a\" is in the fan already",
        ),
        ("[[\"-a\"]]", "1:9: fan: `-a` is not a region name"),
    ] {
        let found = mistakes_with(&format!("fan = {fan}"), "");
        assert!(
            found.starts_with(&format!("test.toml:{mistake}")),
            "{fan}: {found}"
        );
    }
    let found = mistakes_with("order = \"none\"\nfan = [[\"rest\"]]", "");
    assert!(
        found.contains("fan: only order = \"fan-out\" opens regions by their fan"),
        "{found}"
    );
}

#[test]
fn a_wave_without_a_fan_or_a_zone_bake_has_those_of_the_top() {
    let top = "zone_bake = \"5m\"\nfan = [[\"rest\"]]\n";
    let waves = "[[wave]]\nname = \"a\"\nto = \"1%\"\n[[wave]]\nname = \"b\"\nto = \"2%\"\nzone_bake = \"1m\"\nfan = [[\"x\", \"rest\"]]\n";
    let spec = parse(&format!("{top}{MINIMAL}{waves}"));
    let seconds: Vec<_> = spec.waves().iter().map(|w| w.zone_bake.as_secs()).collect();
    assert_eq!(seconds, [300, 60]);
    let fans: Vec<_> = spec
        .waves()
        .iter()
        .map(|w| w.fan.as_ref().map(ToString::to_string))
        .collect();
    assert_eq!(fans, [None, Some("[[\"x\", \"rest\"]]".to_owned())]);
    assert_eq!(spec.fan().to_string(), "[[\"rest\"]]");
}
