//! Config files: staged, applied, rolled back.

use super::*;
use cofferdam_engine::patch::{
    ConfigFile, ConfigPatch, FileMode, Files, LockedFile, OwnerName, Rights, Source,
};
use std::{os::unix::fs::MetadataExt, path::Path};

const NEW: &str = "listen 81\n";
const NEWER: &str = "listen 82\n";

fn config(validate: Option<&str>) -> Content {
    config_of(NEW, validate)
}

fn config_of(content: &str, validate: Option<&str>) -> Content {
    unit_of(
        &[("/etc/app/app.conf", content, Rights::default())],
        validate,
    )
}

/// A patch of these paths, contents and rights.
fn unit_of(files: &[(&str, &str, Rights)], validate: Option<&str>) -> Content {
    let file = |(path, _, rights): &(&str, &str, Rights)| ConfigFile {
        path: path.into(),
        source: Source::Beside("app.conf".into()),
        rights: rights.clone(),
    };
    let locked = |(_, content, _): &(&str, &str, Rights)| LockedFile {
        sha256: Digest::of(content),
        size: content.len() as u64,
    };
    Content::Config {
        config: ConfigPatch {
            files: Files::of(files.iter().map(file)).unwrap(),
            validate: validate.map(str::to_owned),
            reload: Some("app.service".to_owned()),
        },
        files: Files::of(files.iter().map(locked)).unwrap(),
    }
}

