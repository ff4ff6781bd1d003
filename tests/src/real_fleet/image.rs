//! What every host of one fleet has beyond the tree: our programs and units where the packages put them,
//! enabled by nobody, and the repository that hosts install from.

use super::{
    network::BRIDGE_ADDRESS,
    overlay::Overlay,
    teardown,
    trouble::{FleetError, file, succeed},
};
use crate::process::binary;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Command;

/// What is copied from this repository, and to where: the table in `packaging/README.md`.
const SHIPPED: [(&str, &str); 5] = [
    (
        "systemd/system/cofferdam-agent.service",
        "usr/lib/systemd/system/cofferdam-agent.service",
    ),
    (
        "systemd/system/cofferdam-health.service",
        "usr/lib/systemd/system/cofferdam-health.service",
    ),
    (
        "systemd/system/cofferdam-kernel-trial.service",
        "usr/lib/systemd/system/cofferdam-kernel-trial.service",
    ),
    (
        "systemd/sysusers.d/cofferdam.conf",
        "usr/lib/sysusers.d/cofferdam.conf",
    ),
    (
        "systemd/tmpfiles.d/cofferdam.conf",
        "usr/lib/tmpfiles.d/cofferdam.conf",
    ),
];

/// Our programs on a host, all in `/usr/bin`.
const PROGRAMS: [&str; 2] = ["cofferdam-agent", "cofferdam-health"];

/// The key that hosts trust the repository by.
const KEY: &str = "etc/apt/keyrings/fleet.gpg";

/// What hosts install from.
const SOURCES: &str = "etc/apt/sources.list.d/fleet.list";

/// Making users takes milliseconds; past this something hangs.
const WITHIN: Duration = Duration::from_secs(30);

/// The layer of one fleet between the tree and its hosts.
#[derive(Debug)]
pub struct Image {
    overlay: Overlay,
}

impl Image {
    /// Makes it in a fleet's folder, over a tree and the layers on it, the topmost first.
    ///
    /// # Errors
    /// When a file is missing, our programs among them, or cannot be written.
    pub async fn make(
        folder: &Path,
        trees: &[&Path],
        public_key: &Path,
    ) -> Result<Self, FleetError> {
        let overlay = Overlay::in_folder(folder.join("image"));
        overlay.mount(trees)?;
        let root = overlay.root();
        furnish(&root, public_key).await?;
        // Overlayfs forbids that a layer changes under those who use it.
        teardown::unmount(&root)?;
        Ok(Self { overlay })
    }

    /// The files of the layer.
    pub fn files(&self) -> PathBuf {
        self.overlay.upper()
    }
}

/// Puts our programs and units, and where to install from, into a root tree.
///
/// # Errors
/// When a file is missing, our programs among them, or cannot be written.
pub(crate) async fn furnish(root: &Path, public_key: &Path) -> Result<(), FleetError> {
    for (from, to) in SHIPPED {
        copy(&repository().join(from), &root.join(to))?;
    }
    for program in PROGRAMS {
        copy(&binary(program), &root.join("usr/bin").join(program))?;
    }
    copy(public_key, &root.join(KEY))?;
    let sources = root.join(SOURCES);
    let line = format!("deb [signed-by=/{KEY}] http://{BRIDGE_ADDRESS} ./\n");
    fs::write(&sources, line).map_err(file("write", &sources))?;
    let mut users = Command::new("chroot");
    users.arg(root).arg("systemd-sysusers");
    succeed(users, WITHIN).await.map(drop)
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Copies a file as a package would have it: readable by all, and run by all if it is run at all.
fn copy(from: &Path, to: &Path) -> Result<(), FleetError> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(file("make", folder))?;
    }
    fs::copy(from, to).map_err(file("copy", from))?;
    let metadata = fs::metadata(to).map_err(file("read", to))?;
    let runs = metadata.permissions().mode() & 0o100 != 0;
    let mode = if runs { 0o755 } else { 0o644 };
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).map_err(file("change", to))
}
