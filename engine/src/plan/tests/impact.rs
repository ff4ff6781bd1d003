//! Who may feel a rollout.

use super::fleet::{Fleet, NOOP};
use crate::{
    plan::{GroupBlast, ImpactKind, Plan},
    services::Services,
};

const CHAIN: &str = r#"
[service.db]
owners = ["dora"]
tier = 1
[service.api]
owners = ["abel"]
tier = 2
depends_on = ["db"]
[service.shop]
owners = ["sam", "ana"]
tier = 1
depends_on = ["api"]
[service.mail]
owners = ["mia"]
tier = 3
"#;

fn fleet() -> Fleet {
    Fleet {
        services: Services::parse("services.toml", CHAIN).unwrap(),
        ..Fleet::default()
            .with("db", "r1/a", "t1", 20)
            .with("old", "r1/a", "t1", 2)
    }
}

fn reached(plan: &Plan) -> Vec<(&str, ImpactKind)> {
    let impacts = plan.blast.impacts.iter();
    impacts
        .map(|impact| (impact.service.as_str(), impact.kind))
        .collect()
}

#[test]
fn a_plan_names_the_patched_services_their_dependants_and_theirs() {
    let plan = fleet().plan(NOOP);
    assert_eq!(
        reached(&plan),
        [
            ("db", ImpactKind::Patched),
            ("api", ImpactKind::Direct),
            ("shop", ImpactKind::Indirect)
        ]
    );
    let shop = &plan.blast.impacts[2];
    assert_eq!((shop.tier, shop.owners.len(), shop.planned), (1, 2, 0));
    assert_eq!(plan.blast.impacts[0].planned, 20);
}

#[test]
fn a_plan_keeps_the_dependencies_that_touch_it_and_no_other() {
    let plan = fleet().plan(NOOP);
    for assignment in plan.assignments.values() {
        let kept: Vec<&str> = assignment.dependencies.keys().map(|k| k.as_str()).collect();
        assert_eq!(kept, ["api"]);
    }
}

#[test]
fn services_that_nobody_declared_are_warned_of_where_any_is_declared() {
    let warned = |fleet: &Fleet| {
        let plan = fleet.plan(NOOP);
        plan.warnings
            .iter()
            .map(ToString::to_string)
            .find(|warning| warning.contains("nobody declared"))
    };
    let mut fleet = fleet();
    assert!(warned(&fleet).unwrap().contains("nobody declared old"));
    fleet.services = Services::default();
    assert_eq!(warned(&fleet), None);
}

#[test]
fn the_survivors_carry_what_the_allowance_takes_out() {
    let cases = [
        // members, out, thousandths more on each of the rest
        (20, 1, Some(53)),
        (10, 1, Some(112)),
        (8, 2, Some(334)),
        (2, 1, Some(1000)),
        (8, 0, Some(0)),
        (1, 1, None),
        (0, 0, None),
    ];
    for (members, allowance, expected) in cases {
        let group = GroupBlast {
            region: String::new(),
            zone: String::new(),
            service: String::new(),
            members,
            planned: members,
            allowance,
        };
        assert_eq!(
            group.more_load_permille(),
            expected,
            "{allowance} of {members}"
        );
    }
}
