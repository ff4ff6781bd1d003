//! What stays on a host when a rollout is over, and how it goes back from rollouts upon rollouts.

use super::{interruption::cut_short, *};
use crate::{packages::lab::Deb, step::records::WAYS_BACK};
use cofferdam_engine::order::Direction;

/// A host with `tool` at 1, a repository with all its versions, and an order for each version after
/// the first, applied and released.
struct Patched {
    lab: Lab,
    versions: Vec<LockedPackage>,
    orders: Vec<Order>,
}

impl Patched {
    async fn with(versions: &[&'static str]) -> Self {
        let lab = Lab::new();
        lab.install(&[Deb::new("tool", "1")]);
        let publish = |version: &&'static str| lab.publish(Deb::new("tool", version));
        let versions: Vec<LockedPackage> = versions.iter().map(publish).collect();
        let mut host = Self {
            lab,
            versions,
            orders: Vec::new(),
        };
        let later: Vec<LockedPackage> = host.versions.iter().skip(1).cloned().collect();
        for locked in &later {
            host.patch(locked).await;
        }
        host
    }

    /// Takes one more rollout to its end.
    async fn patch(&mut self, to: &LockedPackage) {
        let name = format!("r{}", self.orders.len() + 2);
        let order = order(&name, packages(std::slice::from_ref(to)));
        let steps = steps(&self.lab);
        steps.stage(&request(&order)).await.unwrap();
        steps.apply(&order).await.unwrap();
        steps.release(&order.grant.rollout).await;
        self.orders.push(order);
    }

    /// Rolls the newest rollout that stands back, to its end.
    async fn roll_back(&mut self) -> Result<(), Failure> {
        let mut order = self.orders.pop().unwrap();
        order.direction = Direction::Rollback;
        let steps = steps(&self.lab);
        steps.rollback(&order).await?;
        steps.release(&order.grant.rollout).await;
        Ok(())
    }

    fn installed(&self) -> String {
        self.lab.installed_file("tool").unwrap_or_default()
    }
}

#[tokio::test]
async fn a_release_keeps_what_is_installed_and_what_was_before_it() {
    let host = Patched::with(&["1", "2", "3", "4", "5"]).await;
    let mut expected: Vec<Digest> = host.versions.iter().map(|one| one.sha256).collect();
    expected.drain(..expected.len() - 1 - WAYS_BACK);
    expected.sort();
    assert_eq!(steps(&host.lab).keep.packages().unwrap(), expected);
}

#[tokio::test]
async fn rollouts_are_rolled_back_one_after_the_other() {
    let mut host = Patched::with(&["1", "2", "3"]).await;
    fs::remove_dir_all(host.lab.path("repo")).unwrap();
    for before in ["2", "1"] {
        host.roll_back().await.unwrap();
        assert_eq!(host.installed(), before);
    }
}

#[tokio::test]
async fn a_rollout_that_went_back_itself_is_rolled_back_too() {
    let mut host = Patched::with(&["1", "2"]).await;
    let first = host.versions[0].clone();
    host.patch(&first).await;
    assert_eq!(host.installed(), "1");
    for before in ["2", "1"] {
        host.roll_back().await.unwrap();
        assert_eq!(host.installed(), before);
    }
}

#[tokio::test]
async fn a_rollout_under_one_that_stands_has_no_way_back() {
    let mut host = Patched::with(&["1", "2", "3"]).await;
    host.orders.pop();
    let failure = host.roll_back().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    assert!(failure.detail.contains("roll r3 back first"), "{failure}");
    assert_eq!(host.installed(), "3");
}

#[tokio::test]
async fn a_way_back_that_is_gone_is_said_with_what_to_do() {
    let mut host = Patched::with(&["1", "2", "3", "4", "5"]).await;
    for before in ["4", "3", "2"] {
        host.roll_back().await.unwrap();
        assert_eq!(host.installed(), before);
    }
    let failure = host.roll_back().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    for says in ["no way back to tool 1", "keep", "by hand"] {
        assert!(failure.detail.contains(says), "{failure}");
    }
    assert_eq!(host.installed(), "2");
}

#[tokio::test]
async fn from_a_version_of_no_rollout_there_is_no_way_back_to_an_older_one() {
    let mut host = Patched::with(&["1", "2", "3"]).await;
    host.lab.install(&[Deb::new("tool", "9")]);
    // What others changed stays, and the newest rollout's bits are not on the host.
    host.roll_back().await.unwrap();
    let failure = host.roll_back().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    assert!(
        failure.detail.contains("tool is at 9 and not at 2"),
        "{failure}"
    );
    assert_eq!(host.installed(), "9");
}

/// A host whose first agent had thrown the older way back away, and said `superseded`.
#[tokio::test]
async fn what_an_older_agent_swept_is_missed_and_nothing_is_said_to_be_done() {
    let mut host = Patched::with(&["1", "2", "3"]).await;
    let path = host.lab.path("state/rollouts/r2/before.json");
    let record = fs::read_to_string(&path).unwrap();
    fs::write(&path, record.replace("begun", "superseded")).unwrap();
    fs::remove_file(steps(&host.lab).keep.package(host.versions[0].sha256)).unwrap();
    host.roll_back().await.unwrap();
    let failure = host.roll_back().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    assert_eq!(host.installed(), "2");
}

#[tokio::test]
async fn ways_back_that_are_cut_short_anywhere_are_gone_to_their_end() {
    let mut host = Patched::with(&["1", "2"]).await;
    let three = host.lab.publish(Deb::new("tool", "3"));
    for cut_after in 0..20 {
        host.patch(&three).await;
        let mut all_ended = true;
        for before in ["2", "1"] {
            let order = host.orders.last().unwrap().clone();
            let back = async |steps: &Steps| drop(steps.rollback(&order).await.unwrap());
            all_ended &= cut_short(&host.lab, cut_after, back).await;
            host.roll_back().await.unwrap();
            assert_eq!(host.installed(), before, "cut after {cut_after}");
        }
        if all_ended {
            assert!(cut_after > 3, "a rollback runs more than {cut_after}");
            return;
        }
        let two = host.versions[1].clone();
        host.patch(&two).await;
    }
    panic!("a rollback never ends");
}
