//! Who can sign warrants, and whose signatures count.

use crate::pki::{Authority, Leaf, agent, coordinator};
use cofferdam_engine::{time::Timestamp, warrant::Seal};
use cofferdam_proto::tls::{CannotSeal, CredentialPem, Credentials};

const NOW: Timestamp = Timestamp(1_796_000_000_000);

fn control() -> Leaf {
    Leaf {
        uris: vec!["spiffe://example.org/control"],
        ..coordinator()
    }
}

fn terms() -> String {
    "cofferdam-warrant 1\n".to_owned()
}

/// What a host that trusts an authority says of a signature.
fn said_of(ours: &Authority, seal: &Seal) -> Result<(), String> {
    let host = ours.credentials(&agent());
    let checked = host.check_seal(seal, NOW);
    checked.map_err(|error| error.to_string())
}

#[test]
fn what_the_control_plane_signed_counts_and_other_text_does_not() {
    let ours = Authority::new();
    let seal = ours.credentials(&control()).seal(terms()).unwrap();
    assert_eq!(said_of(&ours, &seal), Ok(()));

    let (mut text, mut signature) = (seal.clone(), seal.clone());
    text.terms.push('x');
    signature.signature[9] ^= 1;
    for forged in [text, signature] {
        let wrong = "it is not what the control plane signed";
        assert_eq!(said_of(&ours, &forged), Err(wrong.to_owned()));
    }
}

#[test]
fn only_the_control_plane_signs() {
    let ours = Authority::new();
    for leaf in [agent(), coordinator()] {
        let refused = ours.credentials(&leaf).seal(terms());
        assert!(matches!(refused, Err(CannotSeal::NotControl(_))));
    }
}

#[test]
fn a_signature_by_any_other_certificate_does_not_count() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let named = |uri: &'static str| Leaf {
        uris: vec![uri],
        ..coordinator()
    };
    let expired = Leaf {
        last_year: 2020,
        ..control()
    };
    let client = Leaf {
        usages: agent().usages,
        ..control()
    };
    let cases = [
        (
            &ours,
            coordinator(),
            "certificate names coordinator/r1, but control was expected",
        ),
        (&ours, agent(), "is not for servers"),
        (
            &ours,
            named("spiffe://example.org/operator/ana"),
            "certificate names operator/ana",
        ),
        (
            &ours,
            named("spiffe://elsewhere.org/control"),
            "names nobody here",
        ),
        (&ours, expired, "expired on"),
        (&ours, client, "is not for servers"),
        (&theirs, control(), "of another certificate authority"),
    ];
    for (authority, leaf, expected) in cases {
        let seal = sealed_by(authority, &leaf);
        let said = said_of(&ours, &seal).unwrap_err();
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let seal = sealed_by(&ours, &control());
    let bare = Seal {
        chain: Vec::new(),
        ..seal.clone()
    };
    assert!(
        said_of(&ours, &bare)
            .unwrap_err()
            .contains("no certificate")
    );
    let junk = Seal {
        chain: vec![vec![0x30; 40]],
        ..seal
    };
    said_of(&ours, &junk).unwrap_err();
}

/// What the key of any certificate signs, as somebody would who took it.
fn sealed_by(authority: &Authority, leaf: &Leaf) -> Seal {
    let stolen = authority.issue(leaf);
    let own = Authority::new();
    // The same key under a certificate that its holder made: its own check lets it sign.
    let lent = own.issue_for(&control(), &stolen.key);
    let signer = Credentials::from_pem(CredentialPem {
        certificate: lent.certificate.as_bytes(),
        key: stolen.key.as_bytes(),
        authority: own.pem.as_bytes(),
    });
    let seal = signer.unwrap().seal(terms()).unwrap();
    Seal {
        chain: vec![stolen.der()],
        ..seal
    }
}
