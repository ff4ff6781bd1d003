//! Commands that only ask: lists, explanations, hosts; and what can be done without a coordinator.

use crate::{coordinator::Script, lab::Lab};
use cofferdam_engine::{
    denial::Place,
    digest::Digest,
    id::{CellId, HostId, OperatorId, RolloutId, ServiceName},
    inventory::{Labels, Platform},
    time::Timestamp,
};
use cofferdam_proto::operator::{
    CalendarView, CordView, DenialView, Explanation, HostView, RolloutLine, RolloutState,
    ServiceView, ServicesView, SubjectKind,
};
use std::fs;

fn script() -> Script {
    let line = RolloutLine {
        name: RolloutId::new("practice").unwrap(),
        state: RolloutState::Running,
        reason: String::new(),
        wave: None,
        hosts: 8,
        passed: 0,
        failed: 0,
        started_at_ms: None,
        ended_at_ms: None,
        amends: None,
        amended_by: Vec::new(),
    };
    let host = HostView {
        host: HostId::new("web-1").unwrap(),
        cell: CellId::new("r1-a-1").unwrap(),
        labels: Labels::new(),
        platform: Platform {
            os_release: "debian-12".to_owned(),
            architecture: "amd64".to_owned(),
        },
        kernel: String::new(),
        connected_since_ms: None,
        in_service: true,
        detail: String::new(),
        out: None,
        run: None,
        agent_version: String::new(),
        guard: None,
        drift: None,
        effect: None,
        left_behind: None,
        packages: None,
    };
    let explanation = Explanation {
        kind: SubjectKind::Host,
        subject: "web-1".to_owned(),
        headline: "host web-1 is at rest".to_owned(),
        lines: Vec::new(),
        facts: Vec::new(),
    };
    let denial = DenialView {
        bits: Digest::of("bits"),
        place: Place::Fleet,
        by: None,
        rollout: RolloutId::new("ssl").ok(),
        reason: "slow queries".to_owned(),
        at_ms: Timestamp(1),
        lifted: None,
    };
    Script {
        list: vec![line],
        hosts: vec![host],
        explanation: Some(explanation),
        denials: vec![denial],
        ..Script::default()
    }
}

#[test]
fn each_question_has_its_answer_as_json_with_stable_names() {
    let lab = Lab::new(script());
    let json = |line: &str| lab.run(&format!("{line} -o json")).json();
    assert_eq!(json("list")["rollouts"][0]["state"], "running");
    assert_eq!(
        json("hosts")["hosts"][0]["platform"]["os_release"],
        "debian-12"
    );
    assert_eq!(json("explain web-1")["headline"], "host web-1 is at rest");
    assert_eq!(json("hosts forget web-1")["forgotten"], "web-1");
    assert_eq!(json("deny list")["denials"][0]["where"], "fleet");
    assert_eq!(json("deny lift ssl --reason fixed")["is_denied"], false);
    assert_eq!(json("completions bash")["shell"], "bash");
    assert_eq!(
        lab.asked(),
        ["forget web-1", "lift rollout ssl at None: fixed"]
    );
}

#[test]
fn a_denial_is_lifted_by_what_the_list_shows_of_its_digest() {
    let lab = Lab::new(script());
    let list = lab.run("deny list");
    let shown = list.out.lines().nth(1).unwrap();
    let brief = shown.split_whitespace().next().unwrap();
    let lifted = lab.run(&format!("deny lift {brief} --reason fixed"));
    assert_eq!(lifted.code, 0, "{}", lifted.err);
    assert!(
        lab.asked()[0].starts_with(&format!("lift {brief}")),
        "{:?}",
        lab.asked()
    );
}

#[test]
fn hosts_are_taken_and_given_back() {
    let lab = Lab::new(script());
    let taken = lab.run("reserve web-1 web-2 --for 30m --reason disks -o json");
    assert_eq!(taken.json()["reserved"][1], "web-2");
    assert_eq!(taken.json()["until_ms"], 1_000);
    let back = lab.run("release web-1 --force");
    assert_eq!(back.out, "web-1 is released\n");
    assert_eq!(lab.run("reserve web-1 --for 30m --reason=").code, 2);
    assert_eq!(lab.run("reserve web-1 --for half --reason x").code, 2);
    assert_eq!(
        lab.asked(),
        [
            "reserve [HostId(\"web-1\"), HostId(\"web-2\")] for 1800s: disks",
            "release [HostId(\"web-1\")], force true"
        ]
    );
}

