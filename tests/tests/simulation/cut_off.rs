//! Regions that are cut off, and what happens to them meanwhile.

use crate::{assert_every_host_is_patched_once, at, split};
use cofferdam_tests::simulation::Fault;

/// Where lines of a history are of this kind.
fn places(history: &[String], kind: &str) -> Vec<usize> {
    let lines = history.iter().enumerate();
    let is_it = |(_, line): &(usize, &String)| line.contains(kind);
    lines.filter(is_it).map(|(place, _)| place).collect()
}

const ORDERED: &str = r#""event":"ordered""#;
const WARRANTED: &str = r#""event":"warranted""#;
const BOOTED: &str = r#""fleet":"booted""#;

#[test]
fn a_region_whose_machine_boots_while_it_is_cut_off_starts_nothing_until_it_is_granted_anew() {
    // Cut off in the second wave, with a warrant of half an hour, and heard again long before that is over.
    let faults = vec![
        at(9, Fault::CutRegion(0)),
        at(10, Fault::KillRegion(0)),
        at(11, Fault::BootRegion(0)),
        at(60, Fault::MendRegion(0)),
    ];
    let mut restarted = faults.clone();
    restarted[2].1 = Fault::StartRegion(0);

    let ending = split(2, faults).play();

    assert_every_host_is_patched_once(&ending);
    let history = &ending.histories["r1"];
    let booted = *places(history, BOOTED).last().expect("it booted");
    let after = |kind| {
        places(history, kind)
            .into_iter()
            .find(|place| *place > booted)
    };
    let (ordered, warranted) = (after(ORDERED), after(WARRANTED));
    assert!(ordered.is_some(), "there was something left to do");
    assert!(
        warranted < ordered,
        "granted at {warranted:?}, ordered at {ordered:?}"
    );

    // In the same boot it goes on with what it has.
    let ending = split(2, restarted).play();
    assert_every_host_is_patched_once(&ending);
    let history = &ending.histories["r1"];
    let started = *places(history, r#""fleet":"owner-started""#)
        .last()
        .expect("it started");
    let after = |kind| {
        places(history, kind)
            .into_iter()
            .find(|place| *place > started)
    };
    assert!(
        after(ORDERED).is_some()
            && after(WARRANTED).is_none_or(|warranted| after(ORDERED) < Some(warranted))
    );
}
