//! What operators see of hosts whose runs are over.

use super::*;
use cofferdam_engine::{cell::CellEvent, effect::EffectSummary};

/// Six hosts passed; they tell of the effect in every way that there is.
#[test]
fn a_rollout_says_how_many_of_its_hosts_have_it_in_effect_and_which_units_do_not() {
    let mut fleet = fleet(6);
    let cell = fleet.cells().keys().next().cloned().unwrap();
    let summary = Summary {
        rollout: name(),
        cell: cell.clone(),
        epoch: OwnerEpoch(1),
        revision: 1,
        generation: Generation(0),
        changed: (0..6).map(|n| (host(n), Outcome::Passed)).collect(),
        braked: None,
    };
    assert_eq!(shown(&fleet), None, "before any host passed");
    let event = RolloutEvent::Summarised { summary };
    let rollout = name();
    apply(&mut fleet, FleetEvent::Rollout { rollout, event });
    let restart = |units: &[&str]| EffectSummary {
        restart: units.iter().map(|unit| (*unit).to_owned()).collect(),
        reboot: None,
    };
    let reboot = EffectSummary {
        reboot: Some("kernel 2 is installed and 1 runs".to_owned()),
        ..restart(&["cron.service"])
    };
    let told = [
        EffectSummary::default(),
        EffectSummary::default(),
        restart(&["nginx.service"]),
        restart(&["cron.service", "nginx.service"]),
        reboot,
    ];
    for (number, effect) in (0..).zip(told) {
        let event = CellEvent::EffectTold {
            host: host(number),
            effect: Box::new(effect),
        };
        let cell = cell.clone();
        apply(&mut fleet, FleetEvent::Cell { cell, event });
    }
    let expected =
        "2 yes, 2 needs-restart [nginx.service 2, cron.service 1], 1 needs-reboot, 1 not known";
    assert_eq!(shown(&fleet).as_deref(), Some(expected));
}

fn shown(fleet: &Fleet) -> Option<String> {
    let view = rollout(situation(fleet, &Holds::known([])), &name()).unwrap();
    view.effective.map(|effective| effective.to_string())
}
