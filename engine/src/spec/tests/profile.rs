//! Which waves and bakes a rollout has by its severity.

use super::parse;
use crate::spec::{Wave, WaveSize};

const REST: &str = "name = \"x\"\n[patch]\nkind = \"noop\"\n[select]\nmatch = 'zone == \"a\"'\n";

/// The shares of the waves, and their bakes in minutes.
fn course(top: &str, end: &str) -> (Vec<String>, Vec<u64>) {
    let spec = parse(&format!("{top}\n{REST}{end}"));
    let canonical = parse(&spec.to_string());
    assert_eq!(canonical, spec, "{top}");
    let share = |wave: &Wave| match wave.size {
        WaveSize::To(share) => share.to_string(),
        other @ (WaveSize::Hosts(_) | WaveSize::CellsPerRegion(_)) => format!("{other:?}"),
    };
    let waves = spec.waves().iter();
    let minutes = waves.clone().map(|wave| wave.bake.as_secs() / 60).collect();
    (waves.map(share).collect(), minutes)
}

#[test]
fn a_profile_says_the_waves_and_bakes_that_the_file_does_not() {
    let wave = "[[wave]]\nname = \"a\"\nto = \"2%\"\n[[wave]]\nname = \"b\"\nto = \"100%\"\n";
    let said = "[[wave]]\nname = \"a\"\nto = \"2%\"\nbake = \"1m\"\n";
    for (top, end, shares, bakes) in [
        ("", "", vec!["1%", "10%", "100%"], vec![15, 15, 0]),
        (
            "severity = \"low\"",
            "",
            vec!["1%", "10%", "100%"],
            vec![15, 15, 0],
        ),
        (
            "severity = \"medium\"",
            "",
            vec!["1%", "10%", "100%"],
            vec![15, 15, 0],
        ),
        (
            "severity = \"high\"",
            "",
            vec!["1%", "25%", "100%"],
            vec![10, 10, 0],
        ),
        (
            "severity = \"critical\"",
            "",
            vec!["5%", "25%", "100%"],
            vec![5, 5, 0],
        ),
        (
            "profile = \"emergency\"",
            "",
            vec!["5%", "25%", "100%"],
            vec![5, 5, 0],
        ),
        // What is said wins.
        (
            "severity = \"critical\"\nprofile = \"accelerated\"",
            "",
            vec!["1%", "25%", "100%"],
            vec![10, 10, 0],
        ),
        (
            "severity = \"critical\"\nbake = \"1h\"",
            "",
            vec!["5%", "25%", "100%"],
            vec![60, 60, 0],
        ),
        (
            "severity = \"critical\"",
            wave,
            vec!["2%", "100%"],
            vec![5, 0],
        ),
        ("severity = \"critical\"", said, vec!["2%"], vec![1]),
    ] {
        let found = course(top, end);
        let shares: Vec<String> = shares.into_iter().map(ToOwned::to_owned).collect();
        assert_eq!(found, (shares, bakes), "{top}");
    }
}
