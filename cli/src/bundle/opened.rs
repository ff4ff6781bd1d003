//! A bundle that was read to its end, each byte of it as its manifest says.

use super::{
    archive::Reader,
    entry::EntryName,
    manifest::{Entry, MANIFEST, MANIFEST_SIGNATURE, MAX_MANIFEST, Manifest},
    trust::Trust,
};
use anyhow::{Context as _, Result, bail};
use cofferdam_engine::digest::Digest;
use cofferdam_proto::convert::bounds::MAX_SIGNATURE_BYTES;
use std::{collections::BTreeMap, io::Read};

/// A bundle whose content is what its manifest says.
#[derive(Debug)]
pub struct Opened {
    /// What it says of itself.
    pub manifest: Manifest,
    /// The same as it was signed.
    pub manifest_text: String,
    /// The signature over that. Absent: nobody signed it.
    pub signature: Option<String>,
    /// Who signed it. Absent: nobody, or who read it took it without.
    pub signer: Option<String>,
    /// Where its artefacts are.
    pub artefacts: Vec<Place>,
    texts: BTreeMap<EntryName, String>,
}

/// Where an artefact is in the bundle's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// How many bytes of the file are before them.
    pub at: u64,
}

impl Opened {
    /// Reads a bundle to its end. Its signature is judged before anything that it is over.
    ///
    /// # Errors
    /// When it is not whole, or not what its manifest says, or its signature does not count.
    pub fn read(file: impl Read, trust: &Trust) -> Result<Self> {
        let mut reader = Reader::new(file);
        let size = reader.unmeasured(MANIFEST, MAX_MANIFEST)?;
        let manifest_text = text(MANIFEST, reader.content(size)?)?;
        let manifest = Manifest::parse(&manifest_text)?;
        let signature = match manifest.signed {
            true => Some(signature(&mut reader)?),
            false => None,
        };
        let signer = trust.of_manifest(&manifest_text, signature.as_deref())?;
        let (mut artefacts, mut texts) = (Vec::new(), BTreeMap::new());
        for entry in &manifest.entries {
            reader.header(&entry.name.to_string(), entry.size)?;
            match entry.name {
                EntryName::Artefact(digest) => {
                    let (size, at) = (entry.size, reader.at());
                    check(entry, reader.digest(size)?)?;
                    artefacts.push(Place { digest, size, at });
                }
                EntryName::Rollout
                | EntryName::Lock
                | EntryName::Statement
                | EntryName::Signature
                | EntryName::Evidence => {
                    let content = reader.content(entry.size)?;
                    check(entry, Digest::of(&content))?;
                    let content = text(&entry.name.to_string(), content)?;
                    texts.insert(entry.name, content);
                }
            }
        }
        reader.finish()?;
        Ok(Self {
            manifest,
            manifest_text,
            signature,
            signer,
            artefacts,
            texts,
        })
    }

    /// The text of an entry. Nothing of one that is not there, and of artefacts.
    pub fn text(&self, name: EntryName) -> Option<&str> {
        self.texts.get(&name).map(String::as_str)
    }
}

fn signature(reader: &mut Reader<impl Read>) -> Result<String> {
    let size = reader.unmeasured(MANIFEST_SIGNATURE, MAX_SIGNATURE_BYTES as u64)?;
    text(MANIFEST_SIGNATURE, reader.content(size)?)
}

fn check(entry: &Entry, found: Digest) -> Result<()> {
    let Entry { name, sha256, .. } = entry;
    if found != *sha256 {
        bail!("{name} is damaged: its digest is {found}, and {MANIFEST} says {sha256}");
    }
    Ok(())
}

fn text(name: &str, content: Vec<u8>) -> Result<String> {
    String::from_utf8(content).with_context(|| format!("{name} is no text"))
}
