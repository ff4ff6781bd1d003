//! Where hosts go that join a fleet at work, one by one and in any order.
//!
//! A host goes where its group is. When that cell is full it goes elsewhere, and its group is in two
//! cells; then the whole group comes together in one cell that has room for all of it, if the fleet
//! finds that it may move. So groups are whole however their hosts come.

use super::{Place, UnplacedReason};
use crate::{
    floor::Group,
    id::CellId,
    inventory::{Host, REGION, SERVICE, ZONE},
    policy::FloorRule,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// A cell that has hosts, as one that joins looks at it.
pub trait Occupied {
    /// Its name.
    fn id(&self) -> &CellId;
    /// How many hosts it has.
    fn size(&self) -> usize;
    /// How many of them are of a group.
    fn kin(&self, group: &Group) -> usize;
    /// Whether it is of another region and zone than a host's, which make the same name: `a-b` with `c` and `a`
    /// with `b-c`.
    fn is_of_namesake(&self, host: &Host) -> bool;
}

/// The group that a host is packed with: its service in its zone.
pub fn group(host: &Host) -> Group {
    let [by_zone, _] = FloorRule::defaults();
    Group::of(&by_zone, host)
}

/// Whether two hosts are packed together.
pub fn are_kin(one: &Host, other: &Host) -> bool {
    [SERVICE, ZONE, REGION]
        .iter()
        .all(|label| one.value(label) == other.value(label))
}

/// The cell of one host that joins: one of its zone that has members of its group and room; else the
/// first of its zone with room; else a new one.
///
/// `present` are the cells of the fleet; those of other zones are passed over. `most` hosts fit in a
/// cell. A new one gets a name that `is_open`: what was said of an old one of the name is not for it.
///
/// # Errors
/// [`UnplacedReason`] when the host can be in no cell.
pub fn join<'c, C: Occupied + 'c>(
    host: &Host,
    present: impl Iterator<Item = &'c C>,
    most: usize,
    is_open: impl Fn(&CellId) -> bool,
) -> Result<CellId, UnplacedReason> {
    let here = Here::of(host, present)?;
    let roomy = || here.cells.values().filter(|(cell, _)| cell.size() < most);
    let kin = roomy().find(|(_, kin)| *kin > 0);
    match kin.or_else(|| roomy().next()) {
        Some((cell, _)) => Ok(cell.id().clone()),
        None => here.unused(is_open),
    }
}

/// The cell where the group of a host comes together: of those of its zone that have room for all of
/// it the one that has most of it, or the first; else a new one. Nothing when it is together, and
/// when no cell can hold it.
///
/// Hosts move only into a cell that `is_open`, and a new one has a name that is.
pub fn together<'c, C: Occupied + 'c>(
    host: &Host,
    present: impl Iterator<Item = &'c C>,
    most: usize,
    is_open: impl Fn(&CellId) -> bool,
) -> Option<CellId> {
    let here = Here::of(host, present).ok()?;
    let parts = here.cells.values().filter(|(_, kin)| *kin > 0);
    let all: usize = parts.clone().map(|(_, kin)| kin).sum();
    if parts.count() < 2 || all > most {
        return None;
    }
    let has_room = |(cell, kin): &(&C, usize)| cell.size() - kin + all <= most;
    let fit = here.cells.iter();
    let fit = fit.filter(|(_, known)| has_room(known) && is_open(known.0.id()));
    match fit.max_by_key(|(number, (_, kin))| (*kin, Reverse(**number))) {
        Some((_, (cell, _))) => Some(cell.id().clone()),
        None => here.unused(is_open).ok(),
    }
}

/// The cells of a host's zone.
struct Here<'h, 'c, C> {
    place: Place<'h>,
    /// By number: each with how many of its hosts are of the host's group.
    cells: BTreeMap<usize, (&'c C, usize)>,
    /// The numbers that cells of another place have whose names are alike.
    taken: BTreeSet<usize>,
}

impl<'h, 'c, C: Occupied> Here<'h, 'c, C> {
    fn of(host: &'h Host, present: impl Iterator<Item = &'c C>) -> Result<Self, UnplacedReason> {
        let mut here = Self {
            place: Place::of(host)?,
            cells: BTreeMap::new(),
            taken: BTreeSet::new(),
        };
        let group = group(host);
        for cell in present {
            let Some(number) = here.place.number_of(cell.id()) else {
                continue;
            };
            match cell.is_of_namesake(host) {
                true => drop(here.taken.insert(number)),
                false => drop(here.cells.insert(number, (cell, cell.kin(&group)))),
            }
        }
        Ok(here)
    }

    /// The first name that no cell has, of those that are open.
    fn unused(&self, is_open: impl Fn(&CellId) -> bool) -> Result<CellId, UnplacedReason> {
        let is_used =
            |number: &usize| self.cells.contains_key(number) || self.taken.contains(number);
        let unused = (1..).filter(|number| !is_used(number));
        let mut names = unused.map(|number| self.place.cell(number));
        let open = names.find(|name| name.as_ref().map_or(true, &is_open));
        let last = || self.place.cell(usize::MAX);
        open.unwrap_or_else(last).map_err(UnplacedReason::Name)
    }
}
