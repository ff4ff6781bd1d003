//! What the package manager's database says is installed: of any root, at any hour. dpkg's is read without
//! dpkg.

mod rpm;

use super::{contents::stamp, pattern::gone_is_none};
use crate::{
    host::{command::RunError, durable::FileError, root::Root, stamp::Stamp},
    packages::choice,
};
use cofferdam_engine::package::PackageFormat;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

/// Where the database is, below the root.
pub const STATUS: &str = "/var/lib/dpkg/status";

/// The most bytes of a database that are read: a hundred times that of a server (measured: 0.7 MB for 740
/// packages).
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The packages on a root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Installed {
    /// The version of each, by name and architecture, as in `tea:all`; of one with several, all of them. One
    /// that is half installed counts;
    /// one of which only config files remain does not.
    pub packages: BTreeMap<String, String>,
    /// Those of them that are not fully installed, in the database's order.
    pub unfinished: Vec<String>,
}

/// What is installed cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum InstalledError {
    /// There is no database.
    #[error("there is no {}: drift is detected on hosts with dpkg or rpm only", .0.display())]
    Missing(PathBuf),
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// rpm does not say it.
    #[error("rpm does not say what is installed: {0}")]
    NotTold(String),
    /// rpm cannot be asked.
    #[error(transparent)]
    Run(#[from] RunError),
    /// It is longer than any database.
    #[error("{} has more than {MOST_BYTES} bytes", .0.display())]
    TooLong(PathBuf),
}

/// What tells, without reading anything, whether [`read`] would say the same again: the stamps of the files
/// of a root's database. Absent: nothing that can be looked at.
///
/// # Errors
/// [`FileError`] when their path cannot be followed.
pub fn stamps(root: &Root) -> Result<Vec<Option<Stamp>>, FileError> {
    Ok(match choice::format_of(root) {
        PackageFormat::Deb => vec![stamp(&place(root)?)],
        PackageFormat::Rpm => rpm::places(root).iter().map(|file| stamp(file)).collect(),
    })
}

/// Where dpkg's database of a root really is.
///
/// # Errors
/// [`FileError`] when its path cannot be followed.
fn place(root: &Root) -> Result<PathBuf, FileError> {
    let path = Path::new(STATUS);
    root.resolve(path)
        .map_err(FileError::of("looking up", path))
}

/// Reads the database of a root.
///
/// # Errors
/// [`InstalledError`] when there is none, or it cannot be read.
pub fn read(root: &Root) -> Result<Installed, InstalledError> {
    match choice::format_of(root) {
        PackageFormat::Deb => read_dpkg(root),
        PackageFormat::Rpm => rpm::read(root),
    }
}

fn read_dpkg(root: &Root) -> Result<Installed, InstalledError> {
    let path = place(root)?;
    let unreadable = FileError::of("reading", &path);
    let opened = gone_is_none(File::open(&path)).map_err(FileError::of("opening", &path))?;
    let file = opened.ok_or_else(|| InstalledError::Missing(path.clone()))?;
    let mut some = BufReader::new(file.take(MOST_BYTES));
    let installed = parse(&mut some).map_err(unreadable)?;
    if some.into_inner().limit() == 0 {
        return Err(InstalledError::TooLong(path));
    }
    Ok(installed)
}

/// Reads the text of dpkg's database. A stanza without a name, an architecture, a version or a status is no
/// package, and neither is anything else that is not understood.
///
/// # Errors
/// The reader's.
pub fn parse(mut text: impl BufRead) -> io::Result<Installed> {
    let mut installed = Installed::default();
    let mut stanza = Stanza::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let is_end = text.read_until(b'\n', &mut line)? == 0;
        let words = String::from_utf8_lossy(&line);
        let words = words.trim_end();
        if words.is_empty() {
            std::mem::take(&mut stanza).count(&mut installed);
        } else {
            stanza.take_in(words);
        }
        if is_end {
            return Ok(installed);
        }
    }
}

#[derive(Default)]
struct Stanza {
    name: String,
    architecture: String,
    version: String,
    status: String,
}

impl Stanza {
    fn take_in(&mut self, line: &str) {
        if line.starts_with([' ', '\t']) {
            return;
        }
        let Some((field, value)) = line.split_once(':') else {
            return;
        };
        let place = match field {
            "Package" => &mut self.name,
            "Architecture" => &mut self.architecture,
            "Version" => &mut self.version,
            "Status" => &mut self.status,
            _ => return,
        };
        value.trim().clone_into(place);
    }

    fn count(self, installed: &mut Installed) {
        // `want flag status`, as in `install ok installed`.
        let status = self.status.split(' ').nth(2).unwrap_or_default();
        let is_named = ![&self.name, &self.architecture, &self.version]
            .into_iter()
            .any(String::is_empty);
        if !is_named || matches!(status, "" | "not-installed" | "config-files") {
            return;
        }
        let name = format!("{}:{}", self.name, self.architecture);
        if !matches!(
            status,
            "installed" | "triggers-pending" | "triggers-awaited"
        ) {
            installed.unfinished.push(name.clone());
        }
        installed.packages.insert(name, self.version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Put together by hand, in the form of the status file of dpkg 1.21.22.
    const SAMPLE: &str = "\
Package: adduser
Status: install ok installed
Priority: important
Architecture: all
Version: 3.134
Conffiles:
 /etc/adduser.conf cc3493ecd2d09837ffdcc3e25fdfff18
Description: add and remove users and groups
 Version: 9 is no field here
 .

Package: libc6
Status: hold ok installed
Architecture: i386
Version: 1:2.36-9+deb12u4

Package: old-conf
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: scr
Status: install ok half-configured
Architecture: all
Version: 1

Package: waits
Status: install ok triggers-awaited
Architecture: all
Version: 2
";

    #[test]
    fn what_is_installed_is_told_from_what_was() {
        let installed = parse(SAMPLE.as_bytes()).unwrap();
        let all: Vec<(&str, &str)> = installed
            .packages
            .iter()
            .map(|(name, version)| (name.as_str(), version.as_str()))
            .collect();
        let expected = [
            ("adduser:all", "3.134"),
            ("libc6:i386", "1:2.36-9+deb12u4"),
            ("scr:all", "1"),
            ("waits:all", "2"),
        ];
        assert_eq!(all, expected);
        assert_eq!(installed.unfinished, ["scr:all"]);
    }

    #[test]
    fn garbage_is_no_package_and_no_panic() {
        let cut = SAMPLE.split_at(60).0;
        let cases: [&[u8]; 8] = [
            b"",
            b"\n\n\n",
            b":::\n : \nPackage\n",
            b"Package: a\nStatus: install ok installed\nVersion: 1\n",
            b"Package: a\nStatus: installed\nVersion: 1\nArchitecture: all\n",
            b"Package:\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
            b"\xff\xfe\0\xff: \xff\nPackage: \xff",
            cut.as_bytes(),
        ];
        for text in cases {
            assert_eq!(parse(text).unwrap(), Installed::default(), "{text:?}");
        }
    }

    #[test]
    fn a_root_without_a_database_is_said_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path()).unwrap();
        let error = read(&root).unwrap_err().to_string();
        assert!(
            error.contains("var/lib/dpkg/status: drift is detected"),
            "{error}"
        );
        let path = root.join(STATUS);
        fs::create_dir_all(&path).unwrap();
        assert!(matches!(read(&root), Err(InstalledError::File(_))));
        fs::remove_dir(&path).unwrap();
        fs::write(&path, SAMPLE).unwrap();
        assert_eq!(read(&root).unwrap().packages.len(), 4);
    }
}
