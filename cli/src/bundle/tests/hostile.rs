//! Tars that somebody made to be more than a bundle.

use super::sample::{Sample, said, trusting};
use crate::bundle::{
    archive::Writer,
    opened::Opened,
    trust::{Trust, Unsigned},
};
use tar::{EntryType, Header};

fn refused(bytes: &[u8]) -> String {
    let trust = Trust {
        unsigned: Unsigned::Taken,
        ..trusting()
    };
    said(&Opened::read(bytes, &trust).unwrap_err())
}

/// A good manifest, and whatever follows it.
fn followed_by(entries: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut tar = Writer::new(Vec::new());
    let manifest = Sample::unsigned().manifest();
    tar.entry("manifest.json", manifest.as_bytes()).unwrap();
    let mut bytes = tar.finish().unwrap();
    bytes.truncate(bytes.len() - 1024);
    entries(&mut bytes);
    bytes.extend([0; 1024]);
    bytes
}

fn header(path: &str, size: u64, kind: EntryType) -> Vec<u8> {
    let mut header = Header::new_ustar();
    // `set_path` refuses what hostile tars have.
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[test]
fn what_the_manifest_does_not_say_comes_next_is_refused_by_its_name() {
    let rollout = "rollout.toml";
    let file = EntryType::Regular;
    let cases = [
        (
            header("/etc/passwd", 0, file),
            "a file /etc/passwd of 0 bytes",
        ),
        (header("../../up", 0, file), "a file ../../up of 0 bytes"),
        (header("lock", 0, file), "a file lock of 0 bytes"),
        (
            header(rollout, 1 << 40, file),
            "a file rollout.toml of 1099511627776 bytes",
        ),
        (
            header(rollout, 0, EntryType::Symlink),
            "a link rollout.toml",
        ),
        (header(rollout, 0, EntryType::Link), "a link rollout.toml"),
        (
            header(rollout, 0, EntryType::Directory),
            "a folder rollout.toml",
        ),
        (
            header(rollout, 0, EntryType::XHeader),
            "a special entry rollout.toml",
        ),
        (header("\u{1b}[2J", 0, file), "a file \\u{1b}[2J"),
        (vec![b'x'; 512], "nothing that a bundle has"),
        (Vec::new(), "its end"),
    ];
    for (next, expected) in cases {
        let bytes = followed_by(|bytes| bytes.extend(next));
        let refused = refused(&bytes);
        assert!(refused.contains(expected), "{expected}: {refused}");
        assert!(
            refused.contains("where a plain file rollout.toml of "),
            "{refused}"
        );
    }
}

/// What is changed in a manifest that says so, to what, and why it is refused then.
const CHANGES: [[&str; 3]; 12] = [
    [r#""lock""#, r#""../lock""#, "`../lock` is no entry"],
    [r#""lock""#, r#""/lock""#, "`/lock` is no entry"],
    [
        r#""lock""#,
        r#""rollout.toml""#,
        "rollout.toml stands twice",
    ],
    [
        r#""statement""#,
        r#""evidence.json""#,
        "or not in its place",
    ],
    [r#""format": 1"#, r#""format": 2"#, "is of format 2"],
    [r#""format": 1"#, r#""format": -1"#, "cannot be read"],
    [r#""signed": false"#, r#""signed": 0"#, "cannot be read"],
    [
        r#""in": "example.org""#,
        r#""in": "\u001b""#,
        "a line of at most",
    ],
    [
        r#""rollout","#,
        r#""results","#,
        "rollout.toml is not what results",
    ],
    [
        "artefacts/sha256/",
        "artefacts/SHA256/",
        "is no entry of a bundle",
    ],
    [": 1024", ": 18446744073709551615", "at most 1099511627776"],
    [r#""kind""#, r#""more": 1, "kind""#, "unknown field"],
];

#[test]
fn a_manifest_that_says_more_than_a_bundle_has_is_refused() {
    let sample = Sample::unsigned();
    let manifest = sample.manifest();
    for [from, to, expected] in CHANGES {
        let changed = manifest.replacen(from, to, 1);
        assert_ne!(changed, manifest, "{from}");
        let refused = refused(&sample.with_manifest(&changed));
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
}

#[test]
fn a_size_that_lies_takes_no_memory() {
    let bytes = [
        header("manifest.json", 32 << 20, EntryType::Regular),
        vec![b' '; 512],
    ]
    .concat();
    assert!(refused(&bytes).contains("cut off at byte 1024"));
    let bytes = header("manifest.json", (32 << 20) + 1, EntryType::Regular);
    assert!(refused(&bytes).contains("at most 33554432 are read"));
}
