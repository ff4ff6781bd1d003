//! Packages that anyone may change on a guarded host, and what does not pass with them.

use super::{
    asked::said,
    guarded::{by_a_session, fleet, installed, status},
};
use cofferdam_tests::real_fleet::repository::Package;

/// What a configuration manager's host has.
const EXEMPT: &str = "printf '\\n[guard]\\nmode = \"enforce\"\\nexempt = [\"tea\"]\\n' \
                      >>/etc/cofferdam/agent.toml && cofferdam-agent guard install";

#[tokio::test]
async fn an_exempt_package_passes_alone_and_never_with_another_or_what_it_needs() {
    let Some(fleet) = fleet(1).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    let repository = &fleet.repository;
    let needy = Package::new("tea", "3").field("Depends: milk");
    for package in [Package::new("milk", "1"), needy] {
        repository.publish(&package).await.unwrap();
    }
    said(host, EXEMPT).await;
    said(host, "apt-get --quiet update").await;
    let install = |what: &str| by_a_session(&format!("apt-get --quiet --yes install {what}"));

    for what in ["tea=2 milk", "tea=3"] {
        let refused = host.run(&install(what)).await.unwrap();
        assert_ne!(refused.code, Some(0), "{what}: {}", refused.printed);
        assert_eq!(installed(host).await, "1", "{what}");
    }
    said(host, &install("tea=2")).await;
    assert_eq!(installed(host).await, "2");
    let seen = status(host).await;
    assert_eq!(seen.matches("refused: ").count(), 2, "{seen}");
    assert_eq!(
        seen.matches('#').count(),
        2,
        "what is exempt is no event: {seen}"
    );
    fleet.take_down().unwrap();
}
