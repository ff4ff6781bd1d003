//! A coordinator that was taken over tells a host to do what nobody signed.

use super::*;
use cofferdam_engine::{
    date::Date,
    id::RolloutId,
    inventory::Platform,
    patch::{LockFile, Locked, LockedPackage, LockedPlatform},
    reach::Reach,
    signers::NAMESPACE,
    spec::Spec,
    statement::{Signed, Statement, Validity},
};
use ssh_key::{HashAlg, LineEnding, PrivateKey, private::Ed25519Keypair};
use std::fs;

/// Our operator's key, one that is not ours any more, one that is for other things, and a stranger's.
const OURS: u8 = 1;
const EXPIRED: u8 = 2;
const FOR_GIT: u8 = 3;
const STRANGE: u8 = 4;

fn private(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

/// A host that takes only what is signed.
fn wary() -> (Stage, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("allowed_signers");
    let line = |name: &str, seed: u8, options: &str| {
        let public = private(seed).public_key().to_openssh().unwrap();
        format!("{name} {options} {public}\n")
    };
    let text = line("alice", OURS, "")
        + &line("old", EXPIRED, "valid-before=\"19700101Z\"")
        + &line("git", FOR_GIT, "namespaces=\"git\"");
    fs::write(&file, text).unwrap();
    let stage = Stage {
        signers: Some(file),
        ..Stage::new()
    };
    (stage, folder)
}

fn lock(version: &str) -> LockFile {
    let platform = |os_release: &str| LockedPlatform {
        platform: platform(os_release),
        packages: vec![LockedPackage {
            name: "openssl".to_owned(),
            version: version.to_owned(),
            sha256: Digest::of(os_release),
            size: 1,
        }],
        reach: Reach::Every,
        fixes: None,
    };
    LockFile {
        rollout: "practice".to_owned(),
        content: Locked::Packages {
            platforms: vec![platform("debian-12"), platform("debian-11")],
        },
    }
}

fn platform(os_release: &str) -> Platform {
    Platform {
        os_release: os_release.to_owned(),
        architecture: "amd64".to_owned(),
    }
}

fn spec(selection: &str) -> Spec {
    let text = format!(
        "name = \"practice\"\n[patch]\nkind = \"packages\"\npackages = {{ openssl = \"latest\" }}\n\
         [select]\nmatch = 'host == \"{selection}\"'\n"
    );
    Spec::parse("practice.toml", &text).unwrap()
}

fn statement(spec: &Spec, lock: &LockFile) -> Statement {
    let day = |text| Date::parse(text).unwrap();
    let (made, until) = (day("1970-01-01"), day("1970-01-02"));
    Statement::of(spec, lock, None, Validity { made, until })
}

fn signed_by(seed: u8, namespace: &str, statement: &Statement) -> Signed {
    let statement = statement.to_string();
    let signature = private(seed).sign(namespace, HashAlg::Sha512, statement.as_bytes());
    Signed {
        signature: signature.unwrap().to_pem(LineEnding::LF).unwrap(),
        statement,
    }
}

/// What our operator signed.
fn ours() -> Signed {
    signed_by(OURS, NAMESPACE, &statement(&spec("web-1"), &lock("2")))
}

/// The order that belongs to that.
fn honest(sequence: u64) -> Order {
    let (spec, lock) = (spec("web-1"), lock("2"));
    let mut order = sample::order(sequence);
    order.grant.rollout_digest = statement(&spec, &lock).rollout_digest();
    order.grant.lock_digest = lock.digest();
    order.content = lock
        .content_for(&platform("debian-12"), spec.patch())
        .unwrap();
    order.kernel_fallback = spec.kernel_fallback();
    order
}

fn content(version: &str, os_release: &str) -> Content {
    let content = lock(version).content_for(&platform(os_release), spec("web-1").patch());
    content.unwrap()
}

/// What a bad coordinator does to an order and to what was signed, and what the host says of it.
type Forgery = (fn(&mut Order, &mut Option<Signed>), &'static str);

const FORGERIES: [Forgery; 13] = [
    (|_, signed| *signed = None, "nobody signed it"),
    (
        |order, _| order.content = content("3", "debian-12"),
        "not what alice signed: other bits",
    ),
    (
        |order, _| order.content = content("2", "debian-11"),
        "not what alice signed: other bits",
    ),
    (
        |order, _| order.content = Content::Noop,
        "not what alice signed: other bits",
    ),
    (
        |order, _| order.reboot = RebootPolicy::Always,
        "`reboot` is always",
    ),
    (
        |order, _| order.grant.rollout = RolloutId::new("later").unwrap(),
        "what was signed is rollout practice, and this is later",
    ),
    (
        |_, signed| {
            let elsewhere = statement(&spec("web-2"), &lock("2"));
            *signed = Some(signed_by(OURS, NAMESPACE, &elsewhere));
        },
        "another rollout file",
    ),
    (
        |order, signed| {
            let elsewhere = statement(&spec("web-2"), &lock("2"));
            order.grant.rollout_digest = elsewhere.rollout_digest();
            *signed = Some(signed_by(OURS, NAMESPACE, &elsewhere));
        },
        "for hosts with host == \"web-2\", and this host is none",
    ),
    (
        |order, signed| {
            let other = lock("3");
            let forged = statement(&spec("web-1"), &other);
            order.grant.rollout_digest = forged.rollout_digest();
            order.grant.lock_digest = other.digest();
            order.content = content("3", "debian-12");
            *signed = Some(Signed {
                statement: forged.to_string(),
                ..ours()
            });
        },
        "it is not what alice signed",
    ),
    (
        |_, signed| *signed = Some(resigned(STRANGE, NAMESPACE)),
        "none of the allowed signers'",
    ),
    (
        |_, signed| *signed = Some(resigned(EXPIRED, NAMESPACE)),
        "not valid any more",
    ),
    (
        |_, signed| *signed = Some(resigned(OURS, "git")),
        "it was made for `git`",
    ),
    (
        |_, signed| *signed = Some(resigned(FOR_GIT, NAMESPACE)),
        "is not allowed for",
    ),
];

fn papers(signed: Option<Signed>) -> Papers {
    Papers {
        signed,
        ..Papers::default()
    }
}

fn resigned(seed: u8, namespace: &str) -> Signed {
    signed_by(seed, namespace, &statement(&spec("web-1"), &lock("2")))
}

/// Why an order was refused for want of a signature. Nothing: it was not, or not yet.
fn refusal_of(stage: &Stage, order: &Order) -> Option<String> {
    let bodies = stage.coordinator.bodies();
    bodies.into_iter().find_map(|body| {
        let ReportBody::Refused { key, refusal } = body else {
            return None;
        };
        let Refusal::Impossible { failure } = refusal else {
            return None;
        };
        let is_its = key == order.key && failure.kind == FailureKind::NotSigned;
        is_its.then_some(failure.detail)
    })
}

#[tokio::test(start_paused = true)]
async fn orders_that_nobody_signed_are_refused_and_change_nothing() {
    let (stage, _folder) = wary();
    let mut sequence = 0;
    for (forge, expected) in FORGERIES {
        sequence += 1;
        let (mut order, mut signed) = (honest(sequence), Some(ours()));
        forge(&mut order, &mut signed);

        stage.coordinator.order_with(order.clone(), papers(signed));
        stage
            .live_until(|stage| refusal_of(stage, &order).is_some())
            .await;

        let said = refusal_of(&stage, &order).unwrap();
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert_eq!(stage.actions.effects(), []);

    let order = honest(sequence + 1);
    let key = order.key;
    stage.coordinator.order_with(order, papers(Some(ours())));
    stage
        .live_until(|stage| stage.coordinator.ending(key).is_some())
        .await;
    assert_eq!(stage.coordinator.ending(key), Some(Ending::Patched));
}

#[tokio::test(start_paused = true)]
async fn a_way_back_needs_no_signature() {
    let (stage, folder) = wary();
    let order = honest(1);
    let key = order.key;
    stage.coordinator.order_with(order, papers(Some(ours())));
    stage
        .live_until(|stage| stage.coordinator.ending(key).is_some())
        .await;
    // The key was stolen, and taken out of the file.
    fs::write(folder.path().join("allowed_signers"), "").unwrap();
    let mut back = honest(2);
    back.direction = Direction::Rollback;

    let ending = stage.run(back).await;

    assert_eq!(ending, Ending::RolledBack);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_taken_out_of_the_file_counts_no_more() {
    let (stage, folder) = wary();
    let first = honest(1);
    let key = first.key;
    stage.coordinator.order_with(first, papers(Some(ours())));
    stage
        .live_until(|stage| stage.coordinator.ending(key).is_some())
        .await;
    let theirs = format!(
        "bob {}\n",
        private(STRANGE).public_key().to_openssh().unwrap()
    );
    fs::write(folder.path().join("allowed_signers"), theirs).unwrap();

    let second = honest(2);
    stage
        .coordinator
        .order_with(second.clone(), papers(Some(ours())));
    stage
        .live_until(|stage| refusal_of(stage, &second).is_some())
        .await;

    let said = refusal_of(&stage, &second).unwrap();
    assert!(said.contains("none of the allowed signers'"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn bits_that_nobody_signed_are_not_staged() {
    let (stage, _folder) = wary();
    let honest = honest(1);
    let request = |content: Content| StageRequest {
        rollout: honest.grant.rollout.clone(),
        lock_digest: honest.grant.lock_digest,
        content,
        conffiles: ConffilePolicies::new(),
        kernel_fallback: honest.kernel_fallback,
        one_way: false,
        rate_kib: None,
    };
    let staged = |stage: &Stage| -> Vec<Option<FailureKind>> {
        let bodies = stage.coordinator.bodies();
        let staged = bodies.into_iter().filter_map(|body| {
            let ReportBody::Staged { failure, .. } = body else {
                return None;
            };
            Some(failure.map(|failure| failure.kind))
        });
        staged.collect()
    };
    let ask = |content, signed| {
        let request = Box::new(request(content));
        stage.coordinator.send(ToAgent::Stage(request, signed));
    };
    ask(content("3", "debian-12"), Some(ours()));
    stage.live_until(|stage| staged(stage).len() == 1).await;
    ask(content("2", "debian-12"), None);
    stage.live_until(|stage| staged(stage).len() == 2).await;
    assert_eq!(stage.actions.effects(), []);

    ask(content("2", "debian-12"), Some(ours()));
    stage.live_until(|stage| staged(stage).len() == 3).await;

    let refused = Some(FailureKind::NotSigned);
    assert_eq!(staged(&stage), [refused, refused, None]);
}
