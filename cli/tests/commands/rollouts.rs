//! From the file to the end: plan, start, watch, and the four ways to change a rollout's course.

use crate::{
    coordinator::Script,
    lab::{Lab, rollout},
};
use cofferdam_engine::{
    digest::Digest,
    id::{HostId, OperatorId, RolloutId},
};
use cofferdam_proto::operator::{Coverage, NeededApproval, PlanReply, PlanView, RolloutState};
use std::fs;

const PRACTICE: &str =
    "name = \"practice\"\n[patch]\nkind = \"noop\"\n[select]\nmatch = 'service == \"web\"'\n";

pub(crate) fn plan_reply() -> PlanReply {
    let coverage = Coverage {
        strata: Vec::new(),
        groups: Vec::new(),
        waived: Vec::new(),
    };
    let plan = PlanView {
        rollout: RolloutId::new("practice").unwrap(),
        digest: Digest::of("rollout"),
        lock_digest: Digest::of("lock"),
        severity: "medium".to_owned(),
        profile: "default".to_owned(),
        waves: Vec::new(),
        warnings: Vec::new(),
        estimate_ms: 1000,
        changes: Vec::new(),
        coverage,
        impacts: Vec::new(),
        approvals: vec![NeededApproval {
            host: HostId::new("db-1").unwrap(),
            group: "service=db zone=a in r1-a-1".to_owned(),
            by: vec![OperatorId::new("ana").unwrap()],
        }],
    };
    PlanReply {
        lock_text: "locked".to_owned(),
        plan,
        findings: Vec::new(),
    }
}

fn lab(file: &str) -> Lab {
    let lab = Lab::new(Script {
        plan: Some(plan_reply()),
        rollout: Some(rollout(RolloutState::Running, 0, 0)),
        ..Script::default()
    });
    fs::write(lab.path("rollout.toml"), file).unwrap();
    lab
}

#[test]
fn lint_needs_no_coordinator_for_the_file_alone_and_exits_with_1_for_an_error() {
    let lab = lab(&format!("claim_wait = \"5m\"\n{PRACTICE}"));
    let good = lab.run("lint rollout.toml");
    assert_eq!(good.code, 0, "{}", good.err);
    assert!(
        good.out
            .starts_with("rollout.toml:1:14: warning: claim_wait of 5m")
    );
    fs::write(lab.path("rollout.toml"), PRACTICE.replace("kind", "kinds")).unwrap();
    let bad = lab.run("lint rollout.toml -o json");
    assert_eq!(bad.code, 1, "{}", bad.err);
    assert_eq!(bad.json()["findings"][1]["line"], 3);
    assert_eq!(bad.json()["findings"][0]["severity"], "error");
    assert!(lab.script.asked.lock().unwrap().is_empty());
}

#[test]
fn lint_of_the_live_fleet_shows_what_the_coordinator_found() {
    let lab = lab(PRACTICE);
    let found = lab.run("lint rollout.toml --fleet live -o json");
    assert_eq!(found.code, 1, "{}", found.err);
    assert_eq!(found.json()["looked_at"], "fleet");
    assert_eq!(found.json()["findings"][0]["rule"], "selection");
}

#[test]
fn plan_writes_the_lock_file_once_and_start_sends_it() {
    let lab = lab(PRACTICE);

    let first = lab.run("plan rollout.toml -o json");
    let second = lab.run("plan rollout.toml -o json");
    let third = lab.run("plan rollout.toml --relock -o json");
    let start = lab.run("start rollout.toml");

    assert_eq!(first.json()["lock"], "written", "{}", first.err);
    assert_eq!(first.json()["lock_file"], "practice.lock");
    assert_eq!(second.json()["lock"], "kept");
    assert_eq!(third.json()["lock"], "written");
    assert_eq!(
        fs::read_to_string(lab.path("practice.lock")).unwrap(),
        "locked"
    );
    assert_eq!((start.code, first.code, second.code), (0, 0, 0));
    assert_eq!(
        lab.asked(),
        [
            "plan with None",
            "plan with Some(\"locked\")",
            "plan with None",
            "start with \"locked\""
        ]
    );
}

#[test]
fn start_without_a_lock_file_says_to_plan_first() {
    let lab = lab(PRACTICE);
    let ran = lab.run("start rollout.toml");
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("run `cofferdam plan rollout.toml` first"),
        "{}",
        ran.err
    );
    assert_eq!(lab.asked(), Vec::<String>::new());
}

#[test]
fn the_source_of_a_config_patch_is_stored_and_locked_before_the_plan() {
    let patch = "kind = \"config\"\npath = \"/etc/app.conf\"\nsource = \"app.conf\"";
    let lab = lab(&PRACTICE.replace("kind = \"noop\"", patch));
    fs::write(lab.path("app.conf"), "workers = 4").unwrap();
    let ran = lab.run("plan rollout.toml");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let asked = lab.asked();
    assert_eq!(asked[0], "put workers = 4");
    let digest = Digest::of("workers = 4").to_string();
    assert!(asked[1].starts_with("plan with Some"), "{asked:?}");
    assert!(asked[1].contains(&digest), "{asked:?}");
}

