//! How a virtual machine is started.

use super::disk::Direct;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Commands, and the Debian packages that bring them.
pub const COMMANDS: [(&str, &str); 3] = [
    (PROGRAM, "qemu-system-x86"),
    ("mke2fs", "e2fsprogs"),
    ("apt-get", "apt"),
];

const PROGRAM: &str = "qemu-system-x86_64";

/// Enough for apt, dpkg and a debug build of the agent, in MiB (measured: 384 is).
const MEMORY_MIB: u32 = 448;

/// A virtual machine.
#[derive(Debug)]
pub struct Machine<'a> {
    /// Where its disk is, as qemu's `file=` says it.
    pub disk: String,
    /// Where its serial console is appended.
    pub console: &'a Path,
    /// The tap that it is plugged into, and the last byte of its address. Absent: none.
    pub tap: Option<(String, u8)>,
    /// What is booted in place of what the disk's boot loader would. Absent: nothing.
    pub direct: Option<Direct>,
}

impl Machine<'_> {
    /// The command that runs it.
    pub fn command(&self) -> Vec<OsString> {
        let mut words: Vec<String> = [PROGRAM, "-accel", "tcg", "-nodefaults", "-no-user-config"]
            .map(str::to_owned)
            .to_vec();
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        // With a source of random numbers, or services wait for one.
        option("-cpu", "qemu64,+rdrand".to_owned());
        option("-m", MEMORY_MIB.to_string());
        option("-display", "none".to_owned());
        let console = self.console.display();
        option(
            "-chardev",
            format!("file,id=console,path={console},append=on"),
        );
        option("-serial", "chardev:console".to_owned());
        // Flushes reach the disk as flushes, and nothing else does.
        let disk = &self.disk;
        option(
            "-drive",
            format!("file={disk},format=raw,if=virtio,cache=writeback"),
        );
        if let Some((tap, last)) = &self.tap {
            option(
                "-netdev",
                format!("tap,id=net,ifname={tap},script=no,downscript=no"),
            );
            let mac = format!("mac=52:54:00:00:00:{last:02x}");
            option("-device", format!("virtio-net-pci,netdev=net,{mac}"));
        }
        if let Some(direct) = &self.direct {
            let said = |path: &PathBuf| path.display().to_string();
            option("-kernel", said(&direct.kernel));
            option("-initrd", said(&direct.initrd));
            option("-append", direct.parameters.clone());
            words.push("-no-reboot".to_owned());
        }
        words.into_iter().map(OsString::from).collect()
    }
}
