//! Practice: a rollout that changes nothing, and says what a real one would have hurt.

use cofferdam_tests::{
    fleet::Fleet,
    machine::Machine,
    process::run,
    rollout::{self, ALL_AT_ONCE},
};
use std::fs;

/// Plays a rollout file by the operator's command: its exit code and what it printed.
fn practise(fleet: &Fleet, text: &str, more: &[&str]) -> (i32, String) {
    let file = fleet.site.path().join("practice.toml");
    fs::write(&file, text).unwrap();
    let mut command = fleet.site.command();
    command.arg("practice").arg(file).args(more);
    run(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_practice_says_whom_a_patch_would_have_hurt_and_leaves_nothing_behind() {
    let mut fleet = Fleet::start(Machine::neighbours(4)).await;
    let noop = rollout::noop("practice", "") + ALL_AT_ONCE;
    let (code, said) = practise(&fleet, &noop, &["--within", "90s"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("a patch would have hurt nobody"), "{said}");
    assert!(
        said.contains("4 of 4 hosts were out and came back well"),
        "{said}"
    );

    let away = fleet.hosts().remove(1);
    fleet.kill_agent(&away);
    // Two of one name within a second would have one name.
    let bakes = rollout::noop("bakes", "") + &ALL_AT_ONCE.replace("\"0s\"", "\"1h\"");
    let (code, said) = practise(&fleet, &bakes, &["--within", "6s", "-o", "json"]);
    assert_eq!(code, 1, "{said}");
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["stopped"], "it was not over within 6s");
    assert_eq!(json["rollout"]["state"], "aborted");
    assert_eq!(json["rollout"]["hosts"], 4);
    assert!(json["passed"].as_u64().unwrap() < 4, "{said}");

    let (code, said) = practise(&fleet, &rollout::package("p", "tea", "1"), &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("kind = \"noop\""), "{said}");
    fleet.start_agent(&away, None);
    fleet.in_service().await;
    fleet.finish();
}
