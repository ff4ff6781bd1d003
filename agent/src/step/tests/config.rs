//! Config files: staged, applied, rolled back.

use super::*;
use cofferdam_engine::patch::{ConfigPatch, LockedFile};
use std::{os::unix::fs::MetadataExt, path::Path};

const NEW: &str = "listen 81\n";
const NEWER: &str = "listen 82\n";

fn config(validate: Option<&str>) -> Content {
    config_of(NEW, validate)
}

fn config_of(content: &str, validate: Option<&str>) -> Content {
    Content::Config {
        config: ConfigPatch {
            path: "/etc/app/app.conf".into(),
            source: "app.conf".into(),
            validate: validate.map(str::to_owned),
            reload: Some("app.service".to_owned()),
        },
        file: LockedFile {
            sha256: Digest::of(content),
            size: content.len() as u64,
        },
    }
}

fn steps(lab: &Lab) -> Steps {
    fs::create_dir_all(lab.path("root/etc/app")).unwrap();
    let mut settings = lab.settings();
    let grep = |word: &str| ["grep", "-q", word, "{file}"].map(str::to_owned).to_vec();
    settings
        .validators
        .insert("good".to_owned(), grep("listen"));
    settings
        .validators
        .insert("bad".to_owned(), grep("nothing like it"));
    let contents = [NEW, NEWER].map(|new| (Digest::of(new), new.as_bytes().to_vec()));
    let store = scripted::Scripted::with(contents);
    steps_with(settings, Rc::new(space::Kernel), store)
}

fn content(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn a_file_is_replaced_and_put_back_with_its_mode() {
    let lab = Lab::new();
    let path = lab.path("root/etc/app/app.conf");
    let order = order("c1", config(Some("good")));
    steps(&lab)
        .stage(&request(&order))
        .await
        .unwrap_or_else(|failure| panic!("{failure}"));
    fs::write(&path, "listen 80\n").unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    for _ in 0..2 {
        for _ in 0..2 {
            steps(&lab).apply(&order).await.unwrap();
            assert_eq!(content(&path), NEW);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        }
        for _ in 0..2 {
            steps(&lab).rollback(&order).await.unwrap();
            assert_eq!(content(&path), "listen 80\n");
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        }
    }
    assert_eq!(fs::read_dir(lab.path("root/etc/app")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_file_that_was_not_there_goes_again() {
    let lab = Lab::new();
    let order = order("c1", config(None));
    steps(&lab).apply(&order).await.unwrap();
    let path = lab.path("root/etc/app/app.conf");
    assert_eq!(content(&path), NEW);
    steps(&lab).rollback(&order).await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_file_that_is_not_valid_is_refused_and_leaves_no_trace() {
    let lab = Lab::new();
    for (validate, says) in [
        ("bad", "`bad` ended with status 1"),
        ("none", "no validate command `none`"),
    ] {
        let order = order("c1", config(Some(validate)));
        let failure = steps(&lab).stage(&request(&order)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Validate);
        assert!(failure.detail.contains(says), "{failure}");
        assert!(steps(&lab).apply(&order).await.is_err());
        assert_eq!(fs::read_dir(lab.path("root/etc/app")).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn bits_that_the_store_does_not_have_or_forged_are_refused() {
    let lab = Lab::new();
    let order = order("c1", config(None));
    fs::create_dir_all(lab.path("root/etc/app")).unwrap();
    let forged = vec![(Digest::of(NEW), b"listen 99\n".to_vec())];
    for (bits, kind) in [
        (Vec::new(), FailureKind::NotFound),
        (forged, FailureKind::Signature),
    ] {
        let store = scripted::Scripted::with(bits);
        let steps = steps_with(lab.settings(), Rc::new(space::Kernel), store);
        assert_eq!(steps.stage(&request(&order)).await.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn a_file_that_others_changed_since_is_left_alone() {
    let lab = Lab::new();
    let order = order("c1", config(None));
    steps(&lab).apply(&order).await.unwrap();
    let path = lab.path("root/etc/app/app.conf");
    fs::write(&path, "by hand\n").unwrap();
    steps(&lab).rollback(&order).await.unwrap();
    assert_eq!(content(&path), "by hand\n");
}

#[tokio::test]
async fn files_are_put_back_one_rollout_after_the_other() {
    let lab = Lab::new();
    let path = lab.path("root/etc/app/app.conf");
    let orders = [("c1", NEW), ("c2", NEWER)].map(|(name, new)| order(name, config_of(new, None)));
    steps(&lab);
    fs::write(&path, "listen 80\n").unwrap();
    for order in &orders {
        steps(&lab).apply(order).await.unwrap();
        steps(&lab).release(&order.grant.rollout).await;
    }
    let failure = steps(&lab).rollback(&orders[0]).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    assert_eq!(content(&path), NEWER);
    for (order, before) in orders.iter().rev().zip([NEW, "listen 80\n"]) {
        steps(&lab).rollback(order).await.unwrap();
        steps(&lab).release(&order.grant.rollout).await;
        assert_eq!(content(&path), before);
    }
}

#[tokio::test]
async fn a_file_of_no_rollout_has_no_way_back_to_an_older_one() {
    let lab = Lab::new();
    let orders = [("c1", NEW), ("c2", NEWER)].map(|(name, new)| order(name, config_of(new, None)));
    for order in &orders {
        steps(&lab).apply(order).await.unwrap();
    }
    let path = lab.path("root/etc/app/app.conf");
    fs::write(&path, "by hand\n").unwrap();
    steps(&lab).rollback(&orders[1]).await.unwrap();
    let failure = steps(&lab).rollback(&orders[0]).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoWayBack, "{failure}");
    assert!(
        failure.detail.contains("/etc/app/app.conf is neither"),
        "{failure}"
    );
    assert_eq!(content(&path), "by hand\n");
}

#[tokio::test]
async fn a_place_that_is_not_for_a_file_is_refused() {
    let lab = Lab::new();
    let order = order("c1", config(None));
    let steps = steps(&lab);
    fs::create_dir(lab.path("root/etc/app/app.conf")).unwrap();
    let failure = steps.stage(&request(&order)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unsupported, "{failure}");
    fs::remove_dir_all(lab.path("root/etc/app")).unwrap();
    let failure = steps.stage(&request(&order)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unsupported, "{failure}");
}

#[tokio::test]
async fn a_symlink_stays_and_its_target_is_replaced() {
    let lab = Lab::new();
    let order = order("c1", config(None));
    let steps = steps(&lab);
    let target = lab.path("root/srv/real.conf");
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    fs::write(&target, "listen 80\n").unwrap();
    let link = lab.path("root/etc/app/app.conf");
    std::os::unix::fs::symlink("/srv/real.conf", &link).unwrap();
    steps.apply(&order).await.unwrap();
    assert_eq!(content(&target), NEW);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    steps.rollback(&order).await.unwrap();
    assert_eq!(content(&target), "listen 80\n");
}

/// Services may own the folders of their config: what one plants there is never written through.
#[tokio::test]
async fn a_link_planted_beside_the_file_is_not_followed() {
    let lab = Lab::new();
    let (path, shadow) = (lab.path("root/etc/app/app.conf"), lab.path("shadow"));
    fs::write(&shadow, "root:x\n").unwrap();
    let steps = steps(&lab);
    let order = order("c1", config(Some("good")));
    std::os::unix::fs::symlink(&shadow, crate::host::durable::beside(&path)).unwrap();
    steps.apply(&order).await.unwrap();
    assert_eq!(
        (content(&path), content(&shadow)),
        (NEW.to_owned(), "root:x\n".to_owned())
    );
}
