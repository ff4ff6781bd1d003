//! Config files that came with packages, and that the host's people changed.

use super::*;
use crate::packages::lab::Deb;
use cofferdam_engine::patch::{ConffilePolicies, ConffilePolicy};
use std::path::PathBuf;

/// What people wrote, and what the package brings with each version.
const OWN: &str = "own\n";
const CAME: [&str; 2] = ["came 1\n", "came 2\n"];

/// A host with `tea` at 1, and a repository with its next version, which has another config file.
struct Tea {
    lab: Lab,
    order: Order,
}

impl Tea {
    fn with(policy: ConffilePolicy) -> Self {
        let tea = |version, conffile| Deb::new("tea", version).with_conffile(conffile);
        let lab = Lab::new();
        lab.install(&[tea("1", CAME[0])]);
        lab.publish(tea("1", CAME[0]));
        let mut order = order("r2", packages(&[lab.publish(tea("2", CAME[1]))]));
        order.conffiles = ConffilePolicies::from([("tea".to_owned(), policy)]);
        Self { lab, order }
    }

    fn conffile(&self) -> PathBuf {
        self.lab.path("root/etc/tea.conf")
    }

    fn write(&self, content: &str) {
        fs::write(self.conffile(), content).unwrap();
        fs::set_permissions(self.conffile(), PermissionsExt::from_mode(0o640)).unwrap();
    }

    fn says(&self) -> String {
        fs::read_to_string(self.conffile()).unwrap()
    }

    /// All that stands where the config file does.
    fn etc(&self) -> Vec<String> {
        let entries = fs::read_dir(self.lab.path("root/etc")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.starts_with("tea")).collect();
        names.sort();
        names
    }

    async fn there_and_back(&self) {
        steps(&self.lab).apply(&self.order).await.unwrap();
        assert_eq!(self.lab.installed_file("tea").as_deref(), Some("2"));
        steps(&self.lab).rollback(&self.order).await.unwrap();
        assert_eq!(self.lab.installed_file("tea").as_deref(), Some("1"));
    }

    /// What the rollback said at its end.
    fn said(&self) -> String {
        let transcript = steps(&self.lab).transcript(&self.order.grant.rollout, "rollback");
        let text = fs::read_to_string(transcript).unwrap();
        text[text.rfind("# ").unwrap()..].trim().to_owned()
    }
}

#[tokio::test]
async fn a_changed_config_file_stays_or_gives_way_as_ordered_and_is_there_again_after_a_rollback() {
    for (policy, after) in [
        (ConffilePolicy::Keep, OWN),
        (ConffilePolicy::Replace, CAME[1]),
    ] {
        let host = Tea::with(policy);
        host.write(OWN);
        steps(&host.lab).apply(&host.order).await.unwrap();
        assert_eq!(host.says(), after, "{policy:?}");
        steps(&host.lab).rollback(&host.order).await.unwrap();
        assert_eq!(host.says(), OWN, "{policy:?}");
        let mode = fs::metadata(host.conffile()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{policy:?}");
        assert_eq!(host.etc(), ["tea.conf"], "{policy:?}");
        assert_eq!(host.said(), "# everything is as it was before");
    }
}

#[tokio::test]
async fn a_changed_config_file_is_found_before_anything_is_changed_where_it_is_to_fail() {
    let host = Tea::with(ConffilePolicy::Fail);
    host.write(OWN);
    let failure = steps(&host.lab)
        .stage(&request(&host.order))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conffile, "{failure}");
    assert!(failure.detail.contains("/etc/tea.conf of tea"), "{failure}");
    // Changed when it was staged already.
    host.write(CAME[0]);
    steps(&host.lab).stage(&request(&host.order)).await.unwrap();
    host.write(OWN);
    let failure = steps(&host.lab).apply(&host.order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conffile, "{failure}");
    assert_eq!(
        steps(&host.lab).records.before(&rollout("r2")).unwrap(),
        None
    );
    // As it came, or as it is to be, is nothing to ask about.
    for content in CAME {
        host.write(content);
        host.there_and_back().await;
        assert_eq!(host.says(), content);
    }
}

#[tokio::test]
async fn what_people_changed_since_the_patch_is_theirs_and_is_listed() {
    let host = Tea::with(ConffilePolicy::Keep);
    steps(&host.lab).apply(&host.order).await.unwrap();
    assert_eq!(host.says(), CAME[1]);
    host.write(OWN);
    fs::write(host.lab.path("root/usr/share/tea/version"), "1").unwrap();
    steps(&host.lab).rollback(&host.order).await.unwrap();
    assert_eq!(host.says(), OWN);
    let said = host.said();
    assert!(
        said.ends_with("/etc/tea.conf was changed since the patch and stays so"),
        "{said}"
    );
}

#[tokio::test]
async fn a_config_file_of_a_package_that_came_and_went_is_listed() {
    let lab = Lab::new();
    let fresh = lab.publish(Deb::new("tea", "1").with_conffile(OWN));
    let host = Tea {
        order: order("r1", packages(&[fresh])),
        lab,
    };
    steps(&host.lab).apply(&host.order).await.unwrap();
    let exceptions = steps(&host.lab).rollback(&host.order).await.unwrap();
    assert_eq!(exceptions, ["/etc/tea.conf of a removed package stays"]);
    assert_eq!(host.lab.installed_file("tea"), None);
    assert!(
        host.said()
            .ends_with("/etc/tea.conf of a removed package stays"),
        "{}",
        host.said()
    );
}
