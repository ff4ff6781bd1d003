//! What a control plane explains of what is in its regions: each answer names region, cell, host and rule.

use crate::{ROLLOUT, SEATS, assert_every_host_is_patched_once, at, split};
use cofferdam_proto::operator::{Explanation, HoldView, SubjectKind};
use cofferdam_tests::simulation::{Fault, Scene};
use std::time::Duration;

/// The cells of the first region.
const CELLS: [&str; 2] = ["r1-z0-1", "r1-z2-1"];

/// These cells and their hosts.
fn names() -> Vec<String> {
    let of = |zone: &str| {
        (0..SEATS)
            .map(|seat| format!("{zone}-{seat:02}"))
            .collect::<Vec<_>>()
    };
    let hosts = ["z0", "z2"].iter().flat_map(|zone| of(zone));
    hosts.chain(CELLS.map(str::to_owned)).collect()
}

/// What was explained of a cell, or of its hosts, that one of these rules holds, with the line that says so.
fn held<'a>(
    explained: &'a [Explanation],
    kind: SubjectKind,
    rules: &[&str],
) -> Vec<(&'a Explanation, &'a HoldView)> {
    let all = explained.iter().filter(|of| of.kind == kind);
    let line = |of: &'a Explanation| {
        let line = of
            .lines
            .iter()
            .find(|line| rules.contains(&line.rule.as_str()))?;
        Some((of, line))
    };
    all.filter_map(line).collect()
}

/// What is said of a subject under a name.
fn fact<'a>(explained: &'a Explanation, key: &str) -> &'a str {
    let fact = explained.facts.iter().find(|fact| fact.key == key);
    fact.map_or("", |fact| fact.value.as_str())
}

/// A host's explanation names itself, its cell and its region, and says first what holds it.
fn assert_is_named(host: &Explanation, line: &HoldView, region: &str) {
    let cell = fact(host, "cell");
    assert!(CELLS.contains(&cell), "{host:#?}");
    assert!(
        line.subject.contains(cell) || line.subject.contains(&host.subject),
        "{host:#?}"
    );
    assert!(fact(host, "region").starts_with(region), "{host:#?}");
}

#[test]
fn who_waits_for_a_token_of_a_floor_is_told_of_the_group_and_which_host_has_its_room() {
    // Of the whole region one may be out, which is a token; of each cell two.
    let rollout = ROLLOUT.replace(
        "floor = [{ ",
        "floor = [{ group_by = [\"service\", \"region\"], min_in_service = \"94%\" }, { ",
    );
    let scene = Scene {
        rollout,
        asks: vec![(Duration::from_secs(14), names())],
        ..split(1, Vec::new())
    };
    let ending = scene.play();

    assert_every_host_is_patched_once(&ending);
    let explained = &ending.explained[0];
    let hosts = held(explained, SubjectKind::Host, &["token"]);
    assert!(!hosts.is_empty(), "{explained:#?}");
    for (host, line) in hosts {
        assert_is_named(host, line, "r1, linked");
        assert_eq!(host.headline, format!("waits: {}", line.reason));
        assert!(
            line.reason
                .contains("of group service=web region=r1 are out"),
            "{line:?}"
        );
    }
    let cells = held(explained, SubjectKind::Cell, &["token"]);
    assert_eq!(cells.len(), CELLS.len(), "{explained:#?}");
    // The one that is out is named by its own cell.
    let is_out = |(cell, _): &&(&Explanation, _)| {
        cell.facts.iter().any(|fact| fact.key.starts_with("out: z"))
    };
    assert!(cells.iter().any(|cell| is_out(&cell)), "{cells:#?}");
}

#[test]
fn who_is_in_a_region_that_is_cut_off_is_told_so_and_that_its_leave_has_ended() {
    let scene = Scene {
        rollout: format!("warrant = \"4s\"\nunknown_after = \"20s\"\n{ROLLOUT}"),
        asks: vec![(Duration::from_secs(18), names())],
        ..split(
            4,
            vec![at(9, Fault::CutRegion(0)), at(30, Fault::MendRegion(0))],
        )
    };
    let ending = scene.play();

    assert_every_host_is_patched_once(&ending);
    let explained = &ending.explained[0];
    for rule in ["silent", "warrant"] {
        let hosts = held(explained, SubjectKind::Host, &[rule]);
        assert!(!hosts.is_empty(), "{rule}: {explained:#?}");
        for (host, line) in hosts {
            assert_is_named(host, line, "r1, nothing is heard of it since");
            assert_eq!(host.headline, "waits: nothing is heard of the cell");
        }
        let cells = held(explained, SubjectKind::Cell, &[rule]);
        let named = cells.iter().map(|(cell, line)| {
            assert!(line.subject.ends_with(&cell.subject), "{line:?}");
            cell.subject.as_str()
        });
        assert_eq!(named.collect::<Vec<_>>(), CELLS, "{rule}: {explained:#?}");
    }
}
