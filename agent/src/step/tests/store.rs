//! Packages come from the region's artefact store where it has them, and go there where it has not.

use super::{
    tool::{Tool, both, tool},
    *,
};
use crate::packages::lab::Deb;
use cofferdam_engine::patch::LockedFile;
use cofferdam_proto::artefact::{PackageFile, SuppliedArtefact, SupplyRequest};
use scripted::Scripted;
use std::path::Path;

fn with(lab: &Lab, store: &Scripted) -> Steps {
    steps_with(lab.settings(), Rc::new(space::Kernel), store.clone())
}

fn supply(host: &Tool) -> SupplyRequest {
    SupplyRequest {
        packages: host.two.clone(),
        reach: Reach::Every,
    }
}

/// Lets a store hold what the repository has of a package.
async fn hold(store: &Scripted, lab: &Lab, package: &LockedPackage) {
    let (name, version) = (package.name.clone(), package.version.clone());
    let bytes = fs::read(lab.path(&format!("repo/{name}_{version}_all.deb"))).unwrap();
    let platform = with(lab, store).platform().await.unwrap();
    let artefact = SuppliedArtefact {
        package: PackageFile {
            platform,
            name,
            version,
        },
        file: LockedFile {
            sha256: package.sha256,
            size: package.size,
        },
    };
    store.holds(artefact, bytes);
}

fn staged_from_repository(lab: &Lab) -> bool {
    lab.path("state/transcripts/r2/stage.log").exists()
}

#[tokio::test]
async fn what_the_store_lacks_is_brought_to_it_new_and_old() {
    let (host, store) = (Tool::new(), Scripted::default());
    with(&host.lab, &store)
        .stage(&request(&host.order()))
        .await
        .unwrap();
    assert_eq!(store.packages(), ["data 2", "tool 2", "data 1", "tool 1"]);
    assert!(staged_from_repository(&host.lab));
}

#[tokio::test]
async fn what_the_store_has_comes_from_there_alone() {
    let (host, store) = (Tool::new(), Scripted::default());
    let one = [tool("1"), Deb::new("data", "1")].map(|deb| host.lab.publish(deb));
    for package in host.two.iter().chain(&one) {
        hold(&store, &host.lab, package).await;
    }
    for package in host.two.iter().chain(&one) {
        host.lab.unpublish(package);
    }
    let steps = with(&host.lab, &store);
    steps.apply(&host.order()).await.unwrap();
    assert_eq!(host.versions(), both("2"));
    assert!(!staged_from_repository(&host.lab));
    steps.rollback(&host.order()).await.unwrap();
    assert_eq!(host.versions(), both("1"));
}

#[tokio::test]
async fn a_store_that_cannot_be_asked_or_sends_other_bits_costs_nothing() {
    for is_away in [true, false] {
        let (host, store) = (Tool::new(), Scripted::default());
        match is_away {
            true => store.is_away(),
            false => {
                for package in &host.two {
                    hold(&store, &host.lab, package).await;
                }
                store.forge(b"other bits");
            }
        }
        let steps = with(&host.lab, &store);
        steps.stage(&request(&host.order())).await.unwrap();
        assert!(staged_from_repository(&host.lab));
    }
}

#[tokio::test]
async fn an_old_package_that_is_not_what_is_installed_is_not_taken_from_the_store() {
    let root = "chmod 4755 /bin/sh";
    for forged in [
        Deb::new("data", "1").with_postinst(root),
        Deb::new("data", "1").with_conffile("evil"),
        Deb::new("data", "1").with("Replaces: tool\n"),
        Deb::new("data", "1").with("Depends: nothing-else\n"),
    ] {
        let host = Tool::new();
        host.lab.unpublish(&one(&host));
        let file = host.lab.publish(forged);
        require_refused(&host, &file).await;
    }
}

/// Changes an unpacked package, by where dpkg keeps control files; whether it could.
type Forge<'a> = &'a dyn Fn(&Path, &Path) -> bool;

