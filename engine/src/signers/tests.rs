use super::*;
use proptest::prelude::*;

const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJ6rrmZ0/h3/Ov/5d1YR5v1q0kLkA0nYyH7bqT6cF0aB";

fn one(line: &str) -> Signer {
    parse("signers", line).unwrap().remove(0)
}

fn refused(line: &str) -> String {
    parse("signers", line).unwrap_err().to_string()
}

#[test]
fn a_line_names_who_signs_with_which_key() {
    let signer = one(&format!(
        "# ours\n\nalice@example.org ssh-ed25519 {KEY} her laptop\n"
    ));
    assert_eq!(signer.name, "alice@example.org");
    assert_eq!(signer.key, format!("ssh-ed25519 {KEY}"));
    assert_eq!(signer.line, 3);
    assert_eq!(signer.may_sign(Timestamp(0)), Ok(()));
}

#[test]
fn options_say_what_for_and_for_how_long() {
    let line = |options: &str| format!("bob {options} ecdsa-sha2-nistp256 {KEY}");
    let second = |secs: u64| Timestamp(secs * 1000);
    let bound = one(&line(
        "namespaces=\"git,cofferdam-rollout@cofferdam\",VALID-AFTER=\"20261101Z\",\
         valid-before=\"202612312359Z\"",
    ));
    let name = || "bob".to_owned();
    let cases = [
        (1_793_491_199, Err(NotAllowed::NotYet { name: name() })),
        (1_793_491_200, Ok(())),
        (1_798_761_540, Ok(())),
        (1_798_761_541, Err(NotAllowed::Expired { name: name() })),
    ];
    for (secs, expected) in cases {
        assert_eq!(bound.may_sign(second(secs)), expected, "{secs}");
    }
    let other = one(&line("namespaces=\"git\""));
    let refused = |namespace| {
        Err(NotAllowed::OtherNamespace {
            name: name(),
            namespace,
        })
    };
    assert_eq!(other.may_sign(second(0)), refused(NAMESPACE));
    let rollouts = one(&line(&format!("namespaces=\"{NAMESPACE}\"")));
    let bundles = rollouts.may_sign_for(BUNDLE_NAMESPACE, second(0));
    assert_eq!(bundles, refused(BUNDLE_NAMESPACE));
}

#[test]
fn what_is_not_taken_is_refused_by_name() {
    for (line, expected) in [
        ("", "signers:1: nobody is named"),
        ("alice", "signers:1: no key"),
        ("alice ssh-ed25519", "signers:1: no key"),
        ("alice ssh-rsa AAAA", "keys of kind `ssh-rsa` are not taken"),
        (
            "alice sk-ssh-ed25519@openssh.com AAAA",
            "keys of kind `sk-ssh-ed25519@openssh.com` are not taken",
        ),
        ("* ssh-ed25519 AAAA", "`*` is a pattern"),
        (
            "alice cert-authority ssh-ed25519 AAAA",
            "`cert-authority` is not taken",
        ),
        ("alice no-pty ssh-ed25519 AAAA", "unknown option `no-pty`"),
        (
            "alice namespaces=git ssh-ed25519 AAAA",
            "`namespaces` needs a value in quotes",
        ),
        (
            "alice namespaces=\"*\" ssh-ed25519 AAAA",
            "the namespace `*` is a pattern",
        ),
        (
            "alice valid-before=\"20261231\" ssh-ed25519 AAAA",
            "`20261231` is not a moment",
        ),
        (
            "alice valid-before=\"20261331Z\" ssh-ed25519 AAAA",
            "`20261331Z` is not a moment",
        ),
        (
            "alice valid-after=\"20261201Z\",valid-after=\"20261202Z\" ssh-ed25519 AAAA",
            "`valid-after` stands there twice",
        ),
        ("alice ssh-ed25519 A{A", "no key"),
    ] {
        let said = refused(line);
        assert!(said.contains(expected), "{line}: {said}");
    }
    let both = refused("a ssh-rsa AA\nb ssh-ed25519 AAAA\nc ssh-dss AA\n");
    assert_eq!(both.lines().count(), 2, "{both}");
}

proptest! {
    #[test]
    fn whatever_a_file_holds_it_is_read_or_refused(text in ".{0,200}") {
        parse("signers", &text).ok();
    }

    #[test]
    fn whatever_a_line_is_made_of_it_is_read_or_refused(
        parts in prop::collection::vec(prop::sample::select(vec![
            "alice", " ", ",", "=", "\"", "namespaces", "valid-before", "20261231Z", "é", "ssh-ed25519",
            "ecdsa-sha2-nistp256", "cert-authority", "AAAA", "\t", "#", "\n",
        ]), 0..16),
    ) {
        parse("signers", &parts.concat()).ok();
    }
}
