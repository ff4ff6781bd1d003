//! One host of a test on paper, and the little root tree that its agent works on.

use cofferdam_engine::id::HostId;
use std::{fs, os::unix::fs::DirBuilderExt, path::Path};

/// A host on paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name.
    pub host: HostId,
    /// Its region.
    pub region: &'static str,
    /// Its zone.
    pub zone: &'static str,
    /// Its service.
    pub service: &'static str,
    /// Its instance type.
    pub instance_type: &'static str,
}

/// What apt, dpkg and the agent expect of a Debian root.
const FOLDERS: [&str; 3] = [
    "etc/cofferdam/checks.d",
    "var/lib/dpkg/info",
    "var/lib/dpkg/updates",
];

const OS_RELEASE: &str = "ID=debian\nVERSION_ID=\"12\"\n";

impl Machine {
    /// `count` hosts of service `web` named `web-1` and so on, of one instance type, spread over
    /// zones `a` and `b`.
    ///
    /// # Panics
    /// Never: the names are good ones.
    pub fn several(count: usize) -> Vec<Self> {
        let machine = |number: usize| Self {
            host: HostId::new(format!("web-{number}")).expect("a good name"),
            region: "r1",
            zone: if number % 2 == 1 { "a" } else { "b" },
            service: "web",
            instance_type: "m7.large",
        };
        (1..=count).map(machine).collect()
    }

    /// The same, all in zone `a`.
    ///
    /// # Panics
    /// Never, as above.
    pub fn neighbours(count: usize) -> Vec<Self> {
        let mut machines = Self::several(count);
        for machine in &mut machines {
            machine.zone = "a";
        }
        machines
    }

    /// `count` neighbours of a region, named `REGION-1` and so on.
    ///
    /// # Panics
    /// When the region's name makes no host's name.
    pub fn of_region(region: &'static str, count: usize) -> Vec<Self> {
        let mut machines = Self::neighbours(count);
        for (number, machine) in (1..).zip(&mut machines) {
            machine.host = HostId::new(format!("{region}-{number}")).expect("a good name");
            machine.region = region;
        }
        machines
    }

    /// Its labels as the agent's config says them.
    pub fn labels(&self) -> String {
        format!(
            "[labels]\nservice = \"{}\"\nregion = \"{}\"\nzone = \"{}\"\ninstance_type = \"{}\"\n",
            self.service, self.region, self.zone, self.instance_type
        )
    }

    /// Makes its root tree, with nothing installed.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn lay_out(root: &Path) {
        for folder in FOLDERS {
            let mut made = fs::DirBuilder::new();
            made.recursive(true).mode(0o755);
            made.create(root.join(folder))
                .expect("a folder of the root tree");
        }
        fs::write(root.join("etc/os-release"), OS_RELEASE).expect("a file of the root tree");
        fs::write(root.join("var/lib/dpkg/status"), "").expect("a file of the root tree");
    }
}
