//! Reads which part of a fleet a process has.

use super::{Role, read::Refusal};
use cofferdam_engine::document::Table;
use cofferdam_proto::dial::{Place, Ways};

/// The part, before it is known where its control plane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Both,
    Control,
    Region,
}

/// Reads `role`, `control` and how that is dialled.
pub(super) fn read(top: &mut Table<'_, Refusal>) -> Role {
    let parts = [
        ("both", Part::Both),
        ("control", Part::Control),
        ("region", Part::Region),
    ];
    let part = top.choice("role", &parts).unwrap_or(Part::Both);
    let control = Place::read(top, "control");
    let ways = Ways::read(top);
    for key in ["control", "proxy", "dns_servers"] {
        if part != Part::Region && top.has(key) {
            top.refuse(key, Refusal::NotARegion);
        }
    }
    match part {
        Part::Both => Role::Both,
        Part::Control => Role::Control,
        Part::Region => {
            if control.is_none() {
                top.refuse("role", Refusal::NoControl);
            }
            let control = control.unwrap_or_default();
            Role::Region { control, ways }
        }
    }
}
