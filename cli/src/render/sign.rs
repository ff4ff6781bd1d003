//! What is signed, and what became of it.

use crate::render::{View, table::indented};
use cofferdam_engine::{
    id::RolloutId,
    patch::{LockFile, Locked, LockedFile},
    signers::NAMESPACE,
    statement::Statement,
};
use serde::Serialize;
use std::path::PathBuf;

/// The most packages of a platform that are shown; the lock file has all.
const SHOWN_PACKAGES: usize = 40;

/// What is about to be signed.
#[derive(Debug, Serialize)]
pub struct ToSign {
    /// The statement.
    statement: String,
    /// What stands behind its bits, a part for each platform.
    bits: Vec<String>,
}

impl ToSign {
    /// A statement, and the lock file that it names.
    pub fn of(statement: &Statement, lock: &LockFile) -> Self {
        Self {
            statement: statement.to_string(),
            bits: bits(lock),
        }
    }
}

fn bits(lock: &LockFile) -> Vec<String> {
    let platforms = match &lock.content {
        Locked::Packages { platforms } => platforms,
        Locked::Config(files) => {
            let lines = files.iter().map(|locked| {
                let LockedFile { sha256, size } = &locked.file;
                let of = locked.of.as_ref();
                let path = of.map_or_else(String::new, |of| format!("{} ", of.path.display()));
                format!("{path}sha256 {sha256}, {size} bytes\n")
            });
            return vec![lines.collect()];
        }
        Locked::Noop => return Vec::new(),
    };
    let part = platforms.iter().map(|entry| {
        let shown = entry.packages.iter().take(SHOWN_PACKAGES);
        let mut lines: String = shown
            .map(|p| format!("  {} {}\n", p.name, p.version))
            .collect();
        match entry.packages.len().saturating_sub(SHOWN_PACKAGES) {
            0 => {}
            more => lines += &format!("  and {more} more\n"),
        }
        format!("{}\n{lines}", entry.platform)
    });
    part.collect()
}

impl View for ToSign {
    fn text(&self) -> String {
        let statement = indented(&self.statement);
        format!("What you sign\n{statement}\n{}", self.bits.join("\n"))
    }
}

/// A signature that was written.
#[derive(Debug, Serialize)]
pub struct Written {
    /// The rollout.
    pub rollout: RolloutId,
    /// Where what was signed is.
    pub statement_file: PathBuf,
    /// Where the signature is.
    pub signature_file: PathBuf,
    /// The public key that signed.
    pub key: String,
}

impl View for Written {
    fn text(&self) -> String {
        let (statement, signature) = (self.statement_file.display(), self.signature_file.display());
        format!(
            "{}: signed, in {statement} and {signature}\n\
             it counts where allowed signers have: NAME namespaces=\"{NAMESPACE}\" {}\n",
            self.rollout, self.key
        )
    }
}

/// A signature that counts.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// The rollout.
    pub rollout: RolloutId,
    /// Who signed it.
    pub signer: String,
    /// The last day on which hosts are changed by it.
    pub until: String,
}

impl View for Verified {
    fn text(&self) -> String {
        let Self {
            rollout,
            signer,
            until,
        } = self;
        format!("{rollout}: signed by {signer}, good until {until}\n")
    }
}
