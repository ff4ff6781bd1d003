use super::*;
use proptest::prelude::*;
use ssh_key::{PrivateKey, private::Ed25519Keypair};
use std::{fs, path::Path, process::Command};

const STATEMENT: &str = "cofferdam-rollout 1\nrollout practice\nmade 2026-11-28\nuntil 2027-02-26\n\
    file 0000000000000000000000000000000000000000000000000000000000000000\n\
    lock 0000000000000000000000000000000000000000000000000000000000000001\n\
    match service == \"web\"\nreboot never\nrestart if-required\n\
    kernel-fallback one-shot\nconffiles none\none-way no\n\
    bits any 0000000000000000000000000000000000000000000000000000000000000002 nothing\n";

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

fn line(name: &str, seed: u8, options: &str) -> String {
    let public = key(seed).public_key().to_openssh().unwrap();
    format!("{name} {options} {public}\n")
}

fn signed(seed: u8, namespace: &str, statement: &str) -> Signed {
    let signature = key(seed).sign(namespace, HashAlg::Sha512, statement.as_bytes());
    Signed {
        statement: statement.to_owned(),
        signature: signature.unwrap().to_pem(LineEnding::LF).unwrap(),
    }
}

fn checked(file: &str, signed: &Signed) -> Result<String, String> {
    let checked = Signers::parse("signers", file)
        .unwrap()
        .check(signed, Timestamp(1_800_000_000_000));
    let name = |checked: Checked| checked.signer.name;
    checked.map(name).map_err(|error| error.to_string())
}

#[test]
fn a_signature_counts_when_its_key_is_ours() {
    let file = line("alice", 1, "") + &line("bob", 2, "");
    let good = signed(2, NAMESPACE, STATEMENT);
    assert_eq!(checked(&file, &good), Ok("bob".to_owned()));
}

