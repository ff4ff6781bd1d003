//! Rehearsals: what a rollout would come to, without a coordinator.

use crate::{coordinator::Script, fleet::host, lab::Lab};
use cofferdam_engine::{
    id::{OperatorId, ServiceName},
    time::Timestamp,
};
use cofferdam_proto::operator::{CalendarView, FreezeView, ServiceView, ServicesView};
use std::fs;

const FLEET: &str = r#"
[[hosts]]
prefix = "web-a-"
count = 8
[hosts.labels]
service = "web"
region = "r1"
zone = "a"
"#;

const ROLLOUT: &str = r#"
name = "practice"
bake = "1m"
[patch]
kind = "noop"
[select]
match = 'service == "web"'
[[wave]]
name = "canary"
to = "10%"
[[wave]]
name = "all"
to = "100%"
"#;

const BAD_DISK: &str = r#"
[[fault]]
name = "bad disk"
match = 'host == "web-a-3"'
step = "verify"
goes = "fails"
failure = "io"
"#;

fn lab() -> Lab {
    let lab = Lab::new(Script::default());
    for (name, text) in [
        ("fleet.toml", FLEET),
        ("practice.toml", ROLLOUT),
        ("faults.toml", BAD_DISK),
    ] {
        fs::write(lab.path(name), text).unwrap();
    }
    lab
}

const LINE: &str = "rehearse practice.toml --fleet fleet.toml --config nowhere.toml";

#[test]
fn a_rehearsal_says_how_long_it_takes_and_what_is_left() {
    let ran = lab().run(LINE);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("practice: done after "), "{}", ran.out);
    assert!(
        ran.out.contains(" % over the bound that its limits set, "),
        "{}",
        ran.out
    );
    for line in [
        "  8 of 8 hosts patched, 0 harmed, 0 out at the end\n",
        "  nothing is left for a person\n",
        "no promise was broken (all of them checked at every step)\n",
    ] {
        assert!(ran.out.contains(line), "{line} in {}", ran.out);
    }
}

/// A coordinator with four hosts, a declared service, and a freeze of so many.
fn live(freezes: Vec<FreezeView>) -> Lab {
    let names: Vec<String> = (1..=4).map(|number| format!("web-{number}")).collect();
    let web = ServiceView {
        service: ServiceName::new("web").unwrap(),
        tier: 1,
        owners: vec![OperatorId::new("ana").unwrap()],
        depends_on: Vec::new(),
        dependants: Vec::new(),
        hosts: 4,
        description: "the shop".to_owned(),
    };
    let lab = Lab::new(Script {
        hosts: names.iter().map(|name| host(name, "m5.large")).collect(),
        services: Some(ServicesView {
            services: vec![web],
            undeclared: Vec::new(),
        }),
        calendar: Some(CalendarView {
            declared_by: None,
            declared_at_ms: None,
            freezes,
        }),
        ..Script::default()
    });
    fs::write(lab.path("practice.toml"), ROLLOUT).unwrap();
    lab
}

#[test]
fn the_hosts_that_the_coordinator_knows_are_rehearsed_and_none_is_asked_for_anything() {
    let lab = live(Vec::new());
    let ran = lab.run("rehearse practice.toml --fleet live");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("4 of 4 hosts patched"), "{}", ran.out);
    assert_eq!(lab.asked(), Vec::<String>::new());
}

#[test]
fn freezes_that_the_coordinator_has_declared_hold_unless_a_file_says_others() {
    let lab = live(vec![FreezeView {
        name: "for ever".to_owned(),
        is_on: true,
        from_ms: Timestamp(1),
        until_ms: Timestamp(9_000_000_000_000),
        from: String::new(),
        until: String::new(),
        time_zone: "Europe/Dublin".to_owned(),
        selection: Some("service == \"web\"".to_owned()),
        except_profiles: vec!["emergency".to_owned()],
        hosts: 4,
        reason: String::new(),
        owner: String::new(),
    }]);
    let held = lab.run("rehearse practice.toml --fleet live");
    assert_eq!(held.code, 3, "{}", held.err);
    assert!(
        held.out.contains("a freeze is on: for ever"),
        "{}",
        held.out
    );
    fs::write(lab.path("none.toml"), "").unwrap();
    let ran = lab.run("rehearse practice.toml --fleet live --freezes none.toml");
    assert_eq!(ran.code, 0, "{}{}", ran.err, ran.out);
    let bad = lab.run("rehearse practice.toml --fleet live --services practice.toml");
    assert_eq!(bad.code, 2, "{}", bad.out);
    assert!(bad.err.contains("practice.toml:"), "{}", bad.err);
}

