//! Reads which part of a fleet a process has.

use super::{Role, read::Refusal};
use cofferdam_engine::document::Table;
use cofferdam_proto::tls;

/// The part, before it is known where its control plane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Both,
    Control,
    Region,
}

/// Reads `role` and `control`.
pub(super) fn read(top: &mut Table<'_, Refusal>) -> Role {
    let parts = [
        ("both", Part::Both),
        ("control", Part::Control),
        ("region", Part::Region),
    ];
    let part = top.choice("role", &parts).unwrap_or(Part::Both);
    let control = top.texts("control").unwrap_or_default();
    for refused in control.iter().filter_map(|address| tls::uri(address).err()) {
        top.refuse("control", refused);
    }
    if part != Part::Region && top.has("control") {
        top.refuse("control", Refusal::NotARegion);
    }
    match part {
        Part::Both => Role::Both,
        Part::Control => Role::Control,
        Part::Region => {
            if control.is_empty() {
                top.refuse("role", Refusal::NoControl);
            }
            Role::Region { control }
        }
    }
}
