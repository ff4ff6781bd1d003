//! Why a fleet refuses an event.

use super::Form;
use crate::{
    cell::CellError,
    cells::UnplacedReason,
    cord::Cord,
    denial::{Denial, Named, Place},
    digest::Digest,
    id::{CellId, HostId, OwnerEpoch, Region, RolloutId},
    reservation::ReservationError,
    rollout::RolloutError,
};

/// Why a fleet refuses an event. Its state is as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FleetError {
    /// The host is in no cell.
    #[error("host {0} is not known: it never connected, or was forgotten")]
    NoHost(HostId),
    /// There is no such cell.
    #[error("there is no cell {0}")]
    NoCell(CellId),
    /// There is no such rollout.
    #[error("there is no rollout {0}")]
    NoRollout(RolloutId),
    /// The rollout brings no bits.
    #[error("rollout {0} installs nothing: there are no bits of it to deny")]
    NoBits(RolloutId),
    /// The host can be in no cell.
    #[error("host {host} can be in no cell")]
    Unplaced {
        /// The host.
        host: HostId,
        /// Why.
        #[source]
        source: UnplacedReason,
    },
    /// A rollout of this name exists.
    #[error("there is a rollout {0} already: a name is used once")]
    RolloutExists(RolloutId),
    /// A live rollout changes the same thing on the same host.
    #[error(
        "rollout {other} is live and changes {subject} on host {host} too: wait for it, or abort it"
    )]
    Conflict {
        /// The live rollout.
        other: RolloutId,
        /// What both change.
        subject: String,
        /// The first host that both select.
        host: HostId,
    },
    /// A rollout that is taken back waits for hosts that have what it changed.
    #[error(
        "rollout {other} is taken back, and {subject} has yet to go back on {}: wait for that, or until they are heard of again; leave them out of match, or delete them with `cofferdam hosts forget` if they are gone for good",
        named(hosts)
    )]
    GoesBack {
        /// The rollout that is taken back.
        other: RolloutId,
        /// What both change.
        subject: String,
        /// The hosts that wait. Not empty.
        hosts: Vec<HostId>,
    },
    /// A host is to move that something counts on being where it is.
    #[error(
        "host {host} cannot move to cell {to}: it is at work, or one of its cells may not change"
    )]
    NotAtRest {
        /// The host.
        host: HostId,
        /// Where it was to go.
        to: CellId,
    },
    /// A rollout is at work on hosts that an amendment is for, or has patched them since.
    #[error(
        "rollout {rollout} is at work on {}, or has just patched it: wait until the run is over, and look again",
        named(hosts)
    )]
    AtWork {
        /// The rollout.
        rollout: RolloutId,
        /// The hosts.
        hosts: Vec<HostId>,
    },
    /// Hosts of a plan have moved to other cells since it was made: their group came together there.
    #[error(
        "{} moved to another cell since rollout {rollout} was planned: plan it again",
        named(hosts)
    )]
    Moved {
        /// The rollout.
        rollout: RolloutId,
        /// The hosts. Not empty.
        hosts: Vec<HostId>,
    },
    /// A later rollout has changed the same thing on the same host.
    #[error(
        "cannot roll back {rollout}: rollout {later} has changed {subject} since, on host {host} and on all others that it changed; roll that back instead"
    )]
    Superseded {
        /// The rollout that is over.
        rollout: RolloutId,
        /// The later one.
        later: RolloutId,
        /// What both changed.
        subject: String,
        /// The first host that has the later change.
        host: HostId,
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
    /// The cord is not pulled.
    #[error("the cord is not pulled")]
    NoCord,
    /// The cord was pulled at the control plane, and is released there alone.
    #[error("{0}: it is released at the control plane, not at a region's coordinator")]
    CordOfControl(Box<Cord>),
    /// Nothing of the kind is denied.
    #[error(
        "nothing denies {named}{}; `cofferdam deny list` shows what is denied where",
        place.as_ref().map(|place| format!(" for {place}")).unwrap_or_default()
    )]
    NoDenial {
        /// Which bits were meant.
        named: Named,
        /// At which place. Absent: anywhere.
        place: Option<Place>,
    },
    /// A part of a package set is out of its bounds.
    #[error("part {part} of {of} of package set {digest} is out of bounds")]
    PackagePart {
        /// The digest of the set.
        digest: Digest,
        /// The part.
        part: u32,
        /// The number of parts.
        of: u32,
    },
    /// The parts of a package set are not what its digest says.
    #[error("the packages sent under {0} are others")]
    PackageDigest(Digest),
    /// It is for another process to take in.
    #[error("this process is {form}: that is not for it to take in")]
    OfAnotherPart {
        /// What it is.
        form: Form,
    },
    /// The process cannot become another part of the fleet now.
    #[error(
        "this process cannot become {form} while rollout {rollout} is not over: start it as it was, end the rollout, and change it then"
    )]
    StillAtWork {
        /// A rollout that is not over.
        rollout: RolloutId,
        /// What it was to become.
        form: Form,
    },
    /// The control plane never met the region.
    #[error("there is no region {0}")]
    NoRegion(Region),
    /// An operator does something to hosts of several regions at once.
    #[error(
        "host {one} is of another region than host {other}: regions that are processes of their own are asked one by one"
    )]
    SeveralRegions {
        /// A host.
        one: HostId,
        /// A host of another region.
        other: HostId,
    },
    /// The region of the hosts is not linked, so it cannot be asked.
    #[error("nothing is heard of region {0}: try again once it is, or ask its own coordinator")]
    RegionAway(Region),
    /// The region of the hosts refuses.
    #[error("region {region} refuses: {why}")]
    RegionRefuses {
        /// Which.
        region: Region,
        /// What it says.
        why: String,
    },
    /// A region speaks of a cell of another one.
    #[error(
        "cell {cell} is of region {region}: two regions whose hosts have the same region and zone as labels cannot be apart"
    )]
    CellOfAnother {
        /// The cell.
        cell: CellId,
        /// The region that told of it first.
        region: Region,
    },
    /// Regions of their own each allow their part of a group what the whole may have out.
    #[error(
        "rollout {rollout} has a floor by {}, over several regions that are processes of their own: put `region` or `zone` into its group_by, or start a rollout for each region",
        group_by.join(", ")
    )]
    WideFloor {
        /// The rollout.
        rollout: RolloutId,
        /// The labels of the floor's groups.
        group_by: Vec<String>,
    },
    /// News of a region are missing.
    #[error("after the news {last} of region {region} come {number}: some are missing")]
    NewsMissing {
        /// The region.
        region: Region,
        /// The last ones before.
        last: u64,
        /// Those that came.
        number: u64,
    },
    /// The control plane has an older store than a region was told things from.
    #[error(
        "the control plane's store was set back: region {0} was told, and has told, more than that has. Put the newest store back; where there is none, let the control plane begin with an empty data_dir: its regions use up what they were granted, and start nothing more of its rollouts"
    )]
    SetBack(Region),
    /// The owner's epoch is not above the present one.
    #[error("owner epoch {new} is not above {present}")]
    StaleEpoch {
        /// The epoch.
        new: OwnerEpoch,
        /// The present one.
        present: OwnerEpoch,
    },
    /// Hosts cannot be taken, or given back.
    #[error(transparent)]
    Reservation(#[from] ReservationError),
    /// A cell refuses.
    #[error("cell {cell} refuses")]
    Cell {
        /// Which.
        cell: CellId,
        /// Why.
        #[source]
        source: CellError,
    },
    /// A rollout refuses.
    #[error(transparent)]
    Rollout(#[from] RolloutError),
}

/// The most hosts that a sentence names.
const NAMED: usize = 5;

fn named(hosts: &[HostId]) -> String {
    let names: Vec<&str> = hosts.iter().take(NAMED).map(HostId::as_str).collect();
    match hosts.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
