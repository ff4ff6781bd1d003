//! A small bundle, good or made otherwise.

use crate::bundle::{
    entry::EntryName,
    evidence::Evidence,
    manifest::{Kind, Line, Made},
    opened::Opened,
    pack::Pack,
    trust::{Trust, Unsigned},
};
use crate::signing;
use cofferdam_engine::{
    digest::Digest,
    id::{OperatorId, RolloutId},
    inventory::Platform,
    lockfile,
    patch::{LockFile, Locked, LockedPackage, LockedPlatform},
    reach::Reach,
    signers::{BUNDLE_NAMESPACE, NAMESPACE},
    spec::Spec,
    statement::Statement,
    time::Timestamp,
};
use cofferdam_proto::{operator::RolloutEvidence, signature::Signers};
use std::{
    collections::BTreeMap, fs, path::PathBuf, process::Command, sync::LazyLock, time::Duration,
};

/// When all of it happens: 2026-11-28.
const NOW: Timestamp = Timestamp(1_795_824_000_000);

const ROLLOUT: &str = "name = \"tools\"\ngrace = \"0s\"\n[patch]\nkind = \"packages\"\n\
    packages = { tool = \"2\", spade = \"7\" }\n[select]\nmatch = 'service == \"web\"'\n";

/// Two keys, and the line of allowed signers that each stands in.
struct Keys {
    _folder: tempfile::TempDir,
    ana: (PathBuf, String),
    bo: (PathBuf, String),
    /// What ana signed, and the signature: ssh-keygen is slow.
    statement: (String, String),
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let key = |name: &str| {
        let key = folder.path().join(name);
        let mut keygen = Command::new("ssh-keygen");
        keygen
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&key);
        assert!(keygen.status().unwrap().success());
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        (
            key,
            format!("{name} namespaces=\"{NAMESPACE},{BUNDLE_NAMESPACE}\" {public}"),
        )
    };
    let (ana, bo) = (key("ana"), key("bo"));
    let spec = Spec::parse("rollout.toml", ROLLOUT).unwrap();
    let validity = signing::from(NOW, Duration::from_hours(24));
    let statement = Statement::of(&spec, &lock(), None, validity);
    let signed = signing::sign(&statement, &ana.0).unwrap();
    Keys {
        _folder: folder,
        ana,
        bo,
        statement: (signed.statement, signed.signature),
    }
});

/// What goes into the bundle.
pub(super) struct Sample {
    pub(super) lock: LockFile,
    pub(super) texts: BTreeMap<EntryName, String>,
    pub(super) artefacts: BTreeMap<Digest, String>,
    is_signed: bool,
}

impl Sample {
    /// A bundle that ana signed, with a rollout that ana signed.
    pub(super) fn signed() -> Self {
        Self {
            is_signed: true,
            ..Self::unsigned()
        }
    }

    /// A bundle that nobody signed, with a rollout that ana signed.
    pub(super) fn unsigned() -> Self {
        let evidence = Evidence {
            at_ms: NOW,
            rollout: None,
            proved: None,
            denials: Vec::new(),
        };
        let (statement, signature) = KEYS.statement.clone();
        let texts = BTreeMap::from([
            (EntryName::Rollout, ROLLOUT.to_owned()),
            (EntryName::Lock, lockfile::format(&lock())),
            (EntryName::Statement, statement),
            (EntryName::Signature, signature),
            (EntryName::Evidence, evidence.text().unwrap()),
        ]);
        let artefacts = contents().map(|content| (Digest::of(&content), content));
        Self {
            lock: lock(),
            texts,
            artefacts: artefacts.into(),
            is_signed: false,
        }
    }

    pub(super) fn lock_text(&self) -> String {
        self.texts[&EntryName::Lock].clone()
    }

    /// The contents of the artefacts, in their order.
    pub(super) fn contents(&self) -> Vec<&[u8]> {
        self.artefacts.values().map(String::as_bytes).collect()
    }

    pub(super) fn replace(&mut self, name: EntryName, from: &str, to: &str) {
        let text = self.texts.get_mut(&name).unwrap();
        *text = text.replacen(from, to, 1);
    }

