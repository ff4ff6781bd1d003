//! In which order the regions, zones and cells of a wave open.

use super::{
    super::*,
    fleet::{Fleet, NOOP, demo, waiver, wave},
};
use std::time::Duration;

/// Regions of 10, 30, 20 and 30 hosts; of the two largest `ap` is the more varied.
fn four_regions() -> Fleet {
    Fleet::default()
        .with("web", "sa/a", "t", 10)
        .with("web", "us/a", "t", 20)
        .with("web", "us/b", "t", 10)
        .with("web", "eu/a", "t", 20)
        .with("web", "ap/a", "t", 28)
        .with("web", "ap/a", "u", 2)
}

/// The turns of the last wave as text: zones are parted by `>`, regions by `+`.
fn turns(plan: &Plan) -> Vec<String> {
    let zone = |cells: &Vec<CellId>| {
        let names: Vec<_> = cells.iter().map(ToString::to_string).collect();
        names.join(" ")
    };
    let chain = |chain: &Chain| chain.zones.iter().map(zone).collect::<Vec<_>>().join(" > ");
    let turn = |turn: &Turn| {
        turn.chains
            .iter()
            .map(chain)
            .collect::<Vec<_>>()
            .join(" + ")
    };
    let last = plan.waves.last().unwrap();
    last.opening.turns.iter().map(turn).collect()
}

#[test]
fn regions_open_in_the_order_that_the_file_says() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["sa-a-1", "ap-a-1", "eu-a-1 + us-b-1 > us-a-1"]),
        (
            "order = \"regions\"",
            &["sa-a-1", "eu-a-1", "ap-a-1", "us-b-1 > us-a-1"],
        ),
        (
            "fan = [[\"us\"], [\"first\", \"ap\"], [\"rest\"]]",
            &["us-b-1 > us-a-1", "sa-a-1 + ap-a-1", "eu-a-1"],
        ),
        (
            "fan = [[\"rest\"]]",
            &["sa-a-1 + eu-a-1 + ap-a-1 + us-b-1 > us-a-1"],
        ),
        // Named regions are not looked for elsewhere, and a turn that comes out empty is none.
        (
            "fan = [[\"sa\", \"eu\"], [\"ap\", \"us\"], [\"first\"], [\"largest\", \"rest\"]]",
            &["sa-a-1 + eu-a-1", "ap-a-1 + us-b-1 > us-a-1"],
        ),
    ];
    for (top, expected) in cases {
        let plan = four_regions().plan(&format!("{top}\n{NOOP}{}", wave("all", "to = \"100%\"")));
        assert_eq!(turns(&plan), *expected, "{top}");
    }
}

#[test]
fn without_an_order_all_cells_are_one_zone_of_one_turn() {
    let plan = demo().plan(&format!("order = \"none\"\n{NOOP}"));
    let [turn] = plan.waves[2].opening.turns.as_slice() else {
        panic!("one turn is expected");
    };
    assert_eq!(turn.chains.len(), 1);
    assert_eq!(turn.chains[0].zones.len(), 1);
    assert_eq!(turn.cells().count(), 3);
}

#[test]
fn a_wave_has_its_own_fan_whatever_the_order_of_the_rollout() {
    let all = wave("all", "to = \"100%\"\nfan = [[\"eu\"], [\"rest\"]]");
    let plan = four_regions().plan(&format!("order = \"none\"\n{NOOP}{all}"));
    assert_eq!(
        turns(&plan),
        ["eu-a-1", "sa-a-1 + ap-a-1 + us-b-1 > us-a-1"]
    );
}

#[test]
fn a_fan_that_does_not_fit_the_fleet_is_refused_with_its_cure() {
    let all = wave("all", "to = \"100%\"");
    let file = format!("fan = [[\"mars\"], [\"first\", \"largest\"]]\n{NOOP}{all}");
    let errors = four_regions().try_plan(&file).unwrap_err();
    let lines: Vec<_> = errors.0.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "the fan names mars, where no selected host is; they are in ap, eu, sa, us: name one of these, or take it out",
            "the fan never opens eu, us; give it a last turn [\"rest\"], or leave their hosts out of match",
        ]
    );
}

#[test]
fn the_fan_of_a_wave_opens_the_regions_of_the_hosts_that_it_is_for() {
    let first = |fan: &str| {
        wave(
            "some",
            &format!("hosts = 9\nmatch = 'region in (\"eu\", \"us\")'\nfan = {fan}"),
        ) + &wave("all", "to = \"100%\"")
    };
    let lacks = ["ap", "sa"].map(|region| waiver(&format!("region={region}"), "2027-05-01"));
    let file = |fan: &str| {
        let lacks = lacks.concat();
        format!("coverage = [\"service\"]\n{NOOP}{}{lacks}", first(fan))
    };
    let of_first = |plan: Plan| {
        let turns = plan.waves[0].opening.turns.iter();
        let regions = turns.map(|turn| turn.cells().next().unwrap().to_string());
        regions.collect::<Vec<_>>()
    };
    let plan = four_regions().plan(&file("[[\"us\"], [\"eu\"]]"));
    assert_eq!(of_first(plan), ["us-b-1", "eu-a-1"]);
    // The smallest is that of theirs, and a region may be named that the wave has no host in.
    let plan = four_regions().plan(&file("[[\"first\"], [\"sa\"], [\"rest\"]]"));
    assert_eq!(of_first(plan), ["eu-a-1", "us-b-1"]);

    let errors = four_regions().try_plan(&file("[[\"eu\"]]")).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "the fan never opens us; give it a last turn [\"rest\"], or leave their hosts out of match"
    );
}

#[test]
fn the_estimate_lets_regions_go_side_by_side_and_zones_bake() {
    let estimate = |top: &str| {
        let top = format!("cells_gap = \"0s\"\nstart_spacing = \"0s\"\n{top}");
        let all = wave("all", "to = \"100%\"");
        let fleet = Fleet::default()
            .with("web", "us/a", "t", 20)
            .with("web", "us/b", "t", 20)
            .with("web", "eu/a", "t", 20);
        fleet.plan(&format!("{top}\n{NOOP}{all}")).estimate
    };
    let [one, two] = [
        estimate("fan = [[\"rest\"]]"),
        estimate("fan = [[\"rest\"]]\nzone_bake = \"1h\""),
    ];
    let hour = Duration::from_secs(3600);
    assert_eq!((two.least, two.most), (one.least + hour, one.most + hour));
    let apart = estimate("order = \"regions\"");
    // One box goes ahead of all others.
    let box_ahead = Duration::from_secs(60);
    assert_eq!((one.least - box_ahead) * 3, (apart.least - box_ahead) * 2);
    assert!(one.most < apart.most);
    // Not all have room: then one may come after the other.
    let narrow = estimate("fan = [[\"rest\"]]\ncells_at_once = 1");
    assert_eq!(narrow.most, apart.most);
}

#[test]
fn an_opening_that_was_stored_as_groups_is_read_as_turns() {
    let stored = r#"[["a-1", "a-2"], ["b-1"]]"#;
    let opening: Opening = serde_json::from_str(stored).unwrap();
    let cells: Vec<_> = opening
        .turns
        .iter()
        .map(|turn| turn.cells().count())
        .collect();
    assert_eq!(cells, [2, 1]);
    let again = serde_json::to_string(&opening).unwrap();
    assert_eq!(serde_json::from_str::<Opening>(&again).unwrap(), opening);
}
