//! What passes between a control plane and a region, and what happens on the link.

use crate::{
    calendar::Calendar,
    cell::{Cell, CellEvent},
    cord::Cord,
    denial::Denials,
    digest::Digest,
    id::{CellId, HostId, Incarnation, OperatorId, OwnerEpoch, Region},
    inventory::PackageSet,
    time::Timestamp,
    warrant::Summary,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a control plane tells a region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "kebab-case")]
pub enum Told {
    /// Something of a rollout, for one cell: what it is, what may be started, that it stops, what
    /// operators said of single hosts, that a host is no part of it any more.
    Cell {
        /// Which.
        cell: CellId,
        /// What.
        event: Box<CellEvent>,
    },
    /// Hosts move to the cell of the rest of their group.
    Gathered {
        /// Where to.
        to: CellId,
        /// Which.
        hosts: BTreeSet<HostId>,
    },
    /// When nothing may be started.
    Calendar {
        /// All freezes.
        calendar: Calendar,
        /// Who said it.
        by: OperatorId,
    },
    /// How the cord stands.
    Cord {
        /// The one that is pulled. Absent: none is.
        cord: Option<Cord>,
    },
    /// What is denied anywhere.
    Denials {
        /// All of it.
        denials: Box<Denials>,
    },
}

/// What happened to a region's cells, for the mirror of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "kebab-case")]
pub enum News {
    /// There is a new one.
    Made {
        /// Which.
        cell: CellId,
        /// Its owner's epoch.
        epoch: OwnerEpoch,
        /// When nothing may be started there.
        calendar: Calendar,
    },
    /// Something happened in one.
    Cell {
        /// Which.
        cell: CellId,
        /// What.
        event: Box<CellEvent>,
    },
    /// Hosts moved.
    Moved {
        /// From here.
        from: CellId,
        /// To there.
        to: CellId,
        /// Which.
        hosts: Vec<HostId>,
    },
    /// One is gone: it was empty.
    Dropped {
        /// Which.
        cell: CellId,
    },
    /// A part of a package set came in.
    Packages {
        /// The digest of the whole set.
        digest: Digest,
        /// Which part, from 0.
        part: u32,
        /// Of how many. At least 1.
        of: u32,
        /// The part.
        packages: PackageSet,
    },
}

/// A region's cells as they are, where its news have a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// The number of the last news that is in it.
    pub news: u64,
    /// The cells.
    pub cells: BTreeMap<CellId, Cell>,
    /// The package sets of their hosts, as far as they are known.
    pub package_sets: BTreeMap<Digest, PackageSet>,
}

/// How far a region's store has come, as it says when it dials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Has {
    /// The number of its last news.
    pub news: u64,
    /// The number of its last summary.
    pub summaries: u64,
    /// The store of the control plane that it met last. Absent: it met none, or is of an earlier release, which says
    /// nothing of the following.
    pub control: Option<Incarnation>,
    /// The number of the last thing that this told it.
    pub told: u64,
    /// The number of the last summary that this said to have stored.
    pub summaries_taken: u64,
}

/// What happened on a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "link", rename_all = "kebab-case")]
pub enum LinkEvent {
    /// To a control plane: a region said which store it has. Another one than before has other
    /// numbers, and begins with a copy.
    Joined {
        /// Which.
        region: Region,
        /// Its store.
        store: Incarnation,
        /// How far that has come. Absent: an earlier release stored this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        has: Option<Has>,
    },
    /// To a control plane: a region told what happened to its cells.
    News {
        /// Which.
        region: Region,
        /// Counts the news of its store from 1.
        number: u64,
        /// What.
        news: Box<News>,
    },
    /// To a control plane: a region told how its cells are.
    Copied {
        /// Which.
        region: Region,
        /// All of them.
        copy: Box<Copy>,
    },
    /// To a control plane: a cell summarised a rollout.
    Summary {
        /// Of which region.
        region: Region,
        /// Counts the summaries of its store from 1.
        number: u64,
        /// What changed.
        summary: Box<Summary>,
    },
    /// To a control plane: a region has stored what it was told.
    ToldTaken {
        /// Which.
        region: Region,
        /// Everything up to this number.
        up_to: u64,
    },
    /// To a control plane: nothing is heard of a region any more.
    Silent {
        /// Which.
        region: Region,
        /// When it was last heard of.
        since: Timestamp,
    },
    /// To a control plane: a region is heard of again. What it summarised meanwhile comes before this.
    Heard {
        /// Which.
        region: Region,
    },
    /// To a region: a control plane said which store it has. Another one than before has other
    /// numbers.
    Met {
        /// Its store.
        control: Incarnation,
    },
    /// To a region: the control plane told it something.
    Told {
        /// Counts what it told this region from 1.
        number: u64,
        /// What.
        told: Box<Told>,
    },
    /// To a region: the control plane has stored its summaries.
    SummariesTaken {
        /// All up to this number.
        up_to: u64,
    },
}
