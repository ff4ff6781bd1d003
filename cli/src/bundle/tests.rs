//! Bundles that are good, and all that is not.

mod damaged;
mod hostile;
mod sample;

use self::sample::{Sample, said, trusting};
use super::{
    carried::Carried,
    entry::EntryName,
    evidence::Evidence,
    opened::Opened,
    trust::{Trust, Unsigned},
};

fn carried(bytes: &[u8], trust: &Trust) -> Result<Carried, String> {
    let opened = Opened::read(bytes, trust).map_err(|error| said(&error))?;
    Carried::of(&opened, trust).map_err(|error| said(&error))
}

#[test]
fn a_bundle_reads_back_as_it_was_made() {
    let sample = Sample::signed();
    let bytes = sample.bytes();
    let trust = trusting();

    let opened = Opened::read(bytes.as_slice(), &trust).unwrap();

    assert_eq!(opened.signer.as_deref(), Some("ana"));
    assert_eq!(
        opened.text(EntryName::Lock),
        Some(sample.lock_text().as_str())
    );
    let found: Vec<&[u8]> = opened
        .artefacts
        .iter()
        .map(|place| &bytes[place.at as usize..][..place.size as usize])
        .collect();
    assert_eq!(found, sample.contents());
    let carried = Carried::of(&opened, &trust).unwrap();
    assert_eq!(carried.signer.as_deref(), Some("ana"));
    assert_eq!(carried.lock, sample.lock);
}

#[test]
fn a_signature_is_missed_and_one_that_is_there_is_always_judged() {
    let (signed, unsigned) = (Sample::signed().bytes(), Sample::unsigned().bytes());
    let nobody = |unsigned| Trust {
        signers: None,
        unsigned,
        ..trusting()
    };
    let cases = [
        (&unsigned, trusting(), "nobody signed this bundle"),
        (
            &unsigned,
            nobody(Unsigned::Refused),
            "nobody signed this bundle",
        ),
        (&signed, nobody(Unsigned::Refused), "the bundle is signed"),
        (&signed, nobody(Unsigned::Taken), "the bundle is signed"),
        (&unsigned, nobody(Unsigned::Taken), "the rollout is signed"),
        (
            &signed,
            sample::trusting_others(),
            "is none of the allowed signers'",
        ),
    ];
    for (bytes, trust, expected) in cases {
        let refused = carried(bytes, &trust).unwrap_err();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
    let taken = Trust {
        unsigned: Unsigned::Taken,
        ..trusting()
    };
    assert_eq!(
        carried(&unsigned, &taken).unwrap().signer.as_deref(),
        Some("ana")
    );
}

/// How a sample is made otherwise.
type Change = fn(&mut Sample);

#[test]
fn parts_of_another_rollout_are_refused() {
    let changed = |change: Change| {
        let mut sample = Sample::unsigned();
        change(&mut sample);
        sample.bytes()
    };
    let trust = Trust {
        unsigned: Unsigned::Taken,
        ..trusting()
    };
    let cases: [(Change, &str); 6] = [
        (
            |s| s.replace(EntryName::Rollout, "tools", "other"),
            "its rollout file of other",
        ),
        (
            |s| s.replace(EntryName::Rollout, "grace = \"0s\"", "grace = \"1s\""),
            "not this rollout file",
        ),
        (
            |s| s.lose_artefact(),
            "tool 2 (debian-12/amd64) is missing among the artefacts",
        ),
        (
            |s| s.add_artefact("bits of nothing"),
            "the lock file does not name artefact",
        ),
        (
            |s| s.replace(EntryName::Evidence, "{", "["),
            "evidence.json cannot be read",
        ),
        (
            |s| s.prove_others(),
            "its evidence is of another rollout file",
        ),
    ];
    for (change, expected) in cases {
        let refused = carried(&changed(change), &trust).unwrap_err();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
    let mut without = Sample::unsigned();
    without.artefacts.clear();
    carried(&without.bytes(), &trust).unwrap();
}

/// As the first release that has bundles wrote it.
#[test]
fn evidence_of_an_earlier_release_is_read() {
    let text = include_str!("tests/evidence.json");
    let evidence = Evidence::parse(text).unwrap();
    let rollout = evidence.rollout.as_ref().unwrap();
    assert_eq!(rollout.waves[0].passed, 3);
    assert_eq!(
        (evidence.denials.len(), evidence.denied_widely().count()),
        (1, 0)
    );
    let again = Evidence::parse(&evidence.text().unwrap());
    assert_eq!(again.unwrap(), evidence);
}

#[test]
fn what_evidence_tells_people_does_not_move_their_cursor() {
    let text = include_str!("tests/evidence.json");
    let evil = text.replace("the brake stopped it", "\\u001b[2J");
    let evidence = Evidence::parse(&evil).unwrap();
    let reason = evidence.rollout.unwrap().reason;
    assert!(!reason.chars().any(char::is_control), "{reason:?}");
}
