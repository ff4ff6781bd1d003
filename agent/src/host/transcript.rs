//! Where a program that changes the host writes to: a file that is there after the agent's death.
//!
//! A transcript is for people, and must not be what keeps a host from going back: where the disk is full, the
//! program writes to memory that no name leads to, and only what it said last is known.

use super::{
    captured::{Ends, TAIL_BYTES},
    command::{Captured, Command},
};
use nix::fcntl::{FallocateFlags, fallocate};
use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

/// Where files are of memory.
const MEMORY: &str = "/dev/shm";

/// What a program may write for sure, in bytes: dpkg gives up where it cannot (guess: dpkg and apt say 100 to 200
/// bytes a package).
const ROOM: i64 = 64 << 10;

/// An open transcript.
pub(super) struct Transcript {
    file: File,
    begin: u64,
}

impl Transcript {
    /// Opens a transcript at its end, and writes the command line.
    pub(super) fn open(command: &Command, path: &Path) -> io::Result<Self> {
        let opened = in_folder(path).and_then(|file| Self::begin(command, file));
        opened.or_else(|error| {
            let path = path.display();
            tracing::warn!(%error, "what `{command}` says is not written to {path}");
            let mut memory = File::options();
            let memory = memory
                .read(true)
                .write(true)
                .custom_flags(nix::libc::O_TMPFILE);
            Self::begin(command, memory.open(MEMORY)?)
        })
    }

    fn begin(command: &Command, mut file: File) -> io::Result<Self> {
        writeln!(file, "$ {command}")?;
        let begin = file.metadata()?.len();
        Ok(Self { file, begin })
    }

    /// The file, once more.
    pub(super) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// The two ends of what was written since it was opened.
    pub(super) fn read(&self) -> io::Result<Captured> {
        let mut ends = Ends::within(TAIL_BYTES, TAIL_BYTES);
        let (mut piece, mut from) = ([0; 8192], self.begin);
        loop {
            let length = self.file.read_at(&mut piece, from)?;
            if length == 0 {
                return Ok(ends.finish());
            }
            ends.push(&piece[..length]);
            from = from.saturating_add(length as u64);
        }
    }
}

/// Opens a file at its end, with room for what comes.
fn in_folder(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = File::options();
    let file = options.create(true).append(true).read(true).open(path)?;
    let end = file.metadata()?.len();
    let end = i64::try_from(end).map_err(io::Error::other)?;
    match fallocate(&file, FallocateFlags::FALLOC_FL_KEEP_SIZE, end, ROOM) {
        Err(error) if is_full(error) => Err(error.into()),
        // There are file systems that cannot.
        Ok(()) | Err(_) => Ok(file),
    }
}

fn is_full(error: nix::Error) -> bool {
    matches!(error, nix::Error::ENOSPC | nix::Error::EDQUOT)
}