/// What is in it is right, and dpkg would give others more than they have.
#[tokio::test]
async fn an_old_package_that_others_could_write_to_is_not_taken_from_the_store() {
    let owned_by = |path: &Path, user: u32| {
        // Only root can, and only what root unpacks has other owners.
        let is_root = nix::unistd::geteuid().is_root();
        is_root.then(|| std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap());
        is_root
    };
    let with_mode = |path: &Path, mode: u32| {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        true
    };
    let linked = |script: &Path, info: &Path| {
        fs::remove_file(script).unwrap();
        std::os::unix::fs::symlink(info.join("data.postinst"), script).is_ok()
    };
    let forgeries: [Forge<'_>; 6] = [
        &|tree, _| owned_by(&tree.join("usr/share/data/version"), 33),
        &|tree, _| owned_by(&tree.join("usr/share/data"), 33),
        &|tree, _| with_mode(&tree.join("usr/share/data/version"), 0o646),
        &|tree, _| with_mode(&tree.join("usr/share/data/version"), 0o4755),
        &|tree, _| with_mode(&tree.join("usr/share/data/version"), 0o600),
        &|tree, info| linked(&tree.join("DEBIAN/postinst"), info),
    ];
    for forge in forgeries {
        let host = Tool::new();
        let with_script = Deb::new("data", "1").with_postinst("exit 0");
        host.lab.run_scripts_without_chroot();
        host.lab.install(&[with_script]);
        let mut is_forged = false;
        let file = host.lab.publish(with_script);
        let info = host.lab.path("root/var/lib/dpkg/info");
        let file = host.lab.forge(&file, |tree| is_forged = forge(tree, &info));
        if is_forged {
            require_refused(&host, &file).await;
        }
    }
}

fn one(host: &Tool) -> LockedPackage {
    LockedPackage {
        version: "1".to_owned(),
        ..host.two[0].clone()
    }
}

/// Lets nobody but the store have a package's old file, and sees that it is not taken.
async fn require_refused(host: &Tool, file: &LockedPackage) {
    let store = Scripted::default();
    hold(&store, &host.lab, file).await;
    host.lab.unpublish(file);
    let steps = with(&host.lab, &store);
    let staged = steps.stage(&request(&host.order())).await;
    let failure = staged.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    assert!(!steps.keep.package(file.sha256).exists());
}

#[tokio::test]
async fn an_old_package_is_taken_though_another_build_of_it_was_brought_first() {
    let (host, store) = (Tool::new(), Scripted::default());
    let other = Deb::new("data", "1").with_postinst("exit 0");
    for (deb, is_in_archive) in [(other, true), (Deb::new("data", "1"), false)] {
        host.lab.unpublish(&one(&host));
        let file = host.lab.publish(deb);
        hold(&store, &host.lab, &file).await;
        if !is_in_archive {
            host.lab.unpublish(&file);
        }
    }
    let steps = with(&host.lab, &store);
    steps.stage(&request(&host.order())).await.unwrap();
    assert_eq!(store.given_up(), 0, "nobody else was asked for it");
    let asked = store.refused();
    assert_eq!(
        asked.len(),
        1,
        "one file was not what is installed: {asked:?}"
    );
}

#[tokio::test]
async fn another_build_in_the_store_is_no_reason_not_to_bring_the_installed_one() {
    let (host, store) = (Tool::new(), Scripted::default());
    let installed = host.lab.publish(Deb::new("data", "1"));
    let kept = fs::read(host.lab.path("repo/data_1_all.deb")).unwrap();
    host.lab.unpublish(&installed);
    let other = host
        .lab
        .publish(Deb::new("data", "1").with_postinst("exit 0"));
    hold(&store, &host.lab, &other).await;
    host.lab.unpublish(&other);
    fs::write(
        host.lab.path("root/var/cache/apt/archives/data_1_all.deb"),
        kept,
    )
    .unwrap();
    with(&host.lab, &store)
        .stage(&request(&host.order()))
        .await
        .unwrap();
    let files = store.files_of("data", "1");
    assert_eq!(files, [other.sha256, installed.sha256]);
}

#[tokio::test]
async fn what_neither_has_is_given_up_for_others_and_named() {
    let (host, store) = (Tool::new(), Scripted::default());
    host.lab.unpublish(&host.two[1]);
    let steps = with(&host.lab, &store);
    let failure = steps.stage(&request(&host.order())).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound, "{failure}");
    assert_eq!(store.given_up(), 2);
}

#[tokio::test]
async fn packages_are_supplied_ahead_and_nothing_of_it_stays() {
    let (host, store) = (Tool::new(), Scripted::default());
    let steps = with(&host.lab, &store);
    steps.supply(&supply(&host)).await.unwrap();
    assert_eq!(store.packages(), ["data 2", "tool 2", "data 1", "tool 1"]);
    let kept = steps.keep.packages().unwrap();
    let versions = kept
        .iter()
        .map(|digest| steps.keep.label(*digest).unwrap().version);
    assert!(versions.clone().all(|version| version == "1"), "{kept:?}");
    steps.supply(&supply(&host)).await.unwrap();
    assert_eq!(
        store.packages().len(),
        4,
        "what is there is not brought again"
    );
}
