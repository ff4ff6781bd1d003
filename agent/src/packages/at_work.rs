//! Who is at work on the packages of a root, by whichever package manager it has: hosts may have both.

use super::{
    CHANGE_LOCKS, LISTS_LOCK,
    choice::RPM_FOLDERS,
    dnf::holder::{self, RPM_LOCK},
};
use crate::host::{
    locks::{self, Holder},
    root::Root,
};

/// Who changes packages, or looks at repositories to do so. Absent: nobody. A lock that cannot be asked about is
/// nobody's.
pub fn holder(root: &Root) -> Option<Holder> {
    let of_dpkg = CHANGE_LOCKS
        .iter()
        .chain([&LISTS_LOCK])
        .map(|lock| root.join(lock));
    let of_rpm = RPM_FOLDERS.map(|folder| root.join(&format!("{folder}/{RPM_LOCK}")));
    let mut locks = of_dpkg.chain(of_rpm);
    locks
        .find_map(|lock| locks::holder(&lock).ok().flatten())
        .or_else(|| holder::of_dnf(root).ok().flatten())
        .or_else(|| holder::of_look(root).ok().flatten())
}
