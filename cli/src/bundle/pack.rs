//! A bundle that is being made: all but the artefacts' bytes, which are written as they come.

use super::{
    archive::Writer,
    entry::EntryName,
    manifest::{Entry, Kind, MANIFEST, MANIFEST_SIGNATURE, Made, Manifest},
};
use anyhow::{Context as _, Result, ensure};
use cofferdam_engine::{digest::Digest, id::RolloutId};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, io::Write};

/// What goes into a bundle.
#[derive(Debug)]
pub struct Pack {
    /// What it is for.
    pub kind: Kind,
    /// The rollout.
    pub rollout: RolloutId,
    /// Who makes it.
    pub made: Made,
    /// All entries but artefacts.
    pub texts: BTreeMap<EntryName, String>,
    /// The artefacts, with how many bytes each has.
    pub artefacts: BTreeMap<Digest, u64>,
}

impl Pack {
    /// Its manifest, of a bundle that is signed or is not.
    pub fn manifest(&self, is_signed: bool) -> Manifest {
        let of_text = |(name, text): (&EntryName, &String)| Entry {
            name: *name,
            size: text.len() as u64,
            sha256: Digest::of(text),
        };
        let of_artefact = |(digest, size): (&Digest, &u64)| Entry {
            name: EntryName::Artefact(*digest),
            size: *size,
            sha256: *digest,
        };
        let texts = self.texts.iter().map(of_text);
        let entries = texts.chain(self.artefacts.iter().map(of_artefact));
        let (rollout, made) = (self.rollout.clone(), self.made.clone());
        let mut manifest = Manifest::unsigned(self.kind, rollout, made, entries.collect());
        manifest.signed = is_signed;
        manifest
    }

    /// Writes all but the artefacts. They are to follow, in order of their digests.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin<W: Write>(
        &self,
        to: W,
        manifest: &str,
        signature: Option<&str>,
    ) -> Result<Packing<W>> {
        let mut tar = Writer::new(to);
        let mut write = |name: &str, text: &str| {
            let written = tar.entry(name, text.as_bytes());
            written.with_context(|| format!("cannot write {name}"))
        };
        write(MANIFEST, manifest)?;
        if let Some(signature) = signature {
            write(MANIFEST_SIGNATURE, signature)?;
        }
        for (name, text) in &self.texts {
            write(&name.to_string(), text)?;
        }
        Ok(Packing { tar, open: None })
    }
}

/// A bundle whose artefacts are being written.
#[derive(Debug)]
pub struct Packing<W> {
    tar: Writer<W>,
    open: Option<Open>,
}

/// The artefact that is being written.
#[derive(Debug)]
struct Open {
    digest: Digest,
    size: u64,
    written: u64,
    hasher: Sha256,
}

impl<W: Write> Packing<W> {
    /// Begins an artefact.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&mut self, digest: Digest, size: u64) -> Result<()> {
        let name = EntryName::Artefact(digest).to_string();
        self.tar
            .begin(&name, size)
            .context("cannot write the bundle")?;
        self.open = Some(Open {
            digest,
            size,
            written: 0,
            hasher: Sha256::new(),
        });
        Ok(())
    }

    /// Writes some bytes of the artefact.
    ///
    /// # Errors
    /// When they cannot be written, or are more than it has.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let open = self.open.as_mut().context("no artefact was begun")?;
        open.written += bytes.len() as u64;
        open.hasher.update(bytes);
        let Open { digest, size, .. } = open;
        ensure!(
            open.written <= *size,
            "artefact {digest} has more than the {size} bytes of the lock file"
        );
        self.tar.write(bytes).context("cannot write the bundle")
    }

    /// Ends the artefact, if it is what was begun.
    ///
    /// # Errors
    /// When it is not, or cannot be written.
    pub fn end(&mut self) -> Result<()> {
        let open = self.open.take().context("no artefact was begun")?;
        let found = Digest::from_bytes(open.hasher.finalize().into());
        let Open {
            digest,
            size,
            written,
            ..
        } = open;
        ensure!(
            found == digest && written == size,
            "artefact {digest} came as {written} bytes with the digest {found}"
        );
        self.tar.end(size).context("cannot write the bundle")
    }

    /// Ends the bundle.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<W> {
        self.tar.finish().context("cannot write the bundle")
    }
}
