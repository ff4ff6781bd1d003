//! What a fleet knew of a rollout when its bundle was made: for people, and proof of nothing by itself.
//!
//! It is what `cofferdam status -o json` and `cofferdam deny list -o json` say, and how the strata fared.

use anyhow::{Context as _, Result};
use cofferdam_engine::{denial::Place, id::RolloutId, time::Timestamp};
use cofferdam_proto::{
    operator::{DenialView, RolloutEvidence, RolloutView},
    v1,
};
use serde::{Deserialize, Serialize};

/// What was known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// When.
    pub at_ms: Timestamp,
    /// How the rollout stood. Absent: it was not started there.
    pub rollout: Option<RolloutView>,
    /// What it proved, and with which bits. Absent: it was not started there.
    pub proved: Option<RolloutEvidence>,
    /// Where its bits were denied, or had been.
    pub denials: Vec<DenialView>,
}

impl Evidence {
    /// Its text, which [`Evidence::parse`] reads.
    ///
    /// # Errors
    /// Never, as far as is known.
    pub fn text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self);
        Ok(text.context("cannot write the evidence")? + "\n")
    }

    /// Reads it, and checks it as what a coordinator says is checked: names, lengths, lines.
    ///
    /// # Errors
    /// When it is not what a release of Cofferdam wrote.
    pub fn parse(text: &str) -> Result<Self> {
        let read: Self = serde_json::from_str(text).context("evidence.json cannot be read")?;
        read.checked().context("evidence.json cannot be read")
    }

    /// Whether it is of a rollout of this name, if it is of any.
    pub fn is_of(&self, rollout: &RolloutId) -> bool {
        let own = self.rollout.as_ref();
        own.is_none_or(|own| own.name == *rollout)
    }

    fn checked(self) -> Result<Self> {
        let rollout = self.rollout.map(v1::RolloutView::from);
        let proved = self.proved.map(v1::RolloutEvidence::from);
        let denials = v1::ListDenialsReply::from(self.denials);
        Ok(Self {
            at_ms: self.at_ms,
            rollout: rollout.map(RolloutView::try_from).transpose()?,
            proved: proved.map(RolloutEvidence::try_from).transpose()?,
            denials: denials.try_into()?,
        })
    }

    /// The denials that hold for more than a single host.
    pub fn denied_widely(&self) -> impl Iterator<Item = &DenialView> {
        let is_wide = |denial: &&DenialView| match denial.place {
            Place::Fleet | Place::Cell { .. } => denial.lifted.is_none(),
            Place::Host { .. } => false,
        };
        self.denials.iter().filter(is_wide)
    }
}
