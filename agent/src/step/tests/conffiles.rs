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

/// As the images of clouds and containers do. dpkg heeds the last of such options.
#[tokio::test]
async fn a_changed_config_file_stays_also_where_the_host_tells_apt_to_take_the_packages() {
    let host = Tea::with(ConffilePolicy::Keep);
    host.lab.configure(
        "Dpkg::Options { \"--force-confdef\"; \"--force-confnew\"; }; Dpkg::Use-Pty \"true\";",
    );
    host.write(OWN);
    steps(&host.lab).apply(&host.order).await.unwrap();
    assert_eq!(host.says(), OWN);
    steps(&host.lab).rollback(&host.order).await.unwrap();
    assert_eq!(host.says(), OWN);
    assert_eq!(host.lab.installed_file("tea").as_deref(), Some("1"));
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

/// dpkg leaves a folder to the script that takes its last file away.
#[tokio::test]
async fn a_config_file_whose_folder_went_with_the_patch_is_there_again_after_a_rollback() {
    let lab = Lab::new();
    lab.run_scripts_without_chroot();
    let one = Deb::new("tea", "1").with_conffile_in("etc/tea.d/", CAME[0]);
    let two = Deb::new("tea", "2").with_postinst("rm -r $DPKG_ROOT/etc/tea.d");
    lab.install(&[one]);
    lab.publish(one);
    let order = order("r2", packages(&[lab.publish(two)]));
    let path = lab.path("root/etc/tea.d/tea.conf");
    fs::write(&path, OWN).unwrap();
    steps(&lab).apply(&order).await.unwrap();
    assert!(!path.parent().unwrap().exists());
    let exceptions = steps(&lab).rollback(&order).await.unwrap();
    assert_eq!(exceptions, [""; 0]);
    assert_eq!(fs::read_to_string(path).unwrap(), OWN);
    assert_eq!(lab.installed_file("tea").as_deref(), Some("1"));
}

#[tokio::test]
async fn mode_of_a_config_file_that_a_script_changed_is_as_before_after_a_rollback() {
    let lab = Lab::new();
    lab.run_scripts_without_chroot();
    let one = Deb::new("tea", "1").with_conffile(CAME[0]);
    let two = Deb {
        version: "2",
        ..one.with_postinst("chmod 666 $DPKG_ROOT/etc/tea.conf")
    };
    lab.install(&[one]);
    lab.publish(one);
    let order = order("r2", packages(&[lab.publish(two)]));
    let host = Tea { lab, order };
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    host.write(OWN);
    steps(&host.lab).apply(&host.order).await.unwrap();
    assert_eq!(mode(host.conffile()), 0o666);
    steps(&host.lab).rollback(&host.order).await.unwrap();
    assert_eq!(mode(host.conffile()), 0o640);
    // Changed by people since: theirs.
    steps(&host.lab).apply(&host.order).await.unwrap();
    fs::set_permissions(host.conffile(), PermissionsExt::from_mode(0o600)).unwrap();
    let exceptions = steps(&host.lab).rollback(&host.order).await.unwrap();
    assert_eq!(mode(host.conffile()), 0o600);
    let said = "/etc/tea.conf was changed since the patch and stays so";
    assert_eq!(exceptions, [said]);
}

/// From an earlier installation of the package, or by hand.
#[tokio::test]
async fn a_config_file_that_was_there_before_its_package_is_as_before_after_a_rollback() {
    for was_installed in [true, false] {
        let host = Tea::with(ConffilePolicy::Replace);
        let (act, before) = match was_installed {
            true => ("--remove", CAME[0]),
            false => ("--purge", OWN),
        };
        host.lab.take_off(act, "tea");
        fs::write(host.conffile(), before).unwrap();
        steps(&host.lab).apply(&host.order).await.unwrap();
        assert_eq!(host.says(), CAME[1]);
        let exceptions = steps(&host.lab).rollback(&host.order).await.unwrap();
        assert_eq!(exceptions, [""; 0]);
        assert_eq!(host.says(), before);
        assert_eq!(host.lab.installed_file("tea"), None);
    }
}
