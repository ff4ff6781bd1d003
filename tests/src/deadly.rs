//! Death at an exact write, without a hook in the program that dies.
//!
//! A small library, loaded into the program by the dynamic linker, counts its writes and syncs of
//! one file, and kills it at the n-th. It is C, since it stands in for functions of the C library;
//! the compiler that links Rust programs builds it.

use crate::process::built;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// When, around a write, a program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Instead of it, and what was appended to the file since its last sync is lost with it, as in a
    /// power cut. Only for files that are appended to.
    Lost,
    /// Instead of it; the kernel still has what was written earlier.
    Before,
    /// Right after it, before anything that depends on it.
    After,
}

impl When {
    fn word(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// Where a program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// Of which file's writes, by a part of its path.
    pub file: &'static str,
    /// At which write or sync of it by one process, from 1.
    pub at: u32,
    /// On which side of it.
    pub when: When,
}

impl Death {
    /// Lets a program that is started with this command die there.
    pub fn arrange(self, command: &mut Command) {
        command
            .env("LD_PRELOAD", library())
            .env("DEADLY_FILE", self.file)
            .env("DEADLY_AT", self.at.to_string())
            .env("DEADLY_WHEN", self.when.word());
    }
}

/// Builds the library once a test program.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/shim/deadly_write.c");
        let library = built("deadly_write.so");
        let fresh = built(&format!("deadly_write-{}.so", std::process::id()));
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(&fresh)
            .args([source, "-ldl"])
            .status()
            .expect("cc, which links Rust programs, is there");
        assert!(compiled.success(), "cc {source}");
        // Other test programs may be using the old one.
        fs::rename(&fresh, &library).expect("a file moves within its folder");
        library
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    /// Writes two blocks, then syncs: three calls. Hands out what is in the file then.
    fn die(folder: &Path, death: Option<Death>) -> (Option<i32>, usize) {
        let file = folder.join("block-file");
        fs::write(&file, "").unwrap();
        let mut command = Command::new("/bin/dd");
        command
            .args(["if=/dev/zero", "bs=5", "count=2", "conv=fsync,notrunc"])
            .args(["oflag=append", "status=none"])
            .arg(format!("of={}", file.display()));
        if let Some(death) = death {
            death.arrange(&mut command);
        }
        let status = command.status().unwrap();
        (status.signal(), fs::read(&file).unwrap().len())
    }

    #[test]
    fn a_program_dies_on_the_named_side_of_the_named_write() {
        let folder = tempfile::tempdir().unwrap();
        for (at, when, left) in [
            (1, When::Before, 0),
            (1, When::After, 5),
            (2, When::Before, 5),
            (2, When::Lost, 0),
            (3, When::Before, 10),
            (3, When::Lost, 0),
            (3, When::After, 10),
        ] {
            let file = "block-file";
            let seen = die(folder.path(), Some(Death { file, at, when }));
            assert_eq!(seen, (Some(9), left), "{when:?} {at}");
        }
    }

    #[test]
    fn a_program_lives_that_never_comes_to_the_named_write() {
        let folder = tempfile::tempdir().unwrap();
        let when = When::Before;
        for (file, at) in [("block-file", 4), ("another", 1)] {
            let seen = die(folder.path(), Some(Death { file, at, when }));
            assert_eq!(seen, (None, 10));
        }
        assert_eq!(die(folder.path(), None), (None, 10));
    }
}