fn steps(lab: &Lab) -> Steps {
    fs::create_dir_all(lab.path("root/etc/app")).unwrap();
    let mut settings = lab.settings();
    let grep = |word: &str| ["grep", "-q", word, "{file}"].map(str::to_owned).to_vec();
    // Reads its neighbour too, as a service reads what its main file includes.
    let pair = "cat $1 $(dirname $1)/extra.conf | tr -d '\\n' | grep -qx 'listen 81listen 82'";
    let pair = ["sh", "-c", pair, "sh", "{file}"].map(str::to_owned);
    settings.validators.insert("pair".to_owned(), pair.to_vec());
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

const MAIN: &str = "/etc/app/app.conf";
const EXTRA: &str = "/etc/app/extra.conf";

fn pair(validate: &str) -> Content {
    let rights = Rights {
        mode: Some(FileMode::parse("0600").unwrap()),
        owner: Some(OwnerName::new("app").unwrap()),
        group: None,
    };
    let files = [
        (MAIN, NEW, Rights::default()),
        (EXTRA, NEWER, rights.clone()),
    ];
    unit_of(&files, Some(validate))
}

/// A lab that knows a user `app`: the one that the tests run as, since only root may make it another.
fn lab_of_two() -> Lab {
    let lab = Lab::new();
    let user = nix::unistd::geteuid();
    fs::create_dir_all(lab.path("root/etc/app")).unwrap();
    fs::write(
        lab.path("root/etc/passwd"),
        format!("app:x:{user}:1::/:/x\n"),
    )
    .unwrap();
    lab
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[tokio::test]
async fn several_files_are_judged_together_and_put_back_or_removed_each_as_it_was() {
    let lab = lab_of_two();
    let [main, extra] = [MAIN, EXTRA].map(|path| lab.path(&format!("root{path}")));
    fs::write(&main, "listen 80\n").unwrap();
    fs::set_permissions(&main, PermissionsExt::from_mode(0o640)).unwrap();
    let order = order("c1", pair("pair"));
    steps(&lab).stage(&request(&order)).await.unwrap();
    assert_eq!(fs::read_dir(lab.path("root/etc/app")).unwrap().count(), 1);
    for _ in 0..2 {
        for _ in 0..2 {
            steps(&lab).apply(&order).await.unwrap();
            assert_eq!((content(&main).as_str(), mode(&main)), (NEW, 0o640));
            assert_eq!((content(&extra).as_str(), mode(&extra)), (NEWER, 0o600));
        }
        for _ in 0..2 {
            steps(&lab).rollback(&order).await.unwrap();
            assert_eq!(
                (content(&main).as_str(), mode(&main)),
                ("listen 80\n", 0o640)
            );
            assert!(!extra.exists());
        }
    }
    assert_eq!(fs::read_dir(lab.path("root/etc/app")).unwrap().count(), 1);
}

#[tokio::test]
async fn several_files_of_which_the_judge_thinks_ill_are_all_as_before_at_once() {
    let lab = lab_of_two();
    let [main, extra] = [MAIN, EXTRA].map(|path| lab.path(&format!("root{path}")));
    fs::write(&extra, "listen 82 # ours\n").unwrap();
    let order = order("c1", pair("bad"));
    let failure = steps(&lab).apply(&order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Validate, "{failure}");
    assert!(!main.exists());
    assert_eq!(content(&extra), "listen 82 # ours\n");
    steps(&lab).rollback(&order).await.unwrap();
    assert_eq!(content(&extra), "listen 82 # ours\n");
}

/// The second place cannot be taken, in mid-way: the first is given back.
#[tokio::test]
async fn a_file_that_cannot_be_put_in_place_leaves_none_in_place() {
    let lab = lab_of_two();
    let order = order("c1", pair("pair"));
    let no_user = lab.path("root/etc/passwd");
    fs::write(&no_user, "").unwrap();
    let failure = steps(&lab).stage(&request(&order)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unsupported, "{failure}");
    assert!(steps(&lab).apply(&order).await.is_err());
    assert_eq!(fs::read_dir(lab.path("root/etc/app")).unwrap().count(), 0);
    let twice = [
        (MAIN, NEW, Rights::default()),
        (EXTRA, NEWER, Rights::default()),
    ];
    std::os::unix::fs::symlink("app.conf", lab.path(&format!("root{EXTRA}"))).unwrap();
    let order = super::order("c2", unit_of(&twice, None));
    let failure = steps(&lab).stage(&request(&order)).await.unwrap_err();
    assert!(failure.detail.contains("the same file"), "{failure}");
}

/// What a kill between two renames leaves: some files new, some old.
#[tokio::test]
async fn files_of_which_only_some_were_put_in_place_are_all_there_after_the_step_was_done_again_or_undone()
 {
    let lab = lab_of_two();
    let [main, extra] = [MAIN, EXTRA].map(|path| lab.path(&format!("root{path}")));
    fs::write(&main, "listen 80\n").unwrap();
    fs::write(&extra, "listen 79\n").unwrap();
    let order = order("c1", pair("pair"));
    for ends_patched in [true, false] {
        steps(&lab).apply(&order).await.unwrap();
        fs::write(&extra, "listen 79\n").unwrap();
        fs::write(lab.path("root/etc/app/.extra.conf.cofferdam"), "half").unwrap();
        if ends_patched {
            steps(&lab).apply(&order).await.unwrap();
            assert_eq!(
                (content(&main).as_str(), content(&extra).as_str()),
                (NEW, NEWER)
            );
            assert_eq!(mode(&extra), 0o600);
        }
        steps(&lab).rollback(&order).await.unwrap();
        assert_eq!(
            (content(&main).as_str(), content(&extra).as_str()),
            ("listen 80\n", "listen 79\n")
        );
    }
    assert_eq!(fs::read_dir(lab.path("root/etc/app")).unwrap().count(), 2);
}

#[tokio::test]
async fn a_file_of_several_that_others_changed_stays_and_the_rest_goes_back() {
    let lab = lab_of_two();
    let [main, extra] = [MAIN, EXTRA].map(|path| lab.path(&format!("root{path}")));
    let order = order("c1", pair("pair"));
    steps(&lab).apply(&order).await.unwrap();
    fs::write(&extra, "by hand\n").unwrap();
    for _ in 0..2 {
        let exceptions = steps(&lab).rollback(&order).await.unwrap();
        let said = "/etc/app/extra.conf was changed since the patch and stays so";
        assert_eq!(exceptions, [said], "also after a restart");
    }
    assert!(!main.exists());
    assert_eq!(content(&extra), "by hand\n");
}
