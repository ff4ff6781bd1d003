//! What an operator should know before a rollout starts.

use super::list;
use crate::{
    id::{HostId, WaveName},
    policy::Profile,
    stratum::Stratum,
};
use serde::{Deserialize, Serialize};

/// What an operator should know before the start. Displays as one plain sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "warning", rename_all = "kebab-case")]
pub enum Warning {
    /// Bakes pass by time alone.
    #[error(
        "no gate watches the patched hosts of {}: a bake passes when its time is over, so look at them yourself before it is, or pause",
        list(services)
    )]
    NoGate {
        /// The services that are not watched. Until gates are built all of the planned hosts'.
        #[serde(default)]
        services: Vec<String>,
    },
    /// The rollout is a repair.
    #[error(
        "it is a repair: it takes selected hosts that are out of service with nobody at work on them, and no others; they serve again once they pass"
    )]
    Repair,
    /// Hosts whose labels say another place than their cell's.
    #[error(
        "{} moved to another zone and are in a cell of their old one, where their floors count them apart from their new neighbours; `cofferdam hosts forget` each while no rollout is at work on it: it gets its new cell when it connects",
        list(hosts)
    )]
    Moved {
        /// The hosts.
        hosts: Vec<HostId>,
    },
    /// The first wave takes more hosts than its size says, to have one of every stratum.
    #[error(
        "wave {wave} takes {takes} hosts, its size says {sized}: at least one host of every stratum and region, and every validator, is in the first wave; for a smaller one take labels out of coverage, or waive strata under a size in hosts"
    )]
    CanaryGrew {
        /// The first wave.
        wave: WaveName,
        /// How many hosts it takes.
        takes: usize,
        /// How many its size says.
        sized: usize,
    },
    /// The package delta makes no stratum.
    #[error(
        "coverage leaves out delta: hosts that the patch changes in different ways count as alike; add it"
    )]
    DeltasNotCovered,
    /// What is installed on some hosts is not known.
    #[error(
        "the packages of {hosts} hosts are not known: they count as alike only where their digest is the same; each host tells them when it is connected, so plan again then"
    )]
    DeltasNotKnown {
        /// How many.
        hosts: usize,
    },
    /// A waiver of a stratum that no planned host is of.
    #[error("no planned host is of {stratum}, which a waiver names: correct it, or take it out")]
    WaiverOfNobody {
        /// Its place among the file's waivers.
        place: usize,
        /// The stratum, as the file says it.
        stratum: String,
    },
    /// A waiver of a stratum that the first wave has.
    #[error("the waiver of {stratum} is not needed, the first wave has a host of it: take it out")]
    WaiverNotNeeded {
        /// Its place among the file's waivers.
        place: usize,
        /// The stratum.
        stratum: String,
    },
    /// Hosts to which the bits are denied.
    #[error(
        "{} stay as they are: their bits are {}; `cofferdam deny lift` lets them take part",
        list(hosts),
        list(whys)
    )]
    Denied {
        /// The hosts.
        hosts: Vec<HostId>,
        /// Who denied them and why, each once.
        whys: Vec<String>,
    },
    /// Only the patcher's own hosts, which the last wave takes, are of some strata.
    #[error(
        "wave {wave} has no host of {}: only the patcher's own hosts are of them, and those come last; watch them in the last wave, or give such a stratum a host that is none",
        list(strata)
    )]
    OnlyPatcher {
        /// The first wave.
        wave: WaveName,
        /// The strata.
        strata: Vec<Stratum>,
    },
    /// Hosts of limits with several numbers are in one cell.
    #[error(
        "hosts of limits with another at_once_per_cell meet in {cells} cells, and the smallest, {least}, counts for all hosts of a cell together: give them one number, or each a rollout of its own"
    )]
    LimitsMeet {
        /// In how many cells.
        cells: usize,
        /// The smallest number.
        least: usize,
    },
    /// A wave takes no host.
    #[error(
        "wave {wave} comes out empty, since earlier waves took all hosts up to its size: it passes at once, without a bake; to give it hosts, write its [[wave]] with a larger size"
    )]
    EmptyWave {
        /// The wave.
        wave: WaveName,
    },
    /// Selected hosts that an upgrade has nothing for.
    #[error("{hosts} of {of} selected hosts need none of it and are left alone")]
    NotAffected {
        /// How many.
        hosts: usize,
        /// Of how many.
        of: usize,
    },
    /// Services of planned hosts that nobody declared.
    #[error(
        "nobody declared {}: who owns it and who may feel this is not known; add it to services.toml",
        list(services)
    )]
    Undeclared {
        /// The services.
        services: Vec<String>,
    },
    /// A freeze that binds planned hosts within the time that the rollout may take.
    #[error(
        "the freeze {name} binds {hosts} of its hosts from {from} until {until}, within the time that it may take: nothing of them starts then; start the rollout after it, or let its profile through with except_profiles"
    )]
    Frozen {
        /// The freeze.
        name: String,
        /// How many of the planned hosts.
        hosts: usize,
        /// When it begins, by the clocks of its time zone.
        from: String,
        /// When it ends, by the clocks of its time zone.
        until: String,
    },
    /// A freeze that lets the rollout through, within the time that it may take.
    #[error(
        "it goes through the freeze {name} with {hosts} of its hosts, since its profile is {profile}; give it another profile to have it wait"
    )]
    PassesFreeze {
        /// The freeze.
        name: String,
        /// How many of the planned hosts the freeze is for.
        hosts: usize,
        /// The profile that the freeze lets through.
        profile: Profile,
    },
    /// Windows bind planned hosts, and the estimate does not know them.
    #[error(
        "the estimate does not count how long {hosts} hosts wait for their windows: add that to it, or widen them"
    )]
    WindowsNotCounted {
        /// How many of the planned hosts.
        hosts: usize,
    },
    /// Windows that do not open within the time that the rollout may take.
    #[error(
        "within the time that the rollout may take, no window opens for {hosts} hosts: start it nearer to them, or widen them"
    )]
    NoWindow {
        /// How many of the planned hosts.
        hosts: usize,
    },
    /// Selected hosts that no wave takes.
    #[error(
        "{hosts} of {of} selected hosts are in no wave and stay as they are; end with a wave of to = \"100%\" to take them"
    )]
    NotAll {
        /// How many.
        hosts: usize,
        /// Of how many.
        of: usize,
    },
}