#[test]
fn each_question_has_its_answer_as_text() {
    let lab = Lab::new(script());
    for (line, part) in [
        ("list", "practice  running"),
        ("hosts", "web-1  r1-a-1"),
        ("explain web-1", "host web-1 is at rest"),
        ("hosts forget web-1", "web-1 is forgotten"),
        ("deny list", "the fleet"),
        (
            "deny add ssl --host web-1 --reason slow",
            "rollout ssl is denied to host web-1",
        ),
        (
            "deny lift ssl --cell r1-a-1 --reason ok",
            "may be installed again for cell r1-a-1",
        ),
    ] {
        let ran = lab.run(line);
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
        assert!(ran.out.contains(part), "{line}: {}", ran.out);
    }
}

#[test]
fn what_does_not_exist_fails_and_says_what_was_asked() {
    let lab = Lab::new(Script::default());
    let ran = lab.run("explain nobody");
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.err,
        "error: cannot explain nobody\n  because there is none of that name\n"
    );
    let json = lab.run("status practice -o json");
    assert_eq!(json.code, 1);
    let error: serde_json::Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!(error["error"], "cannot show rollout practice");
}

#[test]
fn a_malformed_command_line_is_a_mistake_of_usage() {
    let lab = Lab::new(Script::default());
    for line in [
        "",
        "plan",
        "status",
        "status ../x",
        "nothing",
        "list --nothing",
    ] {
        assert_eq!(lab.run(line).code, 2, "{line}");
    }
}

#[test]
fn services_are_checked_here_before_they_are_declared() {
    let web = ServiceView {
        service: ServiceName::new("web").unwrap(),
        tier: 1,
        owners: vec![OperatorId::new("ana").unwrap()],
        depends_on: Vec::new(),
        dependants: Vec::new(),
        hosts: 8,
        description: String::new(),
    };
    let lab = Lab::new(Script {
        services: Some(ServicesView {
            services: vec![web],
            undeclared: Vec::new(),
        }),
        ..Script::default()
    });
    let file = "[service.web]\nowners = [\"ana\"]\ntier = 1\n";
    fs::write(lab.path("services.toml"), file).unwrap();
    fs::write(lab.path("bad.toml"), "[service.web]\ntier = 9\n").unwrap();

    let bad = lab.run("services set bad.toml");
    let set = lab.run("services set services.toml -o json");
    let shown = lab.run("services show web");
    let none = lab.run("services show nothing");

    assert_eq!(bad.code, 2);
    assert!(bad.err.contains("bad.toml:2:8"), "{}", bad.err);
    assert_eq!(set.json()["services"][0]["owners"][0], "ana");
    assert!(shown.out.contains("web      1     ana"), "{}", shown.out);
    assert_eq!(none.code, 1);
    assert_eq!(lab.asked(), [format!("set services.toml: {file}")]);
}

#[test]
fn freezes_are_declared_from_a_file_and_shown() {
    let calendar = CalendarView {
        declared_by: None,
        declared_at_ms: None,
        freezes: Vec::new(),
    };
    let lab = Lab::new(Script {
        calendar: Some(calendar),
        ..Script::default()
    });
    let text = "[[freeze]]\nname = \"sale\"\n";
    fs::write(lab.path("calendar.toml"), text).unwrap();
    let set = lab.run("freeze set calendar.toml -o json");
    assert_eq!(set.json()["freezes"].as_array().map(Vec::len), Some(0));
    assert_eq!(lab.asked(), [format!("freezes {text}")]);
    let shown = lab.run("freeze show");
    assert!(shown.out.contains("no freezes"), "{}", shown.out);
}

#[test]
fn the_cord_is_pulled_and_released_with_a_reason_and_shown() {
    let cord = CordView {
        pulled: Vec::new(),
        untold: Vec::new(),
        away: Vec::new(),
        now_ms: None,
    };
    let lab = Lab::new(Script {
        cord: Some(cord),
        ..Script::default()
    });
    lab.run("cord pull --reason smoke");
    let released = lab.run("cord release --reason out -o json");
    assert_eq!(released.json()["pulled"].as_array().map(Vec::len), Some(0));
    assert_eq!(lab.asked(), ["pulls the cord: smoke", "releases it: out"]);
    let shown = lab.run("cord");
    assert_eq!(shown.out, "the cord is not pulled\n");
}
