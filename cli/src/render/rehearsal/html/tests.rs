use super::*;
use cofferdam_engine::{
    id::{CellId, HostId, RolloutId},
    rehearse::report::{
        Checks, FaultSeen, GroupPeak, GroupPoint, HeldBy, Left, Pause, Point, Slice,
    },
};

const MINUTE: u64 = 60_000;

/// A rehearsal in which nothing went wrong: two cells, two waves, half an hour.
pub(super) fn calm() -> Report {
    let slice = |cell: &str, wave: &str, began: u64, ended: u64| Slice {
        cell: CellId::new(cell).unwrap(),
        wave: wave.to_owned(),
        hosts: 4,
        began_ms: began * MINUTE,
        ended_ms: ended * MINUTE,
        patched: 4,
        open: 0,
        failed: 0,
    };
    let point = |at: u64, patched, running| Point {
        at_ms: at * MINUTE,
        patched,
        running,
        ..Point::default()
    };
    Report {
        rollout: RolloutId::new("openssl-2026-11").unwrap(),
        seed: 7,
        hosts: 12,
        planned: 8,
        phase: "done".to_owned(),
        has_stalled: false,
        took_ms: 30 * MINUTE,
        went_back_ms: None,
        took_without_coordination_ms: Some(27 * MINUTE),
        bound_ms: 25 * MINUTE,
        patched: 8,
        unpatched: Vec::new(),
        harmed: Vec::new(),
        out_at_the_end: Vec::new(),
        groups: vec![group("r1/a web", 8, 2, 2)],
        faults: Vec::new(),
        pauses: Vec::new(),
        holds: Vec::new(),
        left: Vec::new(),
        acts: 0,
        refused: Vec::new(),
        warnings: Vec::new(),
        notes: Vec::new(),
        broken: Vec::new(),
        checks: Checks::EachStep,
        slices: vec![
            slice("r1-a-1", "canary", 0, 8),
            slice("r1-a-2", "full", 18, 30),
        ],
        points: vec![
            point(0, 0, 4),
            point(8, 4, 0),
            point(18, 4, 4),
            point(30, 8, 0),
        ],
    }
}

/// A rehearsal in which much went wrong.
fn rough() -> Report {
    let mut report = calm();
    report.phase = "paused".to_owned();
    report.slices[1].failed = 2;
    report.harmed = hosts(2);
    report.faults = vec![
        fault("rack-power", Some(19), Some(21)),
        fault("slow-disk", Some(20), None),
        fault("full-disk", None, None),
    ];
    report.pauses = vec![Pause {
        at_ms: 22 * MINUTE,
        wave: "full".to_owned(),
        why: "2 of 4 hosts failed <script>alert(1)</script> & more".to_owned(),
    }];
    report.holds = vec![HeldBy {
        rule: "floor".to_owned(),
        most: 3,
        longest_ms: 95_000,
        such_as: "host web-7: 2 of r1/a web are out, and 2 may be".to_owned(),
    }];
    report.left = vec![Left {
        cause: "health <script>alert(2)</script>; quarantined".to_owned(),
        stratum: Some("instance_type=<b>i3".to_owned()),
        hosts: hosts(25),
    }];
    report.acts = 1;
    report.refused = vec!["resume: somebody else did".to_owned()];
    report
}

fn group(name: &str, members: usize, allowance: usize, most_out: usize) -> GroupPeak {
    GroupPeak {
        group: name.to_owned(),
        min_in_service: "90%".to_owned(),
        members,
        allowance,
        came: 0,
        most_out,
        at_ms: 20 * MINUTE,
        course: [(20, most_out), (24, 0)]
            .map(|(at, out)| GroupPoint {
                at_ms: at * MINUTE,
                out,
            })
            .into(),
    }
}

fn fault(name: &str, struck: Option<u64>, noticed: Option<u64>) -> FaultSeen {
    FaultSeen {
        name: name.to_owned(),
        hosts: 2,
        struck_ms: struck.map(|at| at * MINUTE),
        noticed_ms: noticed.map(|at| at * MINUTE),
        by: noticed
            .map(|_| "not connected".to_owned())
            .unwrap_or_default(),
    }
}

fn hosts(number: usize) -> Vec<HostId> {
    let names = (0..number).map(|place| HostId::new(format!("web-{place:05}.example")).unwrap());
    names.collect()
}

/// As much as a large fleet comes to.
fn large() -> Report {
    let mut report = rough();
    let count = |number: u64| usize::try_from(number).unwrap();
    report.took_ms = 600 * MINUTE;
    report.planned = 30_000;
    report.slices = (0..500)
        .map(|number| Slice {
            cell: CellId::new(format!("region-{:02}-zone-{number:04}", number % 20)).unwrap(),
            wave: format!("wave-{}", number / 100),
            hosts: 60,
            began_ms: number * MINUTE,
            ended_ms: (number + 40 + number % 37) * MINUTE,
            patched: 59,
            open: 0,
            failed: count(u64::from(number % 71 == 3)),
        })
        .collect();
    report.points = (0..600)
        .map(|number| Point {
            at_ms: number * MINUTE,
            patched: count(number * 49 + number % 7),
            running: count(300 + number * 13 % 97),
            failed: count(number / 9),
            lost: count(number / 50),
            out: 300,
        })
        .collect();
    let names = (0..1000).map(|number| format!("region-1/zone-{number:03} some-service"));
    report.groups = names.map(|name| group(&name, 90, 9, 9)).collect();
    report
        .groups
        .iter_mut()
        .skip(12)
        .for_each(|group| group.course.clear());
    report.left[0].hosts = hosts(5000);
    report
}

