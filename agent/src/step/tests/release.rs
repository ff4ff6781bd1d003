//! What stays on a host when a rollout is over.

use super::*;
use crate::{packages::lab::Deb, step::record::Phase};

#[tokio::test]
async fn a_release_keeps_what_is_installed_and_what_was_before_it() {
    let lab = Lab::new();
    lab.install(&[Deb::new("tool", "1")]);
    let versions = ["1", "2", "3"].map(|version| lab.publish(Deb::new("tool", version)));
    let steps = steps(&lab);
    let orders = ["2", "3"].map(|version| {
        let locked = versions
            .iter()
            .find(|package| package.version == version)
            .unwrap();
        order(
            &format!("r{version}"),
            packages(std::slice::from_ref(locked)),
        )
    });
    for order in &orders {
        steps.stage(&request(order)).await.unwrap();
        steps.apply(order).await.unwrap();
        steps.release(&order.grant.rollout).await;
    }
    let kept = steps.keep.debs().unwrap();
    let mut expected = vec![versions[1].sha256, versions[2].sha256];
    expected.sort();
    assert_eq!(kept, expected);
    let first = steps.records.before(&rollout("r2")).unwrap().unwrap();
    assert_eq!(first.phase, Phase::Superseded);
    // A late wish to undo the first changes nothing; the second goes back to the first.
    steps.rollback(&orders[0]).await.unwrap();
    assert_eq!(lab.installed_file("tool").as_deref(), Some("3"));
    steps.rollback(&orders[1]).await.unwrap();
    assert_eq!(lab.installed_file("tool").as_deref(), Some("2"));
}
