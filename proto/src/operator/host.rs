//! How a host stands, and why a thing does not move.

use super::{GuardView, HoldView};
use cofferdam_engine::{
    cell::LeftBehind,
    digest::Digest,
    drift::DriftSummary,
    effect::EffectSummary,
    id::{CellId, HostId, RolloutId},
    inventory::{self, Labels, Platform},
    run::RunState,
    select::Selection,
    time::Timestamp,
};
use serde::Serialize;
use std::fmt;

/// One host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostView {
    /// Its name.
    pub host: HostId,
    /// Its cell.
    pub cell: CellId,
    /// Its labels.
    pub labels: Labels,
    /// Its distribution's release, and its architecture.
    pub platform: Platform,
    /// Its kernel. Empty: not known.
    pub kernel: String,
    /// When its session began. Absent: it is not connected.
    pub connected_since_ms: Option<Timestamp>,
    /// Whether it is in service.
    pub in_service: bool,
    /// What fails on it. Empty: nothing does.
    pub detail: String,
    /// Its entry in the ledger. Absent: it is not out.
    pub out: Option<OutView>,
    /// Its run that is not over. Absent: none.
    pub run: Option<RunView>,
    /// Its agent's version. Empty: not known.
    pub agent_version: String,
    /// What its guard told. Absent: nothing.
    pub guard: Option<GuardView>,
    /// What changed on it without an order. Absent: it told nothing.
    pub drift: Option<DriftSummary>,
    /// How far what is installed on it is in effect. Absent: it told nothing.
    pub effect: Option<EffectSummary>,
    /// What its last way back left otherwise than before. Absent: nothing, or there was none.
    pub left_behind: Option<LeftBehind>,
    /// What is installed, by its digest. Absent: the coordinator is of an earlier release.
    pub packages: Option<Digest>,
}

impl HostView {
    /// Whether a selection selects it.
    pub fn is_selected(&self, selection: &Selection) -> bool {
        let value = |name: &str| {
            let (platform, kernel) = (&self.platform, self.kernel.as_str());
            inventory::value(name, &self.host, &self.labels, platform, kernel)
        };
        selection.expr().holds(&|condition| condition.holds(&value))
    }
}

/// Why a host counts as out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutView {
    /// Who holds it.
    pub holder: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub since_ms: Timestamp,
    /// When it ends by itself. Absent: it takes an event.
    pub until_ms: Option<Timestamp>,
}

/// A run that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunView {
    /// Of which rollout.
    pub rollout: RolloutId,
    /// Where it is.
    #[serde(flatten)]
    pub state: RunState,
    /// Since when it is there.
    pub since_ms: Timestamp,
    /// Whether it takes longer than others.
    pub slow: bool,
}

/// Why a rollout, a cell or a host does not move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What was asked about.
    pub kind: SubjectKind,
    /// Its name.
    pub subject: String,
    /// The answer in one sentence.
    pub headline: String,
    /// What holds it. Empty: nothing does.
    pub lines: Vec<HoldView>,
    /// What is known of it, in the order to show it.
    pub facts: Vec<Fact>,
}

/// One thing that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What it is.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// What an explanation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// A rollout.
    Rollout,
    /// A cell.
    Cell,
    /// A host.
    Host,
}

impl fmt::Display for SubjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rollout => "rollout",
            Self::Cell => "cell",
            Self::Host => "host",
        })
    }
}