/// The page of a rehearsal that is of no incident, with bits that somebody resolved.
fn bare(report: &Report) -> String {
    page(report, false, None)
}

/// The names of all elements that are opened and never closed, or closed and never opened.
fn unbalanced(page: &str) -> Vec<String> {
    let void = ["!DOCTYPE", "meta"];
    let mut open: Vec<String> = Vec::new();
    let mut wrong = Vec::new();
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let name = tag.split_whitespace().next().unwrap();
        match name.strip_prefix('/') {
            Some(closed) if open.last().is_some_and(|last| last == closed) => drop(open.pop()),
            Some(closed) => wrong.push(closed.to_owned()),
            None if void.contains(&name) => {}
            None => open.push(name.to_owned()),
        }
    }
    open.extend(wrong);
    open
}

#[test]
fn a_small_page_is_as_it_was() {
    let page = bare(&calm()).replace(STYLE, "");
    insta::assert_snapshot!(page.replace("><", ">\n<"));
}

#[test]
fn a_rehearsal_without_trouble_is_green_and_says_what_did_not_happen() {
    let page = bare(&calm());
    let said = [
        "<p class=\"verdict green\">",
        "Done after 30m, 8 of 8 hosts patched.",
        "10.0 % of it coordination; 20.0 % over the bound that its limits set, 25m",
        "No promise was broken: all of them checked at every step.",
        "No host is left for a person.",
        "Every host serves at the end.",
        "The scenario has no faults.",
        "The rollout never paused.",
        "Nothing was held.",
        "Operators were refused nothing.",
    ];
    for words in said {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn what_is_left_for_a_person_makes_the_page_amber() {
    let page = bare(&rough());
    assert!(page.contains("<p class=\"verdict amber\">"));
    assert!(page.contains("Paused after 30m"));
    assert!(page.contains("1 thing is left for a person."));
}

#[test]
fn a_rollout_that_nothing_moves_any_more_is_said_to_be_stalled_and_what_it_warns_of_is_told() {
    let mut report = calm();
    report.phase = "running".to_owned();
    report.has_stalled = true;
    report.slices[1].patched = 1;
    report.warnings = vec!["no gate watches".to_owned()];
    report.notes = vec!["fault typo is about no host".to_owned()];
    let page = bare(&report);
    for words in [
        "Stalled after 30m",
        "<p class=\"verdict amber\">",
        "<li>no gate watches</li>",
        "<li>fault typo is about no host</li>",
        "<rect class=\"unfinished\"",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn groups_are_drawn_against_their_floors_over_time() {
    let page = bare(&calm());
    assert!(page.contains("r1/a web: at least 6 of 8 in service, 6 by its floor"));
    assert!(page.contains("<path class=\"floor\""));
}

#[test]
fn a_rollout_that_was_taken_back_is_never_green() {
    let mut report = calm();
    report.phase = "rolled-back".to_owned();
    let verdict = verdict::of(&report);
    assert_eq!(verdict.colour, verdict::Colour::Amber);
    assert!(verdict.headline.starts_with("Rolled back after"));
}

#[test]
fn broken_promises_and_hosts_that_no_fault_took_make_the_page_red() {
    let mut broken = calm();
    broken.broken = vec!["web-1 was patched twice".to_owned()];
    let mut lost = calm();
    lost.out_at_the_end = hosts(1);
    for report in [broken, lost] {
        assert!(bare(&report).contains("<p class=\"verdict red\">"));
    }
}

#[test]
fn a_host_that_a_fault_took_does_not_make_the_page_red() {
    let mut report = rough();
    report.out_at_the_end = hosts(2);
    assert_eq!(verdict::of(&report).colour, verdict::Colour::Amber);
}

#[test]
fn nothing_from_a_file_becomes_markup() {
    let page = bare(&rough());
    assert!(!page.contains("<script"));
    assert!(page.contains("health &lt;script&gt;alert(2)&lt;/script&gt;; quarantined"));
    assert!(page.contains("instance_type=&lt;b&gt;i3"));
}

#[test]
fn a_fault_says_when_and_how_it_was_noticed_or_that_it_was_not() {
    let page = bare(&rough());
    let row = "<td class=\"number\">19m</td><td class=\"number\">2m</td><td>not connected</td>";
    assert!(page.contains(row));
    assert!(page.contains("<td class=\"number\">20m</td><td class=\"number\">not noticed</td>"));
    assert!(page.contains("<td class=\"number\">never</td>"));
}

#[test]
fn a_rehearsal_of_nothing_has_a_page() {
    let mut report = calm();
    report.took_ms = 0;
    report.phase = String::new();
    report.slices.clear();
    report.points.clear();
    report.groups.clear();
    let page = bare(&report);
    for words in [
        "No slice began.",
        "No host was patched.",
        "Never started after 0s",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn every_picture_has_words_for_those_who_do_not_see_it() {
    let page = bare(&rough());
    let pictures = page.matches("<svg role=\"img\" aria-label=\"").count();
    assert_eq!((pictures, page.matches("<svg").count()), (5, 5));
}

#[test]
fn every_tag_is_closed() {
    for report in [calm(), rough(), large()] {
        assert_eq!(unbalanced(&bare(&report)), Vec::<String>::new());
    }
}

#[test]
fn the_page_of_a_large_fleet_can_be_sent_around() {
    let page = bare(&large());
    assert!(page.len() < 500_000, "{} bytes", page.len());
    assert!(page.contains("And 970 groups less full."));
    assert!(page.contains("and 4000 more hosts</details>"));
}
