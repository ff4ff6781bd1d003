//! Who holds a lock on a file: the locks that dpkg and apt take with fcntl(2).

use super::process_table::{self, Entry};
use nix::{
    fcntl::{FcntlArg, fcntl},
    libc,
};
use std::{
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// A process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number. 0 or less: it cannot be seen from here, as from within a container.
    pub pid: i32,
    /// Its name, as the kernel shows it. Empty: not known.
    pub name: String,
    /// The process that started it, or took it over. Absent: not known, or the first one.
    pub parent: Option<(i32, String)>,
    /// How long it has been running. Absent: not known.
    pub runs_for: Option<Duration>,
    /// The file that it locked.
    pub file: PathBuf,
}

impl Holder {
    /// What is known of a process that holds a file.
    pub fn of(pid: i32, file: &Path) -> Self {
        let entry = process_table::find(pid);
        let parent = entry.as_ref().and_then(|entry| {
            let parent = process_table::find(entry.parent)?;
            (parent.pid > 1).then_some((parent.pid, parent.name))
        });
        Self {
            pid,
            parent,
            runs_for: entry.as_ref().map(Entry::runs_for),
            name: entry.map(|entry| entry.name).unwrap_or_default(),
            file: file.to_owned(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        if self.pid <= 0 {
            return write!(
                f,
                "{file} is locked by a process that cannot be seen from here"
            );
        }
        write!(
            f,
            "{file} is locked by process {} ({})",
            self.pid, self.name
        )?;
        if let Some((pid, name)) = &self.parent {
            write!(f, " of process {pid} ({name})")?;
        }
        if let Some(runs_for) = self.runs_for {
            write!(f, ", which has been running for {} s", runs_for.as_secs())?;
        }
        Ok(())
    }
}

/// Who holds a lock on a file. Absent: nobody, or there is no such file.
///
/// # Errors
/// The system's error when the file cannot be opened or asked.
pub fn holder(path: &Path) -> io::Result<Option<Holder>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_GETLK(&mut lock))?;
    if lock.l_type == libc::F_UNLCK as libc::c_short {
        return Ok(None);
    }
    Ok(Some(Holder::of(lock.l_pid, path)))
}

#[cfg(test)]
pub(crate) mod samples {
    use std::{
        io::Read,
        path::Path,
        process::{Child, Command, Stdio},
    };

    /// Another process that locks a file until it is dropped.
    pub(crate) struct Locker(Child);

    impl Locker {
        pub(crate) fn on(path: &Path) -> Self {
            // Perl is part of every Debian, and can lock as dpkg does.
            let script = "use Fcntl; open(F, '+>>', $ARGV[0]) or die; \
                my $l = pack('s s x4 q q i x4', F_WRLCK, 0, 0, 0, 0); \
                fcntl(F, F_SETLK, $l) or die; $| = 1; print 'x'; sleep 600";
            let mut child = Command::new("perl")
                .args(["-e", script])
                .arg(path)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut locked = [0];
            child
                .stdout
                .as_mut()
                .unwrap()
                .read_exact(&mut locked)
                .unwrap();
            Self(child)
        }

        pub(crate) fn pid(&self) -> u32 {
            self.0.id()
        }
    }

    impl Drop for Locker {
        fn drop(&mut self) {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_named_until_it_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert_eq!(holder(&path).unwrap(), None);
        let locker = samples::Locker::on(&path);
        let found = holder(&path).unwrap().unwrap();
        assert_eq!(
            (found.pid.unsigned_abs(), found.name.as_str()),
            (locker.pid(), "perl")
        );
        let said = found.to_string();
        let own = format!(" of process {} (", std::process::id());
        assert!(said.contains(&own) && said.ends_with(" s"), "{said}");
        drop(locker);
        assert_eq!(holder(&path).unwrap(), None);
    }
}
