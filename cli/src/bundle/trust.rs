//! Whose signatures count on a bundle, and what may come without one.
//!
//! A signature that is there is always checked, so it takes a file of signers. One that is not there is refused
//! unless that was asked for by name: who carries a bundle may take its signature off, and nothing else that is in
//! it would be proved then but the bits of a signed rollout.

use crate::exit::UsageError;
use anyhow::{Context as _, Result, ensure};
use cofferdam_engine::{signers::BUNDLE_NAMESPACE, statement::Signed, time::Timestamp};
use cofferdam_proto::signature::{self, Checked, Signers};

/// What is taken as proof.
#[derive(Debug)]
pub struct Trust {
    /// Whose signatures count. Absent: nobody's.
    pub signers: Option<Signers>,
    /// What becomes of bundles that nobody signed.
    pub unsigned: Unsigned,
    /// When signatures are judged.
    pub now: Timestamp,
}

/// What becomes of bundles that nobody signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// They are refused.
    Refused,
    /// They are taken.
    Taken,
}

impl Trust {
    /// Who signed a manifest. Nothing: nobody did, and that is taken.
    ///
    /// # Errors
    /// When its signature does not count, or there is none and that is not taken.
    pub fn of_manifest(&self, text: &str, signature: Option<&str>) -> Result<Option<String>> {
        let Some(signature) = signature else {
            return match self.unsigned {
                Unsigned::Taken => Ok(None),
                Unsigned::Refused => Err(UsageError(
                    "nobody signed this bundle: --unsigned takes it nevertheless, on the word of who brought it"
                        .to_owned(),
                )
                .into()),
            };
        };
        let signers = self.signers("the bundle")?;
        let rewritten = signature::rewritten(signature);
        let rewritten = rewritten.context("the signature of the bundle does not count")?;
        ensure!(
            rewritten == signature,
            "the signature of the bundle is not as ssh-keygen wrote it"
        );
        let signer = signers.check_text(BUNDLE_NAMESPACE, text, signature, self.now);
        let signer = signer.context("the signature of the bundle does not count")?;
        Ok(Some(signer.name.clone()))
    }

    /// Who signed a rollout, and what.
    ///
    /// # Errors
    /// When the signature does not count.
    pub fn of_rollout(&self, signed: &Signed) -> Result<Checked> {
        let checked = self.signers("the rollout")?.check(signed, self.now);
        checked.context("the signature of the rollout does not count")
    }

    fn signers(&self, what: &str) -> Result<&Signers> {
        let asked = || {
            UsageError(format!(
                "{what} is signed: say with --signers FILE whose signatures count"
            ))
        };
        Ok(self.signers.as_ref().ok_or_else(asked)?)
    }
}
