//! Names of bits, and files of earlier releases.

use super::*;

fn packages(version: &str) -> Vec<LockedPackage> {
    let package = |name: &str| LockedPackage {
        name: name.to_owned(),
        version: version.to_owned(),
        sha256: Digest::of(version),
        size: 1,
    };
    vec![package("libssl"), package("openssl")]
}

#[test]
fn bits_are_named_by_what_is_installed() {
    let content = |packages| Content::Packages {
        packages,
        reach: Reach::Every,
    };
    let bits = content(packages("1")).bits();
    let reversed = packages("1").into_iter().rev().collect();
    assert_eq!(content(reversed).bits(), bits, "the order says nothing");
    assert_ne!(content(packages("2")).bits(), bits);
    assert_eq!(Content::Noop.bits(), None);
}

#[test]
fn two_rollouts_of_one_content_have_the_same_bits_and_lock_files_of_their_own() {
    let lock = |rollout: &str| LockFile {
        rollout: rollout.to_owned(),
        content: Locked::Packages {
            platforms: vec![LockedPlatform {
                platform: Platform {
                    os_release: "debian-12".to_owned(),
                    architecture: "amd64".to_owned(),
                },
                packages: packages("1"),
                reach: Reach::Every,
                fixes: None,
            }],
        },
    };
    let patch = Patch::Packages {
        packages: BTreeMap::from([("openssl".to_owned(), VersionWish::Latest)]),
    };
    let (one, two) = (lock("one"), lock("two"));
    assert_ne!(one.digest(), two.digest());
    assert_eq!(one.bits(&patch), two.bits(&patch));
    assert_eq!(one.bits(&patch).len(), 1);
}

fn config_file(path: &str, source: &str) -> ConfigFile {
    ConfigFile {
        path: path.into(),
        source: Source::parse(source).unwrap(),
        rights: Rights::default(),
    }
}

fn locked(content: &str) -> LockedFile {
    LockedFile {
        sha256: Digest::of(content),
        size: content.len() as u64,
    }
}

fn config(files: impl IntoIterator<Item = ConfigFile>) -> ConfigPatch {
    ConfigPatch {
        files: Files::of(files).unwrap(),
        validate: None,
        reload: None,
    }
}

/// What the first releases stored of a patch of one file, and called its bits.
#[test]
fn one_config_file_is_written_read_and_named_as_ever() {
    let digest = Digest::of("x");
    let content = Content::Config {
        config: config([config_file("/etc/a", "a")]),
        files: locked("x").into(),
    };
    let stored = format!(
        r#"{{"kind":"config","config":{{"path":"/etc/a","source":"a","validate":null,"reload":null}},"file":{{"sha256":"{digest}","size":1}}}}"#
    );
    assert_eq!(serde_json::to_string(&content).unwrap(), stored);
    assert_eq!(serde_json::from_str::<Content>(&stored).unwrap(), content);
    let bits = Digest::of(format!("config /etc/a {digest} 1\n"));
    assert_eq!(content.bits(), Some(bits));
    let lock = format!(r#"{{"kind":"config","sha256":"{digest}","size":1}}"#);
    let read: Locked = serde_json::from_str(&lock).unwrap();
    let one = LockedSource {
        file: locked("x"),
        of: None,
    };
    assert_eq!(read, Locked::Config(one.into()));
    assert_eq!(serde_json::to_string(&read).unwrap(), lock);
    let lock = LockFile {
        rollout: "r".to_owned(),
        content: read,
    };
    assert_eq!(lock.digest(), Digest::of(format!("r\nconfig {digest} 1\n")));
}

#[test]
fn several_config_files_are_stored_whole_and_named_by_each_content_place_and_mode() {
    let two = ["/etc/a", "/etc/b"].map(|path| config_file(path, "x"));
    let content = |files: &[ConfigFile], contents: [&str; 2]| Content::Config {
        config: config(files.to_vec()),
        files: Files::of(contents.map(locked)).unwrap(),
    };
    let one = content(&two, ["1", "2"]);
    let text = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<Content>(&text).unwrap(), one);
    let mut other_mode = two.clone();
    other_mode[1].rights.mode = Some(FileMode::parse("0600").unwrap());
    let others = [content(&two, ["2", "1"]), content(&other_mode, ["1", "2"])];
    for other in &others {
        assert_ne!(other.bits(), one.bits());
    }
    let text = serde_json::to_string(&others[1]).unwrap();
    assert_eq!(serde_json::from_str::<Content>(&text).unwrap(), others[1]);
}

#[test]
fn what_was_locked_for_another_file_or_revision_is_no_content_of_a_patch() {
    let files = ["main", "v2"]
        .map(|revision| config_file("/etc/a", &format!("git+https://h/r@{revision}#a")));
    let sources = |file: &ConfigFile| LockedSource {
        file: locked("x"),
        of: Some(LockedFrom {
            path: file.path.clone(),
            source: file.source.clone(),
            commit: Some("1".repeat(40)),
        }),
    };
    let lock = LockFile {
        rollout: "r".to_owned(),
        content: Locked::Config(sources(&files[0]).into()),
    };
    let platform = Platform {
        os_release: "debian-12".to_owned(),
        architecture: "amd64".to_owned(),
    };
    let found = files.map(|file| lock.content_for(&platform, &Patch::Config(config([file]))));
    assert!(found[0].is_some() && found[1].is_none(), "{found:?}");
}

#[test]
fn a_mode_gives_nobody_the_rights_of_another() {
    assert_eq!(FileMode::parse("640").unwrap().to_string(), "0640");
    for text in ["", "0", "4755", "01777", "0888", "0o640", "-640", "+640"] {
        assert!(FileMode::parse(text).is_err(), "{text}");
    }
    for text in ["", "a b", "a:b", "a/b"] {
        assert!(OwnerName::new(text).is_err(), "{text}");
    }
}