#[test]
fn what_does_not_count_is_told_apart() {
    let file = line("alice", 1, "")
        + &line("old", 2, "valid-before=\"20261231Z\"")
        + &line("git", 3, "namespaces=\"git\"");
    let changed = |change: fn(&mut Signed)| {
        let mut signed = signed(1, NAMESPACE, STATEMENT);
        change(&mut signed);
        signed
    };
    let other_key = |seed| signed(seed, NAMESPACE, STATEMENT);
    for (signed, expected) in [
        (
            changed(|s| s.statement = STATEMENT.replace("reboot never", "reboot always")),
            "it is not what alice signed",
        ),
        (changed(|s| s.statement.clear()), "a statement begins with"),
        (changed(|s| s.signature.clear()), "it is no SSH signature"),
        (signed(1, "git", STATEMENT), "it was made for `git`"),
        (other_key(2), "the key of old is not valid any more"),
        (other_key(3), "the key of git is not allowed for"),
        (other_key(4), "is none of the allowed signers'"),
    ] {
        let said = checked(&file, &signed).unwrap_err();
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn what_was_signed_for_a_bundle_is_no_rollout_and_the_other_way_round() {
    let signers = Signers::parse("signers", &line("alice", 1, "")).unwrap();
    let check = |namespace, made_for: &str| {
        let signed = signed(1, made_for, STATEMENT);
        let now = Timestamp(1_800_000_000_000);
        let checked = signers.check_text(namespace, STATEMENT, &signed.signature, now);
        checked.map(|signer| signer.name.clone())
    };
    let refused = |made_for: &str, wanted| {
        let made_for = made_for.to_owned();
        Err(SignatureError::OtherNamespace { made_for, wanted })
    };
    let bundle = signers::BUNDLE_NAMESPACE;
    assert_eq!(check(bundle, bundle), Ok("alice".to_owned()));
    assert_eq!(check(bundle, NAMESPACE), refused(NAMESPACE, bundle));
    assert_eq!(check(NAMESPACE, bundle), refused(bundle, NAMESPACE));
}

/// A forger who swaps the key in a signature for one of ours still has not signed with it.
#[test]
fn the_key_that_a_signature_brings_proves_nothing() {
    let theirs = SshSig::from_pem(signed(9, NAMESPACE, STATEMENT).signature).unwrap();
    let forged = SshSig::new(
        key(1).public_key().key_data().clone(),
        NAMESPACE,
        theirs.hash_alg(),
        theirs.signature().clone(),
    );
    let signed = Signed {
        statement: STATEMENT.to_owned(),
        signature: forged.unwrap().to_pem(LineEnding::LF).unwrap(),
    };
    let said = checked(&line("alice", 1, ""), &signed);
    assert_eq!(said, Err("it is not what alice signed".to_owned()));
}

#[test]
fn a_key_that_stands_twice_counts_as_long_as_one_of_its_lines() {
    let file = line("alice", 1, "valid-before=\"20261231Z\"") + &line("alice-2", 1, "");
    let good = signed(1, NAMESPACE, STATEMENT);
    assert_eq!(checked(&file, &good), Ok("alice-2".to_owned()));
}

#[test]
fn a_line_whose_key_cannot_be_decoded_is_named() {
    let file = line("alice", 1, "") + "bob ssh-ed25519 AAAA\n";
    let refused = Signers::parse("signers", &file).unwrap_err().to_string();
    assert!(refused.starts_with("signers:2: no key"), "{refused}");
}

/// What OpenSSH's own tool makes of keys of both kinds is taken here, and the other way round.
#[test]
fn openssh_and_we_agree() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("statement"), STATEMENT).unwrap();
    let mut file = line("ours", 1, "");
    for kind in ["ed25519", "ecdsa"] {
        keygen(&["-q", "-t", kind, "-N", "", "-f"], &at(kind));
        let public = fs::read_to_string(at(kind).with_extension("pub")).unwrap();
        file += &format!("{kind} namespaces=\"{NAMESPACE}\",valid-after=\"20200101Z\" {public}");
    }
    fs::write(at("signers"), &file).unwrap();
    for kind in ["ed25519", "ecdsa"] {
        let out = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"])
            .arg(at(kind))
            .stdin(fs::File::open(at("statement")).unwrap())
            .output()
            .unwrap();
        let signature = String::from_utf8(out.stdout).unwrap();
        let signed = Signed {
            statement: STATEMENT.to_owned(),
            signature,
        };
        assert_eq!(checked(&file, &signed), Ok(kind.to_owned()));
    }
    fs::write(at("sig"), signed(1, NAMESPACE, STATEMENT).signature).unwrap();
    let verify = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-n", NAMESPACE, "-I", "ours", "-f"])
        .arg(at("signers"))
        .arg("-s")
        .arg(at("sig"))
        .stdin(fs::File::open(at("statement")).unwrap())
        .output()
        .unwrap();
    assert!(verify.status.success(), "{verify:?}");
}

fn keygen(arguments: &[&str], path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(arguments)
        .arg(path)
        .output();
    let made = made.unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// A text with something else at a place.
fn changed(text: &str, at: usize, put: &str) -> String {
    let at = at.min(text.len());
    let end = (at + put.len()).min(text.len());
    format!("{}{put}{}", &text[..at], &text[end..])
}

proptest! {
    /// A signature brings a key of its own, which counts for nothing: that may be anything.
    #[test]
    fn whatever_stands_for_a_signature_is_refused_or_is_of_our_key(at in 0_usize..400, put in "[ -~\n]{0,4}") {
        let mut signed = signed(1, NAMESPACE, STATEMENT);
        signed.signature = changed(&signed.signature, at, &put);
        let said = checked(&line("alice", 1, ""), &signed);
        prop_assert!(said.is_err() || said.as_deref() == Ok("alice"));
        prop_assert!(checked(&line("alice", 2, ""), &signed).is_err());
    }

    #[test]
    fn another_statement_than_the_one_that_was_signed_is_refused(at in 0_usize..400, put in "[ -~\n]{1,4}") {
        let mut signed = signed(1, NAMESPACE, STATEMENT);
        signed.statement = changed(&signed.statement, at, &put);
        let said = checked(&line("alice", 1, ""), &signed);
        prop_assert!(said.is_err() || signed.statement == STATEMENT);
    }
}
