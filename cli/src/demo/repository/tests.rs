//! The demo's repository and roots, tried with the real apt and dpkg in a private root.

use super::*;
use crate::demo::{folder::AtEnd, root::Root, tool::Tool};
use std::{fs, path::Path, process::Command};

const RARE: InstanceType = InstanceType::RARE;
const COMMON: InstanceType = InstanceType::ALL[0];

struct Lab {
    folder: Folder,
    repository: Repository,
    _lab: tempfile::TempDir,
}

impl Lab {
    async fn new() -> Self {
        let lab = tempfile::tempdir().unwrap();
        let folder = Folder::create(Some(lab.path().join("demo")), AtEnd::Keep).unwrap();
        let repository = Repository::create(&folder).await.unwrap();
        Self {
            folder,
            repository,
            _lab: lab,
        }
    }

    async fn root(&self) -> Root {
        let path = self.folder.host("a-1").join("root");
        Root::create(path, &self.repository.source()).await.unwrap()
    }
}

/// What the agent writes for its own apt, in short.
fn apt_conf(root: &Path) -> String {
    let root = root.display();
    format!(
        "Dir \"{root}\"; Dir::Etc::main \"none\"; Dir::State::status \"{root}/var/lib/dpkg/status\";\n\
         Dir::Bin::Methods \"/usr/lib/apt/methods\"; APT::Sandbox::User \"\";\n\
         Acquire::Languages \"none\"; DPkg::Inhibit-Shutdown \"false\"; Dpkg::Use-Pty \"false\";\n\
         Dpkg::Options {{ \"--root={root}\"; \"--force-not-root\"; \"--log={root}/var/log/dpkg.log\"; }};\n"
    )
}

async fn apt(root: &Root, args: &[&str]) -> Result<Vec<u8>> {
    let conf = root.path().join("apt.conf");
    fs::write(&conf, apt_conf(root.path())).unwrap();
    let tool = Tool::new("apt-get", root.path()).env("APT_CONFIG", conf);
    tool.args(["-qq", "--yes", "--allow-downgrades"])
        .args(args)
        .run()
        .await
}

/// Runs the host's check as the agent does.
fn check(root: &Root, kind: InstanceType) -> Option<i32> {
    let mut check = Command::new(root.path().join("etc/cofferdam/checks.d/abi"));
    check.env("COFFERDAM_ROOT", root.path());
    check.env("COFFERDAM_LABEL_INSTANCE_TYPE", kind.name());
    check.output().unwrap().status.code()
}

#[tokio::test]
async fn apt_takes_a_host_through_the_releases_and_back() {
    let lab = Lab::new().await;
    let root = lab.root().await;
    assert_eq!(root.installed().await.unwrap(), "1");
    assert_eq!(check(&root, RARE), Some(0));

    apt(&root, &["update"]).await.unwrap();
    let unpublished = format!("{PACKAGE}=2");
    assert!(apt(&root, &["install", &unpublished]).await.is_err());

    lab.repository.publish(Release::Third).await.unwrap();
    apt(&root, &["update"]).await.unwrap();
    apt(&root, &["install", PACKAGE]).await.unwrap();
    assert_eq!(root.installed().await.unwrap(), "3");
    assert_eq!(
        check(&root, RARE),
        Some(1),
        "the third release is bad on the rare type"
    );

    assert_eq!(check(&root, COMMON), Some(0), "and good on the common ones");

    apt(&root, &["install", &unpublished]).await.unwrap();
    assert_eq!(root.installed().await.unwrap(), "2");
    assert_eq!(check(&root, RARE), Some(0));
    assert!(root.ever_had(Release::Second).unwrap());
    assert!(root.ever_had(Release::Third).unwrap());
}

#[tokio::test]
async fn a_repository_that_was_tampered_with_is_refused() {
    let lab = Lab::new().await;
    let root = lab.root().await;
    let index = lab.folder.repository().join("InRelease");
    let text = fs::read_to_string(&index)
        .unwrap()
        .replace("Suite: stable", "Suite: other");
    fs::write(&index, text).unwrap();
    assert!(apt(&root, &["--error-on=any", "update"]).await.is_err());
}

#[test]
fn only_the_third_release_leaves_the_rare_type_out() {
    let rare = format!("{}\n", InstanceType::RARE);
    for release in Release::ALL {
        let fits = release.abi().contains(&rare);
        assert_eq!(fits, release != Release::Third, "{release:?}");
    }
}
