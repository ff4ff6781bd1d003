//! Whom the host's people trust: what is staged and run must be what one of them signed.
//!
//! A coordinator passes on what operators signed, and that it is what they signed is judged here alone, by
//! the agent's own file of keys and by what it knows itself of its host. A way back needs no signature: it
//! leads to what the host's own records hold.

use crate::{
    actions::StageRequest,
    config::{Settings, WarrantPolicy},
    warrants::Warrants,
};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    id::Generation,
    inventory::Host,
    order::{Direction, Order},
    report::{Refusal, ReportBody},
    signers::SignersError,
    statement::{Change, Signed},
    time::Timestamp,
};
use cofferdam_proto::{
    error_chain,
    session::Papers,
    signature::{Checked, SignatureError, Signers},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Whom the host's people trust.
#[derive(Debug, Default)]
pub struct Trust {
    /// The file of allowed signers. Absent: anybody is trusted.
    signers: Option<PathBuf>,
    /// What the agent knows of its host. Absent: it has not looked yet.
    host: Option<Host>,
    /// What was found good last: a rollout's hosts are told the same again and again.
    last: Option<Found>,
    /// Whether the control plane's word is needed too.
    warrants: Warrants,
}

/// A signature that was found good.
#[derive(Debug)]
struct Found {
    signed: Signed,
    /// Of the file's text that it was found good by.
    signers: Digest,
    checked: Checked,
}

/// Why the file of allowed signers is of no use.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is not what it should be.
    #[error(transparent)]
    Malformed(#[from] SignersError),
}

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
enum Distrust {
    #[error("nobody signed it, and this host takes only what is signed")]
    NotSigned,
    #[error("the host has not looked at itself yet")]
    NotLooked,
    #[error(transparent)]
    Signers(#[from] TrustError),
    #[error("its signature does not count here: {0}")]
    Signature(#[from] SignatureError),
    #[error("it is not what {signer} signed: {why}")]
    NotCovered { signer: String, why: String },
}

impl Trust {
    /// Trusts those whom a file names. Without one, anybody.
    pub fn in_signers(signers: Option<PathBuf>) -> Self {
        Self {
            signers,
            ..Self::default()
        }
    }

    /// The same, which needs the control plane's word too, or not.
    #[must_use]
    pub fn demanding(self, warrants: Warrants) -> Self {
        Self { warrants, ..self }
    }

    /// Takes in what the agent found out about its host.
    pub(crate) fn know(&mut self, host: Host) {
        self.host = Some(host);
    }

    /// Judges an order: it is what somebody signed and the control plane granted, or a way back. `seen` is the newest
    /// generation of which an order of this rollout and cell was accepted; absent: there was none. The generation
    /// that was signed; nothing: nobody looked.
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) fn admits(
        &mut self,
        order: &Order,
        papers: &Papers,
        seen: Option<Generation>,
        now: Timestamp,
    ) -> Result<Option<Generation>, Refusal> {
        if order.direction == Direction::Rollback {
            return Ok(None);
        }
        let judged = self.judge(&Change::from(order), papers.signed.as_ref(), now);
        let judged = judged.map_err(failure);
        let proof = papers.warrant.as_deref();
        let judged = judged.and_then(|()| self.warrants.judge(order, proof, seen, now));
        judged.map_err(|failure| Refusal::Impossible { failure })
    }

    /// What is said instead of staging. Nothing: it is what somebody signed.
    pub(crate) fn refuses_to_stage(
        &mut self,
        request: &StageRequest,
        signed: Option<&Signed>,
        now: Timestamp,
    ) -> Option<ReportBody> {
        let judged = self.judge(&Change::from(request), signed, now);
        let failure = judged.err().map(failure)?;
        tracing::warn!(rollout = %request.rollout, %failure, "not staged");
        Some(ReportBody::Staged {
            rollout: request.rollout.clone(),
            lock_digest: request.lock_digest,
            failure: Some(failure),
        })
    }

    fn judge(
        &mut self,
        change: &Change<'_>,
        signed: Option<&Signed>,
        now: Timestamp,
    ) -> Result<(), Distrust> {
        let Some(path) = &self.signers else {
            return Ok(());
        };
        let host = self.host.as_ref().ok_or(Distrust::NotLooked)?;
        let signed = signed.ok_or(Distrust::NotSigned)?;
        let text = text(path)?;
        let counts = |last: &Found| last.is_of(signed, &text) && last.counts(now);
        let known = self.last.take().filter(counts);
        let found = match known {
            Some(found) => found,
            None => Found::look(path, &text, signed, now)?,
        };
        let checked = &self.last.insert(found).checked;
        let covered = checked.statement.covers(change, host, now);
        covered.map_err(|why| Distrust::NotCovered {
            signer: checked.signer.name.clone(),
            why: why.to_string(),
        })
    }
}

impl Found {
    fn look(path: &Path, signers: &str, signed: &Signed, now: Timestamp) -> Result<Self, Distrust> {
        let checked = read(path, signers)?.check(signed, now)?;
        let (rollout, signer) = (&checked.statement.rollout, &checked.signer.name);
        tracing::info!(%rollout, signer, "signed");
        Ok(Self {
            signed: signed.clone(),
            signers: Digest::of(signers),
            checked,
        })
    }

    fn is_of(&self, signed: &Signed, signers: &str) -> bool {
        self.signed == *signed && self.signers == Digest::of(signers)
    }

    /// Whether the key still counts.
    fn counts(&self, now: Timestamp) -> bool {
        self.checked.signer.may_sign(now).is_ok()
    }
}

/// Says in the log what is wrong with the file of allowed signers, and warns where there is none. It keeps
/// no agent from starting: one that trusts nobody still brings its host back into traffic.
pub fn check(settings: &Settings) {
    if settings.warrants == WarrantPolicy::Off {
        tracing::warn!(
            "`warrants` is not \"required\": this host takes orders that the control plane did not grant"
        );
    }
    let Some(path) = &settings.allowed_signers else {
        tracing::warn!("`allowed_signers` is not set: this host takes rollouts that nobody signed");
        return;
    };
    if let Err(error) = text(path).and_then(|text| read(path, &text)) {
        tracing::error!("no rollout is taken: {}", error_chain(&error));
    }
}

/// The file is read each time, so that a key which was taken out of it counts no more.
fn text(path: &Path) -> Result<String, TrustError> {
    fs::read_to_string(path).map_err(|source| TrustError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

fn read(path: &Path, text: &str) -> Result<Signers, TrustError> {
    Ok(Signers::parse(&path.display().to_string(), text)?)
}

fn failure(distrust: Distrust) -> Failure {
    Failure::new(FailureKind::NotSigned, error_chain(&distrust).to_string())
}
