//! The rollout file: an operator's order, as a type that cannot be invalid.
//!
//! A [`Spec`] is read from TOML in three stages: the text becomes a fragment, in which each key is
//! checked alone and may be absent; the fragment is merged with the defaults of
//! [`policy`](crate::policy); the whole is checked where keys depend on each other. Every mistake
//! of every stage is reported at once.

mod coverage;
mod fan;
mod fixed;
mod limit;
mod patch;
mod refusal;
mod settings;
#[cfg(test)]
mod tests;
mod text;
mod traffic;
mod waiver;
mod wave;
mod window;

pub(crate) use patch::{CONFFILE_POLICIES, KERNEL_FALLBACKS, REBOOTS, RESTARTS};
pub(crate) use text::word;

pub use fan::{Fan, FanRegion};
pub use limit::Limit;
pub use refusal::Refusal;
pub use waiver::Waiver;
pub use wave::{Wave, WaveSize};
pub use window::WindowRule;

use self::{limit::Limits, patch::PatchFragment, settings::Settings, wave::WaveFragment};
use crate::{
    coverage::Coverage,
    document::{self, Mistakes, Table, quote},
    id::{OperatorId, RolloutId},
    patch::{ConffilePolicies, KernelFallback, Patch, RebootPolicy, RestartPolicy},
    policy::{
        BrakeRule, Deadlines, Health, LateJoin, OnHostFailure, Pace, Profile, Retry, RollbackPace,
        Severity,
    },
    select::Selection,
    share::Share,
    traffic::TrafficWish,
};
use std::{collections::BTreeSet, time::Duration};

/// A rollout as its file orders it, with every default filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    name: RolloutId,
    patch: Patch,
    reboot: RebootPolicy,
    restart: RestartPolicy,
    kernel_fallback: KernelFallback,
    conffiles: ConffilePolicies,
    one_way: bool,
    selection: Selection,
    waves: Vec<Wave>,
    limits: Vec<Limit>,
    windows: Vec<WindowRule>,
    waivers: Vec<Waiver>,
    settings: Settings,
}

/// Every mistake of a rollout file.
pub type SpecErrors = Mistakes<Refusal>;

/// The most waves, limits, windows or waivers that a file may have (guess: no rollout has a tenth of it).
const MAX_TABLES: usize = 1_000;

/// The tables of a kind, of which a file has at most [`MAX_TABLES`]. Nothing when it has none.
fn few_tables<'d>(
    top: &mut Table<'d, Refusal>,
    key: &'static str,
) -> Option<Vec<Table<'d, Refusal>>> {
    let mut tables = top.tables(key, &format!("[[{key}]]"))?;
    if tables.len() > MAX_TABLES {
        top.refuse(key, Refusal::TooMany(tables.len()));
        tables.truncate(MAX_TABLES);
    }
    Some(tables)
}

/// Keys at the top of a file whose part is not built.
const NOT_BUILT: [&str; 5] = ["alerts", "breaker", "cache", "checkpoint", "gates"];

impl Spec {
    /// Reads a rollout file; `file` is what its mistakes call it.
    ///
    /// # Errors
    /// Every mistake of the file, when there is any.
    pub fn parse(file: &str, text: &str) -> Result<Self, SpecErrors> {
        document::read(file, text, read)
    }

    /// The rollout's name.
    pub fn name(&self) -> &RolloutId {
        &self.name
    }

    /// What it changes.
    pub fn patch(&self) -> &Patch {
        &self.patch
    }

    /// The same rollout with a patch that changes nothing.
    pub(crate) fn without_patch(&self) -> Self {
        Self {
            patch: Patch::Noop,
            ..self.clone()
        }
    }

    /// Whether runs may reboot.
    pub fn reboot(&self) -> RebootPolicy {
        self.reboot
    }

    /// Whether runs restart units that still run what was replaced.
    pub fn restart(&self) -> RestartPolicy {
        self.restart
    }

    /// How hosts come back from a new kernel that does not boot. Where no run may reboot, no kernel is booted.
    pub fn kernel_fallback(&self) -> KernelFallback {
        match self.reboot {
            RebootPolicy::Never => KernelFallback::None,
            RebootPolicy::IfRequired | RebootPolicy::Always => self.kernel_fallback,
        }
    }

    /// What becomes of config files that came with a package and were changed on a host. Empty: the
    /// host's own stay.
    pub fn conffiles(&self) -> &ConffilePolicies {
        &self.conffiles
    }

    /// Whether a patch without a proved way back is allowed.
    pub fn is_one_way(&self) -> bool {
        self.one_way
    }

    /// Which hosts it is for.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Its waves in order. Not empty.
    pub fn waves(&self) -> &[Wave] {
        &self.waves
    }

    /// Its limits in order. Each host has one: the first that matches it.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// Its windows in order. A host that some match is started in one of those; a host that none
    /// matches, at any time. May be empty.
    pub fn windows(&self) -> &[WindowRule] {
        &self.windows
    }

    /// What its first wave need not prove, in order of the file.
    pub fn waivers(&self) -> &[Waiver] {
        &self.waivers
    }