#[test]
fn a_standing_rollout_is_played_until_nothing_moves() {
    let lab = lab();
    let standing = format!("standing = true\n{ROLLOUT}");
    fs::write(lab.path("practice.toml"), standing).unwrap();
    let ran = lab.run(LINE);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.starts_with("practice: running after "),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("8 of 8 hosts patched"), "{}", ran.out);
}

#[test]
fn a_fault_is_noticed_and_its_host_is_left_for_a_person() {
    let ran = lab().run(&format!("{LINE} --faults faults.toml"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("7 of 8 hosts patched, 1 harmed"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("left for a person: 1 host, io: "),
        "{}",
        ran.out
    );
}

#[test]
fn a_rehearsal_is_json_or_one_page_and_nothing_else_is_a_page() {
    let lab = lab();
    let json = lab.run(&format!("{LINE} -o json"));
    let report: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&report["phase"], &report["patched"]),
        (&"done".into(), &8.into())
    );
    let page = lab.run(&format!("{LINE} -o html"));
    assert!(page.out.starts_with("<!DOCTYPE html>"), "{}", page.out);
    let other = lab.run("fleet generate --hosts 3 --regions 1 -o html");
    assert_eq!((other.code, other.out.as_str()), (2, ""));
    assert!(other.err.contains("only a rehearsal"), "{}", other.err);
}

#[test]
fn json_and_the_page_say_what_text_says() {
    let lab = lab();
    let json = lab.run(&format!("{LINE} -o json")).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    for key in [
        "made_up_bits",
        "verdict",
        "coordination_permille",
        "overhead_permille",
        "hands",
        "checks",
    ] {
        assert!(json.get(key).is_some_and(|value| !value.is_null()), "{key}");
    }
    let (text, page) = (lab.run(LINE).out, lab.run(&format!("{LINE} -o html")).out);
    for words in [
        "its bits are made up",
        "over the bound that its limits set",
        "no gate watches",
        "checked at every step",
    ] {
        assert!(text.contains(words) && page.contains(words), "{words}");
    }
    let incident = lab.run("rehearse --incident 7 -o html").out;
    assert!(incident.contains("it is no incident any more"));
}

#[test]
fn an_incident_says_whether_it_would_still_be_one() {
    let ran = lab().run("rehearse --incident 7");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("incident 7: "), "{}", ran.out);
    assert!(
        ran.out.ends_with("it is no incident any more\n"),
        "{}",
        ran.out
    );
}

#[test]
fn an_incident_is_played_on_more_hosts_where_that_is_asked() {
    let ran = lab().run("rehearse --incident 7 --hosts 120");
    assert_eq!(ran.code, 0, "{}{}", ran.err, ran.out);
    assert!(ran.out.contains("117 of 120 hosts patched"), "{}", ran.out);
    let fewer = lab().run("rehearse --incident 7 --hosts 12");
    assert_eq!(fewer.code, 2, "{}", fewer.out);
    assert!(fewer.err.contains("60 hosts of its own"), "{}", fewer.err);
    let alone = lab().run(&format!("{LINE} --hosts 120"));
    assert_eq!(alone.code, 2, "{}", alone.out);
}

#[test]
fn a_wrong_file_of_faults_is_refused_with_its_line() {
    let lab = lab();
    let nobody =
        "[[fault]]\nname = \"x\"\nmatch = 'zone == \"q\"'\nstep = \"apply\"\ngoes = \"hangs\"\n";
    fs::write(lab.path("faults.toml"), nobody).unwrap();
    let ran = lab.run(&format!("{LINE} --faults faults.toml"));
    let told = "fault x is about no host of the fleet";
    assert!(ran.out.contains(told), "{}", ran.out);
    fs::write(lab.path("faults.toml"), "[[fault]]\nname = \"x\"\n").unwrap();
    let ran = lab.run(&format!("{LINE} --faults faults.toml"));
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("faults.toml:1:1"), "{}", ran.err);
}