    /// Loses the bits of `tool`.
    pub(super) fn lose_artefact(&mut self) {
        let [tool, _] = contents();
        self.artefacts.remove(&Digest::of(tool)).unwrap();
    }

    pub(super) fn add_artefact(&mut self, content: &str) {
        let content = content.to_owned();
        self.artefacts.insert(Digest::of(&content), content);
    }

    /// Has evidence of other bits.
    pub(super) fn prove_others(&mut self) {
        let text = &self.texts[&EntryName::Evidence];
        let mut evidence = Evidence::parse(text).unwrap();
        evidence.proved = Some(RolloutEvidence {
            rollout_digest: Digest::of("another"),
            strata: Vec::new(),
        });
        self.texts
            .insert(EntryName::Evidence, evidence.text().unwrap());
    }

    pub(super) fn pack(&self) -> Pack {
        let sizes = self.artefacts.iter();
        let sizes = sizes.map(|(digest, content)| (*digest, content.len() as u64));
        Pack {
            kind: Kind::Rollout,
            rollout: RolloutId::new("tools").unwrap(),
            made: Made {
                by: OperatorId::new("ana").unwrap(),
                fleet: Line::of("example.org"),
                at_ms: NOW,
                release: Line::of("0.1.0"),
            },
            texts: self.texts.clone(),
            artefacts: sizes.collect(),
        }
    }

    pub(super) fn manifest(&self) -> String {
        self.pack().manifest(self.is_signed).text().unwrap()
    }

    /// The bundle.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.with_manifest(&self.manifest())
    }

    /// The same with another manifest, signed as the own one is.
    pub(super) fn with_manifest(&self, manifest: &str) -> Vec<u8> {
        let sign = || signing::sign_text(manifest, BUNDLE_NAMESPACE, &KEYS.ana.0).unwrap();
        let signature = self.is_signed.then(sign);
        let mut packing = self
            .pack()
            .begin(Vec::new(), manifest, signature.as_deref())
            .unwrap();
        for (digest, content) in &self.artefacts {
            packing.begin(*digest, content.len() as u64).unwrap();
            packing.write(content.as_bytes()).unwrap();
            packing.end().unwrap();
        }
        packing.finish().unwrap()
    }
}

/// The bits of `tool` and of `spade`: one fills whole blocks, the other does not.
fn contents() -> [String; 2] {
    ["tool".repeat(256), "spade".repeat(100)]
}

fn lock() -> LockFile {
    let [tool, spade] = contents();
    let package = |name: &str, version: &str, content: &String| LockedPackage {
        name: name.to_owned(),
        version: version.to_owned(),
        sha256: Digest::of(content),
        size: content.len() as u64,
    };
    let platform = Platform {
        os_release: "debian-12".to_owned(),
        architecture: "amd64".to_owned(),
    };
    let platforms = vec![LockedPlatform {
        platform,
        packages: vec![package("spade", "7", &spade), package("tool", "2", &tool)],
        reach: Reach::Every,
        fixes: None,
    }];
    LockFile {
        rollout: "tools".to_owned(),
        content: Locked::Packages { platforms },
    }
}

/// Takes what ana signed, and nothing else.
pub(super) fn trusting() -> Trust {
    trusting_line(&KEYS.ana.1)
}

/// Takes what bo signed, and nothing else.
pub(super) fn trusting_others() -> Trust {
    trusting_line(&KEYS.bo.1)
}

fn trusting_line(line: &str) -> Trust {
    Trust {
        signers: Some(Signers::parse("signers", line).unwrap()),
        unsigned: Unsigned::Refused,
        now: NOW,
    }
}

/// Why a bundle is refused.
pub(super) fn read(bytes: &[u8]) -> Result<(), String> {
    let opened = Opened::read(bytes, &trusting());
    opened.map(|_| ()).map_err(|error| said(&error))
}

/// An error with its causes.
pub(super) fn said(error: &anyhow::Error) -> String {
    format!("{error:#}")
}
