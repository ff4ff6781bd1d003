//! A disk so small that a test can fill it: a tmpfs over a folder. Only root can mount one.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

/// A small disk over a folder. Unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one. Nothing when this process may not, which it says.
    ///
    /// # Panics
    /// When the folder cannot be made.
    pub fn over(folder: &Path, mebibytes: u32) -> Option<Self> {
        fs::create_dir_all(folder).expect("a folder to mount over");
        let options = format!("size={mebibytes}m");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder);
        let output = mount.output().expect("mount is there");
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            eprintln!("left out: what a full disk does ({})", why.trim());
            return None;
        }
        let folder = folder.to_owned();
        Some(Self { folder })
    }

    /// Uses up all of its room, also what became free since it was filled before.
    ///
    /// # Panics
    /// When the file cannot be made.
    pub fn fill(&self) {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(self.filler());
        let mut file = file.expect("a file on the small disk");
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Makes room again.
    ///
    /// # Panics
    /// When it was not filled.
    pub fn free(&self) {
        fs::remove_file(self.filler()).expect("the disk was filled");
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount")
            .arg("--lazy")
            .arg(&self.folder)
            .status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.folder.display());
        }
    }
}