    /// How fast hosts and cells are started, where wave and limit say nothing else.
    pub fn pace(&self) -> &Pace {
        &self.settings.pace
    }

    /// In which order the regions of its waves open, where `pace` orders them by fan.
    pub fn fan(&self) -> &Fan {
        &self.settings.fan
    }

    /// How long each part of a run may take.
    pub fn deadlines(&self) -> &Deadlines {
        &self.settings.deadlines
    }

    /// When a host counts as healthy.
    pub fn health(&self) -> &Health {
        &self.settings.health
    }

    /// What it says of how traffic leaves its hosts and comes back.
    pub fn traffic(&self) -> &TrafficWish {
        &self.settings.traffic
    }

    /// Whether and when a host is tried again.
    pub fn retry(&self) -> &Retry {
        &self.settings.retry
    }

    /// How fast it is taken back.
    pub fn rollback(&self) -> &RollbackPace {
        &self.settings.rollback
    }

    /// When it pauses by itself.
    pub fn brake(&self) -> &BrakeRule {
        &self.settings.brake
    }

    /// The share of a wave's hosts that may be left out without holding the wave; at least one host
    /// always may.
    pub fn hosts_left_out(&self) -> Share {
        self.settings.hosts_left_out
    }

    /// How long a warrant allows starts without being renewed.
    pub fn warrant(&self) -> Duration {
        self.settings.warrant
    }

    /// How long a cell is not heard of before it is unknown.
    pub fn unknown_after(&self) -> Duration {
        self.settings.unknown_after
    }

    /// What makes strata.
    pub fn coverage(&self) -> &Coverage {
        &self.settings.coverage
    }

    /// The operators who may approve what needs it. Empty: nobody.
    pub fn approvers(&self) -> &BTreeSet<OperatorId> {
        &self.settings.approvers
    }

    /// What becomes of hosts that match and connect after the start.
    pub fn late_join(&self) -> LateJoin {
        self.settings.late_join
    }

    /// Whether it stays when its waves are over, for hosts that are born later or come back.
    pub fn is_standing(&self) -> bool {
        self.settings.standing
    }

    /// How bad what the patch cures is.
    pub fn severity(&self) -> Severity {
        self.settings.severity
    }

    /// How carefully it goes.
    pub fn profile(&self) -> Profile {
        self.settings.profile
    }

    /// Whether it takes casualties too, to make them whole again.
    pub fn is_repair(&self) -> bool {
        self.settings.repair
    }

    /// What happens by itself when a host's patch fails.
    pub fn on_host_failure(&self) -> OnHostFailure {
        self.settings.on_host_failure
    }
}

/// Every key at the top of a rollout file that has a default, with that default as a file says it,
/// then the defaults of patch, waves and limits.
pub fn defaults() -> Vec<(&'static str, String)> {
    let mut defaults = Settings::default().entries();
    defaults.extend([
        ("patch.reboot", quote(text::reboot(RebootPolicy::default()))),
        (
            "patch.restart",
            quote(text::restart(RestartPolicy::default())),
        ),
        (
            "patch.kernel_fallback",
            quote(text::kernel_fallback(KernelFallback::default())),
        ),
        ("patch.one_way", false.to_string()),
        ("wave", text::default_waves()),
        ("limits", text::default_limits()),
        ("window", "[]".to_owned()),
    ]);
    defaults
}

/// Reads the top of a rollout file. Nothing when a mistake was noted that prevents it.
fn read(mut top: Table<'_, Refusal>) -> Option<Spec> {
    top.require("name", "name = \"openssl-2026-11\"");
    top.require("patch", "[patch]");
    top.require("select", "[select]");
    let name = top.text("name", |text| RolloutId::new(text));
    let patch = top.table("patch", "[patch]").map(PatchFragment::read);
    let selection = top.table("select", "[select]").and_then(selection);
    let settings = Settings::read(&mut top);
    let waves = WaveFragment::read_all(&mut top, settings.profile);
    let waves = wave::check(&waves, &settings);
    let limits = Limits::read(&mut top, &settings);
    let windows = WindowRule::read_all(&mut top);
    let waivers = waiver::read_all(&mut top);
    if top.has("floor") {
        top.know(&["floor"]);
        top.refuse("floor", Refusal::FloorOutsideLimits);
    }
    fixed::refuse(&mut top);
    top.finish(&NOT_BUILT, &[]);
    let patch = patch?;
    Some(Spec {
        name: name?,
        patch: patch.patch?,
        reboot: patch.reboot,
        restart: patch.restart,
        kernel_fallback: patch.kernel_fallback,
        conffiles: patch.conffiles,
        one_way: patch.one_way,
        selection: selection?,
        waves: waves?,
        limits: limits?,
        windows: windows?,
        waivers: waivers?,
        settings,
    })
}

fn selection(mut table: Table<'_, Refusal>) -> Option<Selection> {
    table.require("match", "match = 'service == \"web\"'");
    let selection = table.selection("match");
    table.finish(&["exclude", "hosts"], &settings_keys());
    selection
}

fn settings_keys() -> Vec<&'static str> {
    let entries = Settings::default().entries();
    entries.into_iter().map(|(key, _)| key).collect()
}
