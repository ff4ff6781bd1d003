use super::*;
use crate::{
    patch::{Files, Fixes, LockedFile, LockedFrom, LockedSource, Source},
    reach::Reach,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn package(name: &str, version: &str) -> LockedPackage {
    LockedPackage {
        name: name.to_owned(),
        version: version.to_owned(),
        sha256: Digest::of(version),
        size: 12_345,
    }
}

fn packages() -> LockFile {
    let platform = |architecture: &str| LockedPlatform {
        platform: Platform {
            os_release: "debian-12".to_owned(),
            architecture: architecture.to_owned(),
        },
        packages: vec![
            package("libssl3", "3.0.15-1~deb12u1"),
            package("openssl", "3.0.15-1"),
        ],
        reach: Reach::Every,
        fixes: None,
    };
    LockFile {
        rollout: "openssl-2026-11".to_owned(),
        content: Locked::Packages {
            platforms: vec![platform("amd64"), platform("arm64")],
        },
    }
}

/// Upgrades by an advisory, one with a new package.
fn upgrades() -> LockFile {
    let mut lock = packages();
    if let Locked::Packages { platforms } = &mut lock.content {
        let by = BTreeSet::from(["openssl".to_owned()]);
        platforms[0].reach = Reach::Upgrade {
            needed_by: BTreeMap::from([("libssl3".to_owned(), by)]),
        };
        platforms[0].fixes = Some(Fixes {
            advisory: "DSA-5678-1".to_owned(),
            sources: BTreeMap::from([("openssl".to_owned(), "3.0.15-1".to_owned())]),
        });
    }
    lock
}

fn mistakes(text: &str) -> String {
    parse("x.lock", text).map_or_else(|mistakes| mistakes.to_string(), |lock| format!("{lock:?}"))
}

#[test]
fn a_lock_file_reads_back_what_it_writes() {
    let of = |content| LockFile {
        rollout: "x".to_owned(),
        content,
    };
    let file = LockedFile {
        sha256: Digest::of("file"),
        size: u64::MAX,
    };
    let source = |path: &str, source: &str, commit: Option<String>| LockedSource {
        file: file.clone(),
        of: Some(LockedFrom {
            path: path.into(),
            source: Source::parse(source).unwrap(),
            commit,
        }),
    };
    let git = source("/b", "git+https://h/r@v1#b", Some("a".repeat(40)));
    let files = Files::of([source("/a", "a \"b\"", None), git]).unwrap();
    let of_older = LockedSource {
        file: file.clone(),
        of: None,
    };
    for lock in [
        packages(),
        upgrades(),
        of(Locked::Noop),
        of(Locked::Config(of_older.into())),
        of(Locked::Config(files.clone())),
        of(Locked::Packages { platforms: vec![] }),
    ] {
        assert_eq!(parse("x.lock", &format(&lock)), Ok(lock));
    }
}

#[test]
fn an_edit_by_hand_is_found() {
    let text = format(&packages()).replacen("12345", "12346", 1);
    let found = mistakes(&text);
    assert!(
        found.starts_with("x.lock:4:10: digest: the file was edited by hand"),
        "{found}"
    );
}

#[test]
fn every_mistake_is_reported_with_its_line() {
    let text = r#"
rollout = "../x"
digest = "12"
kind = "packages"
[[platform]]
os_release = "debian 12"
packages = [
  { name = "-y", version = "1", sha256 = "", size = -1 },
  { name = "a", vresion = "1" },
]
"#;
    assert_eq!(
        mistakes(text),
        r#"x.lock:2:11: rollout: `../x` is not a rollout name: letters, digits, `.`, `_` and `-`, beginning with a letter or a digit
x.lock:3:10: digest: `12` is not a SHA-256: 64 hexadecimal digits are expected
x.lock:5:1: "architecture" in [[platform]] is missing; write it as in `architecture = "amd64"`
x.lock:6:14: os_release in [[platform]]: `debian 12` names no release or architecture: letters, digits, `.`, `_` and `-`
x.lock:8:12: name in [[platform]] packages: `-y` is not a package name: letters, digits and `+ . _ : -`, beginning with a letter or a digit and not ending in `-`
x.lock:8:42: sha256 in [[platform]] packages: `` is not a SHA-256: 64 hexadecimal digits are expected
x.lock:8:53: size in [[platform]] packages: a whole number of at least 0 is expected, this is -1
x.lock:9:3: "version" in [[platform]] packages is missing; write it as in `version = "3.0.15-1"`
x.lock:9:3: "sha256" in [[platform]] packages is missing; write it as in `sha256 = ".."`
x.lock:9:3: "size" in [[platform]] packages is missing; write it as in `size = 100`
x.lock:9:17: unknown key "vresion" in [[platform]] packages; did you mean "version"?"#
    );
}

#[test]
fn nothing_stands_there_twice() {
    let twice = format(&packages())
        .replace("arm64", "amd64")
        .replace("libssl3", "openssl");
    let found = mistakes(&twice);
    assert!(
        found.contains("the platform debian-12/amd64 stands there twice"),
        "{found}"
    );
    assert!(
        found.contains("the package openssl stands there twice"),
        "{found}"
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        parse("x.lock", &text).ok();
    }

    #[test]
    fn no_mangled_file_makes_it_panic(
        cut in 0_usize..1000,
        len in 0_usize..20,
        put in "[\\[\\]{}\"'=,.a-z0-9\\n]{0,8}",
    ) {
        let mut text = format(&packages());
        let start = cut.min(text.len());
        let end = (start + len).min(text.len());
        text.replace_range(start..end, &put);
        parse("x.lock", &text).ok();
    }
}

#[test]
fn whatever_changes_what_a_host_gets_changes_the_digest() {
    let mut locks = vec![packages(), upgrades()];
    for change in [
        |entry: &mut LockedPlatform| entry.fixes = None,
        |entry: &mut LockedPlatform| {
            entry.reach = Reach::Upgrade {
                needed_by: BTreeMap::new(),
            }
        },
    ] {
        let mut lock = upgrades();
        if let Locked::Packages { platforms } = &mut lock.content {
            change(&mut platforms[0]);
        }
        locks.push(lock);
    }
    let digests: BTreeSet<_> = locks.iter().map(LockFile::digest).collect();
    assert_eq!(digests.len(), locks.len());
}

#[test]
fn an_upgrade_is_needed_only_by_what_is_locked() {
    let text = format(&upgrades()).replace("needed_by = [\"openssl\"]", "needed_by = [\"curl\"]");
    let found = mistakes(&text);
    assert!(
        found.contains("the package curl is not among the locked ones"),
        "{found}"
    );
    let text = format(&upgrades()).replace("DSA-5678-1", "-1");
    let found = mistakes(&text);
    assert!(found.contains("no advisory's id"), "{found}");
}
