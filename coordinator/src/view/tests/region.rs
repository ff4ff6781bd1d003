//! What a control plane explains of what is in its regions.

use super::*;
use cofferdam_engine::{
    cell::CellEvent,
    fleet::{Form, LinkEvent, News},
    id::Region,
};

fn region() -> Region {
    Region::new("r1").unwrap()
}

fn link(fleet: &mut Fleet, event: LinkEvent) {
    apply(fleet, FleetEvent::Link { event });
}

/// A control plane that has met a region of four hosts, and a practice rollout over it.
fn control() -> Fleet {
    let mut fleet = Fleet::default();
    let (form, store) = (Form::Control, Incarnation(1));
    apply(&mut fleet, FleetEvent::FormTaken { form, store });
    let joined = LinkEvent::Joined {
        region: region(),
        store: Incarnation(2),
        has: None,
    };
    link(&mut fleet, joined);
    let cell = || CellId::new("r1-a-1").unwrap();
    let made = News::Made {
        cell: cell(),
        epoch: OwnerEpoch(1),
        calendar: Calendar::default(),
    };
    let came = (0..4).map(|host| News::Cell {
        cell: cell(),
        event: Box::new(CellEvent::HostConnected {
            hello: Box::new(hello(host, "a")),
        }),
    });
    for (number, news) in (1..).zip([made].into_iter().chain(came)) {
        let (region, news) = (region(), Box::new(news));
        let news = LinkEvent::News {
            region,
            number,
            news,
        };
        link(&mut fleet, news);
    }
    let event = FleetEvent::RolloutStarted {
        plan: Box::new(plan_of(&fleet)),
        by: OperatorId::new("ana").unwrap(),
    };
    apply(&mut fleet, event);
    fleet
}

/// What is said under a name of a subject.
fn facts(fleet: &Fleet, subject: &str, key: &str) -> Vec<String> {
    let kept = Holds::default();
    let explained = explain(situation(fleet, &kept), subject).unwrap();
    let facts = explained.facts.into_iter();
    let facts = facts.filter(|fact| fact.key == key);
    facts.map(|fact| fact.value).collect()
}

#[test]
fn a_cell_and_a_host_say_their_region_and_how_its_link_stands() {
    let mut fleet = control();
    for subject in ["r1-a-1", "web-0"] {
        assert_eq!(facts(&fleet, subject, "region"), ["r1, linked"]);
    }
    assert_eq!(facts(&fleet, "practice", "region"), [""; 0]);

    let (of, since) = (region(), Timestamp(1000));
    link(&mut fleet, LinkEvent::Silent { region: of, since });
    let since = "r1, nothing is heard of it since 1s ago";
    for subject in ["r1-a-1", "web-0"] {
        let told = format!("{since}; the rest is as it told last");
        assert_eq!(facts(&fleet, subject, "region"), [told]);
    }
    let told = format!("{since}: r1-a-1");
    assert_eq!(facts(&fleet, "practice", "region"), [told]);
}

#[test]
fn the_rule_that_holds_a_rollout_names_the_cell_of_a_region_that_is_cut_off() {
    let mut fleet = control();
    let (of, since) = (region(), Timestamp(1000));
    link(&mut fleet, LinkEvent::Silent { region: of, since });

    let kept = Holds::default();
    for subject in ["practice", "r1-a-1", "web-0"] {
        let lines = explain(situation(&fleet, &kept), subject).unwrap().lines;
        let held = lines.iter().find(|line| line.rule == "silent");
        let held = held.unwrap_or_else(|| panic!("{subject}: {lines:?}"));
        assert!(held.subject.contains("r1-a-1"), "{held:?}");
    }
}
