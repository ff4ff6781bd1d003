//! Orders that say what the plan assumed to be installed.

use super::*;
use cofferdam_engine::{id::RolloutId, package::PackageFormat, reach::Reach, stratum::Delta};
use std::cell::Cell;

/// An order of a package for a host with these packages.
fn for_those_with(installed: &PackageSet) -> Order {
    let mut order = sample::patch(1, "2");
    if let Content::Packages { packages, .. } = &order.content {
        let delta = Delta::of(packages, &Reach::Every, PackageFormat::Deb, installed);
        order.delta = Some(delta);
    }
    order
}

fn installed(packages: &[(&str, &str)]) -> PackageSet {
    let packages = packages.iter().map(|&(n, v)| (n.to_owned(), v.to_owned()));
    PackageSet(packages.collect())
}

#[tokio::test(start_paused = true)]
async fn an_order_for_what_is_installed_is_run() {
    let stage = Stage::new();
    let order = for_those_with(&installed(&[("curl", "8")]));
    assert_eq!(stage.run(order).await, Ending::Patched);
}

#[tokio::test(start_paused = true)]
async fn an_order_for_other_packages_than_are_installed_changes_nothing() {
    let stage = Stage::new();
    let order = for_those_with(&installed(&[("openssl", "1")]));
    let assumed = order.delta.unwrap();
    let found = for_those_with(&installed(&[])).delta.unwrap();
    let refused = ReportBody::Refused {
        key: order.key,
        refusal: Refusal::OtherDelta { assumed, found },
    };

    stage.coordinator.order(order);
    stage
        .live_until(|stage| stage.coordinator.bodies().contains(&refused))
        .await;

    assert!(stage.actions.effects().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_changed_unseen_is_told_when_an_order_is_refused_for_it() {
    let stage = Stage::new();
    let other = RolloutId::new("another").unwrap();
    let mut order = for_those_with(&installed(&[]));
    order.delta = Some(Delta::Unknown(installed(&[]).digest()));
    let is_refused = |body: &ReportBody| matches!(body, ReportBody::Refused { .. });

    let ordered = Cell::new(Some(order));
    stage
        .live_until(|stage| {
            if stage.coordinator.is_welcomed()
                && let Some(order) = ordered.take()
            {
                stage.actions.installed_unseen(&other);
                stage.coordinator.order(order);
            }
            stage.coordinator.bodies().iter().any(is_refused)
        })
        .await;

    assert_eq!(stage.coordinator.hellos().len(), 1);
    let told = stage.coordinator.packages();
    assert!(
        told.iter().any(|set| set.0.contains_key(other.as_str())),
        "{told:?}"
    );
    assert!(stage.actions.effects().is_empty());
}
