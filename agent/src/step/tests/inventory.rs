//! What a host says of itself and of its repositories.

use super::{tool::Tool, *};
use cofferdam_engine::{patch::VersionWish, query::Question};
use std::collections::BTreeMap;

#[tokio::test]
async fn a_simulation_locks_the_closure_and_what_is_there_already() {
    let host = Tool::new();
    let steps = steps(&host.lab);
    let wish = |version: &str| {
        Wish::Packages(BTreeMap::from([(
            "tool".to_owned(),
            VersionWish::from(version.to_owned()),
        )]))
    };
    let simulated = steps.simulate(&wish("latest")).await.unwrap();
    let locked: Vec<LockedPackage> = simulated.iter().map(|one| one.locked.clone()).collect();
    assert_eq!(locked, host.two);
    assert!(
        simulated
            .iter()
            .all(|one| one.installed.as_deref() == Some("1"))
    );
    let there = steps.simulate(&wish("1")).await.unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!(
        (&*there[0].locked.version, there[0].installed.as_deref()),
        ("1", Some("1"))
    );
    let failure = steps.simulate(&wish("9")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
}

#[tokio::test]
async fn a_query_is_answered_from_the_hosts_own_database_and_kernel() {
    let host = Tool::new();
    let steps = steps(&host.lab);
    let answer = async |text: &str| {
        let question = Question::parse(text).unwrap();
        let found = steps.find(&question.wants()).await;
        found.map(|found| question.answer(&found))
    };
    for (text, holds, evidence) in [
        ("package tool < 2", true, "tool 1"),
        (
            "package tool >= 2 or package none",
            false,
            "tool 1, none not installed",
        ),
    ] {
        let answer = answer(text).await.unwrap();
        assert_eq!(
            (answer.holds, &*answer.evidence),
            (holds, evidence),
            "{text}"
        );
    }
    let kernel = answer("kernel >= 2.6 and kernel < 1000").await.unwrap();
    assert!(kernel.holds, "{kernel:?}");
    // The units that run are the machine's, and not of this root.
    let failure = answer("unit nginx failed").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unsupported);
}

#[tokio::test]
async fn facts_name_the_platform_and_the_packages() {
    let host = Tool::new();
    fs::write(
        host.lab.path("root/etc/os-release"),
        "ID=lab\nVERSION_ID=7\n",
    )
    .unwrap();
    let (facts, set) = steps(&host.lab).facts().await.unwrap();
    assert_eq!(facts.platform.os_release, "lab-7");
    assert!(!facts.platform.architecture.is_empty() && !facts.kernel.is_empty());
    assert_eq!(set.0.get("tool").map(String::as_str), Some("1"));
    assert_eq!(facts.packages, set.digest());
}
