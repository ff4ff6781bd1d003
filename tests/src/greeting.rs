//! What a made-up host says first.

use cofferdam_engine::{
    id::{HostId, Incarnation},
    inventory::{Facts, PackageSet, Platform},
};
use cofferdam_proto::session::Hello;

/// Every made-up host's journal, of which there is none.
pub const JOURNAL: Incarnation = Incarnation(7);

/// What a healthy host with these labels says, which has no run and no packages.
pub fn hello<const N: usize>(host: HostId, labels: [(&str, &str); N]) -> Hello {
    Hello {
        host,
        incarnation: JOURNAL,
        boot_id: "boot-1".to_owned(),
        version: "1.0".to_owned(),
        labels: labels
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        facts: Facts {
            platform: Platform {
                os_release: "debian-12".to_owned(),
                architecture: "amd64".to_owned(),
            },
            kernel: "6.1".to_owned(),
            packages: PackageSet::default().digest(),
        },
        in_service: true,
        detail: String::new(),
        takes_reservations: false,
        open: None,
        newest: None,
    }
}
