//! Why no plan can be made, each reason with its cure.

use super::{Uncovered, list, list_strata};
use crate::{
    date::Date,
    denial::Denial,
    digest::Digest,
    id::{HostId, Region, RolloutId, WaveName},
    inventory::Platform,
    patch::VersionWish,
    select::Selection,
};
use std::fmt;

/// Every reason why no plan can be made. Not empty. Displays one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanErrors(pub Vec<PlanError>);

impl fmt::Display for PlanErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for PlanErrors {}

/// A reason why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The lock file was made for another rollout.
    #[error(
        "the lock file is of rollout {lock}, not of {spec}; make it anew with `cofferdam plan --relock`"
    )]
    OtherRollout {
        /// The rollout in the lock file.
        lock: String,
        /// The rollout that is planned.
        spec: RolloutId,
    },
    /// The lock file was made for another patch.
    #[error(
        "the lock file is of another kind of patch; make it anew with `cofferdam plan --relock`"
    )]
    OtherPatch,
    /// The lock file was made for other config files, or other sources of them.
    #[error(
        "the lock file is of other files, or of other sources; make it anew with `cofferdam plan --relock`"
    )]
    OtherFiles,
    /// The lock file does not hold what the rollout file wishes.
    #[error(
        "the rollout file wishes {package} = \"{wish}\", the lock file has {} for {platform}; make it anew with `cofferdam plan --relock`",
        locked.as_deref().unwrap_or("none")
    )]
    OtherVersion {
        /// The package.
        package: String,
        /// What the rollout file wishes.
        wish: VersionWish,
        /// The platform.
        platform: Platform,
        /// What the lock file has. Nothing: the package is not there.
        locked: Option<String>,
    },
    /// No host is selected.
    #[error(
        "no host of {known} matches `{selection}`; `cofferdam hosts -o json` shows their labels"
    )]
    NothingSelected {
        /// Which hosts the rollout is for.
        selection: Selection,
        /// How many hosts are known.
        known: usize,
    },
    /// A repair that selects no casualty.
    #[error(
        "no host that matches `{selection}` is out of service with nobody at work on it, so there is nothing to repair; take `repair` out to patch hosts that serve"
    )]
    NothingToRepair {
        /// Which hosts the rollout is for.
        selection: Selection,
    },
    /// An upgrade that none of the selected hosts needs.
    #[error("there is nothing to do: all {hosts} selected hosts have it, or lack what it upgrades")]
    NothingToDo {
        /// How many hosts.
        hosts: usize,
    },
    /// The lock file has nothing for the platform of some hosts.
    #[error(
        "the lock file has no packages for {platform}, the platform of {}; make it anew with `cofferdam plan --relock`, or leave them out with `os_release` and `architecture` in match",
        list(hosts)
    )]
    NotLocked {
        /// The platform.
        platform: Platform,
        /// The hosts.
        hosts: Vec<HostId>,
    },
    /// Some hosts are in no cell.
    #[error(
        "no cell holds {}; give such hosts the labels region, zone and service where they are enrolled, or leave them out of match",
        list(hosts)
    )]
    NoCell {
        /// The hosts.
        hosts: Vec<HostId>,
    },
    /// A fan names a region without selected hosts.
    #[error(
        "the fan names {region}, where no selected host is; they are in {}: name one of these, or take it out",
        list(known)
    )]
    NoRegion {
        /// The place of the wave whose fan it is. Absent: it is the file's.
        wave: Option<usize>,
        /// The region.
        region: Region,
        /// The regions of the selected hosts.
        known: Vec<String>,
    },
    /// A fan leaves regions out.
    #[error(
        "the fan never opens {}; give it a last turn [\"rest\"], or leave their hosts out of match",
        list(regions)
    )]
    NotInFan {
        /// The place of the wave whose fan it is. Absent: it is the file's.
        wave: Option<usize>,
        /// The regions.
        regions: Vec<String>,
    },
    /// What the rollout installs is denied to the whole fleet.
    #[error(
        "what it installs ({bits}) is {denial}; when that is no longer so, `cofferdam deny lift {bits} --reason ..`"
    )]
    Denied {
        /// The bits.
        bits: Digest,
        /// Who denied them, when and why.
        denial: Box<Denial>,
    },
    /// What the rollout installs is denied to every host that it selects.
    #[error(
        "what it installs is denied to every selected host, in their cells or for themselves, first {denial}; `cofferdam deny list` shows where, `cofferdam deny lift` ends it"
    )]
    AllDenied {
        /// The denial of the first host.
        denial: Box<Denial>,
    },
    /// The first wave lacks strata, and no waiver says that it may.
    #[error(
        "wave {wave} is the first and has no host of {}; let its match and size take one of each, leave such hosts out of select, or say in a [[waiver]] why it may",
        list_strata(strata)
    )]
    NotCovered {
        /// The first wave.
        wave: WaveName,
        /// The strata that none of its hosts is of.
        strata: Vec<Uncovered>,
    },
    /// A waiver that is over.
    #[error(
        "the waiver of {stratum} ended with {expires}; take it out, or decide anew and give it a later day"
    )]
    WaiverExpired {
        /// Its place among the file's waivers.
        place: usize,
        /// The stratum, as the file says it.
        stratum: String,
        /// Its last day.
        expires: Date,
    },
    /// Groups whose floors never let a host out.
    #[error("the floor lets no host out of {}; {cure}", list(groups))]
    Stuck {
        /// The groups, as in `service=web zone=a in r1-a-1`.
        groups: Vec<String>,
        /// Why, and so what to do.
        cure: Cure,
    },
}

/// What lets a host out of a group that lets none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Cure {
    /// The group has one host.
    #[error(
        "nothing stands in for the one host of a group: name `approvers` who may say that it may be out, leave it out of match, or give it a floor of \"0%\" in [[limits]]"
    )]
    Lone,
    /// All of the group must stay.
    #[error("all of a group must stay in service: lower its min_in_service in [[limits]]")]
    AllMustStay,
}
