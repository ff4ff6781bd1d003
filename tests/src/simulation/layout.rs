//! Which processes there are, and who dials whom.

use cofferdam_engine::{id::Region, identity::Identity};

/// The coordinator's host where there is one alone.
const COORDINATOR: &str = "coordinator";

/// The control plane's host.
const CONTROL: &str = "control";

/// The regions, and their coordinators' hosts.
const REGIONS: [&str; 2] = ["r1", "r2"];

/// The processes of a scene, beside its agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One coordinator: control plane and region.
    One,
    /// A control plane and two regions. Racks are of one and the other in turn.
    Split,
}

/// One process of a coordinator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All in one.
    Whole,
    /// The control plane.
    Control,
    /// The region of this number.
    Region(usize),
}

impl Layout {
    /// The coordinators' processes.
    pub(super) fn parts(self) -> Vec<Part> {
        match self {
            Self::One => vec![Part::Whole],
            Self::Split => vec![Part::Control, Part::Region(0), Part::Region(1)],
        }
    }

    /// The process that the agents of a rack dial, and the region that they are of.
    pub(super) fn of_rack(self, number: usize) -> (Part, &'static str) {
        match self {
            Self::One => (Part::Whole, REGIONS[0]),
            Self::Split => {
                let region = number % REGIONS.len();
                (Part::Region(region), REGIONS[region])
            }
        }
    }

    /// The process that operators dial.
    pub(super) fn of_operators(self) -> Part {
        match self {
            Self::One => Part::Whole,
            Self::Split => Part::Control,
        }
    }
}

impl Part {
    /// Its host.
    pub(super) fn host(self) -> &'static str {
        match self {
            Self::Whole => COORDINATOR,
            Self::Control => CONTROL,
            Self::Region(number) => REGIONS[number],
        }
    }

    /// Whether its agents want warrants that the control plane signed. Where all is one process nobody signs: no
    /// seed repeats a key or a signature.
    pub(super) fn hands_on_signed_warrants(self) -> bool {
        matches!(self, Self::Region(_))
    }

    /// What its certificate says.
    pub(super) fn identity(self) -> Identity {
        let region = |name: &str| Identity::Coordinator(Region::new(name).expect("a good name"));
        match self {
            Self::Whole => region(REGIONS[0]),
            Self::Control => Identity::Control,
            Self::Region(number) => region(REGIONS[number]),
        }
    }
}