#[test]
fn a_mistake_in_the_file_is_said_with_its_line_before_anybody_is_asked() {
    let lab = lab(&PRACTICE.replace("kind", "kinds"));
    let ran = lab.run("plan rollout.toml");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("rollout.toml:3:1"), "{}", ran.err);
    assert_eq!(lab.asked(), Vec::<String>::new());
}

#[test]
fn watch_shows_each_change_and_exits_by_how_the_rollout_ended() {
    let cases = [
        (RolloutState::Done, 0),
        (RolloutState::Aborted, 1),
        (RolloutState::RolledBack, 1),
        (RolloutState::Paused, 3),
    ];
    for (end, code) in cases {
        let running = rollout(RolloutState::Running, 3, 2);
        let lab = Lab::new(Script {
            changes: vec![running.clone(), running, rollout(end, 5, 0)],
            ..Script::default()
        });
        let text = lab.run("watch practice");
        assert_eq!(text.code, code, "{end}: {}", text.err);
        let line = "practice running, 3 of 8 hosts passed";
        assert_eq!(text.out.matches(line).count(), 1, "{}", text.out);
        let json = lab.run("watch practice -o json");
        assert_eq!(json.code, code);
        let last = json.out.lines().last().unwrap();
        let last: serde_json::Value = serde_json::from_str(last).unwrap();
        assert_eq!(last["state"], end.to_string());
    }
}

#[test]
fn a_paused_rollout_is_watched_until_nothing_is_under_way() {
    let lab = Lab::new(Script {
        changes: vec![
            rollout(RolloutState::Paused, 3, 2),
            rollout(RolloutState::Paused, 5, 0),
        ],
        ..Script::default()
    });
    let ran = lab.run("watch practice");
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("5 of 8 hosts passed"), "{}", ran.out);
}

#[test]
fn each_change_of_course_carries_its_reason() {
    let lab = lab(PRACTICE);
    for action in ["pause", "resume", "abort", "rollback"] {
        let ran = lab.run(&format!("{action} practice --reason because"));
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let narrow = lab.run("rollback practice --scope cell --reason because");
    assert_eq!(narrow.code, 0, "{}", narrow.err);
    let shown = lab.run("rollback practice --dry-run");
    assert!(
        shown.out.contains("would go back, in at most 1m"),
        "{}",
        shown.out
    );
    let expected = [
        "Pause: because",
        "Resume: because",
        "Abort: because",
        "Rollback: because",
        "Rollback: because, Cell",
        "preview practice",
    ];
    assert_eq!(lab.asked(), expected);
}

#[test]
fn status_of_a_held_rollout_exits_with_3() {
    let lab = Lab::new(Script {
        rollout: Some(rollout(RolloutState::Paused, 1, 0)),
        ..Script::default()
    });
    let ran = lab.run("status practice -o json");
    assert_eq!(ran.code, 3);
    assert_eq!(ran.json()["state"], "paused");
}

#[test]
fn a_word_on_hosts_says_which_and_why() {
    let lab = lab(PRACTICE);
    let cases = [
        ("exclude practice --host web-1 web-2", "Exclude", "web-2"),
        (
            "exclude practice --match host=='web-1'",
            "Exclude",
            "Matching",
        ),
        (
            "exclude practice --stratum zone=r1/a",
            "Exclude",
            "zone=r1/a",
        ),
        ("skip practice web-1", "Skip", "web-1"),
        ("retry practice web-1 web-2", "Retry", "web-2"),
        ("retry practice --failed", "Retry", "Failed"),
    ];
    for (place, (command, word, whom)) in cases.into_iter().enumerate() {
        let ran = lab.run(&format!("{command} --reason because"));
        assert_eq!(ran.code, 0, "{}", ran.err);
        let asked = &lab.asked()[place];
        assert!(asked.starts_with(&format!("{word}: because")), "{asked}");
        assert!(asked.contains(whom), "{asked}");
    }
    for command in ["exclude practice", "retry practice", "skip practice"] {
        assert_eq!(lab.run(command).code, 2, "{command} names no host");
    }
}

#[test]
fn an_amendment_is_shown_first_and_begins_when_it_is_agreed_to() {
    let lab = lab(PRACTICE);

    let shown = lab.run("amend openssl rollout.toml");
    assert_eq!(shown.code, 3, "{}", shown.err);
    let needed = "cofferdam approve";
    for told in [
        "-one",
        "+other",
        "3 more match",
        needed,
        "db-1",
        "nothing began",
    ] {
        assert!(shown.out.contains(told), "{}", shown.out);
    }
    assert_eq!(lab.asked(), ["amend openssl, seen: false"]);
    assert!(lab.path("practice.lock").exists());

    let begun = lab.run("amend openssl rollout.toml --yes -o json");
    assert_eq!(begun.code, 0, "{}", begun.err);
    assert_eq!(begun.json()["started"], true);
    assert_eq!(begun.json()["file_diff"][1], "+other");
    assert_eq!(lab.asked()[2], "amend openssl, seen: true");
}
