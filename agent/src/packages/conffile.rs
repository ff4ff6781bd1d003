//! Config files that came with packages: dpkg's book on them, and what a new package brings.

use super::{Apt, complaint, database, whole};
use crate::host::{
    command::{Command, Runner},
    durable::FileError,
};
use cofferdam_engine::failure::{Failure, FailureKind};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The format in which dpkg-query is asked. The field itself is lines that begin with a blank.
const FORMAT: &str = "package|${Package}|${Architecture}\\n${Conffiles}\\n";

/// Takes some files out of a package file. Its names are arguments and never part of the script.
const UNPACK: &str = "deb=$1; into=$2; shift 2; dpkg-deb --fsys-tarfile \"$deb\" | \
                      tar --extract --directory=\"$into\" --file=- -- \"$@\"";

/// The config files of installed packages, by the package's name: each with the MD5 sum of what the
/// package brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conffiles(pub BTreeMap<String, BTreeMap<PathBuf, String>>);

impl Conffiles {
    /// Reads the answer to [`FORMAT`]. Lines of another form are left out.
    pub fn parse(text: &str, architecture: &str) -> Self {
        let mut all = BTreeMap::<String, BTreeMap<PathBuf, String>>::new();
        let mut package = None;
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("package|") {
                package = heading
                    .split_once('|')
                    .map(|(name, of)| database::full_name(name, of, architecture));
            } else if let (Some(package), Some((path, sum))) = (&package, conffile(line)) {
                all.entry(package.clone()).or_default().insert(path, sum);
            }
        }
        Self(all)
    }
}

/// Reads ` PATH SUM`, after which words may stand that say what became of it.
fn conffile(line: &str) -> Option<(PathBuf, String)> {
    let line = line.strip_prefix(' ')?;
    let at = line
        .match_indices(' ')
        .find(|(at, _)| line[at + 1..].split(' ').next().is_some_and(is_sum));
    let (path, rest) = line.split_at(at?.0);
    let sum = rest.trim_start().split(' ').next()?;
    is_path(path).then(|| (PathBuf::from(path), sum.to_owned()))
}

pub(super) fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.len() > 1
}

/// Reads a package's own list of its config files. What it takes away is none of them.
pub fn listed(text: &str) -> Vec<PathBuf> {
    let lines = text.lines().map(str::trim_end);
    lines
        .filter(|line| is_path(line))
        .map(PathBuf::from)
        .collect()
}

/// Whether it is an MD5 or a SHA-256 sum.
pub(super) fn is_sum(word: &str) -> bool {
    matches!(word.len(), 32 | 64) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads the answer of `md5sum --zero` or `sha256sum --zero`: sums by path.
pub fn sums(text: &str) -> BTreeMap<PathBuf, String> {
    let entries = text.split('\0').filter_map(|entry| {
        let (sum, path) = entry.split_once(' ')?;
        let path = path.strip_prefix([' ', '*'])?;
        is_sum(sum).then(|| (PathBuf::from(path), sum.to_owned()))
    });
    entries.collect()
}

impl Apt {
    /// The config files that came with these packages, as far as they are installed.
    ///
    /// # Errors
    /// A [`Failure`] when the database cannot be read.
    pub async fn conffiles(&self, names: &[&str]) -> Result<Conffiles, Failure> {
        if names.is_empty() {
            return Ok(Conffiles::default());
        }
        let architecture = self.architecture().await?;
        let answer = self.query_of(FORMAT, names).await?;
        Ok(Conffiles::parse(&answer, &architecture))
    }

    /// The config files that a package file brings.
    ///
    /// # Errors
    /// A [`Failure`] when it is no package, or a damaged one.
    pub async fn conffiles_in(&self, deb: &Path) -> Result<Vec<PathBuf>, Failure> {
        let command = Command::new("dpkg-deb")
            .arg("--info")
            .arg(deb)
            .arg("conffiles");
        let output = self.runner.run(&command).await?;
        if output.stderr.text().contains("no control component") {
            return Ok(Vec::new());
        }
        if !output.is_success() {
            return Err(complaint::failure(&command, &output));
        }
        whole(&command, &output)?;
        Ok(listed(&output.stdout.text()))
    }

    /// Takes files of a package file out into a folder, below which they have their own paths.
    ///
    /// # Errors
    /// A [`Failure`] when one is not in it, or cannot be written.
    pub async fn unpack(&self, deb: &Path, paths: &[&Path], into: &Path) -> Result<(), Failure> {
        let command = unpacking(UNPACK, deb, paths, into)?;
        self.must(&command).await.map(drop)
    }

    /// The MD5 sums of files, which is what dpkg's book has. Those that are not there are left out.
    ///
    /// # Errors
    /// A [`Failure`] when they cannot be computed.
    pub async fn sums(&self, paths: &[PathBuf]) -> Result<BTreeMap<PathBuf, String>, Failure> {
        sums_by("md5sum", paths, &*self.runner).await
    }
}

/// What takes some files out of a package file by a script, into a folder that is made. The script is given the
/// package file, the folder, and the files as an archive calls them.
pub(super) fn unpacking(
    script: &str,
    package: &Path,
    paths: &[&Path],
    into: &Path,
) -> Result<Command, FileError> {
    fs::create_dir_all(into).map_err(FileError::of("making", into))?;
    let members = paths.iter().map(|path| format!(".{}", path.display()));
    Ok(Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(package)
        .arg(into)
        .args(members))
}

/// The sums of files, by a program of coreutils that computes them. Those that are not there are left out.
pub(super) async fn sums_by(
    program: &str,
    paths: &[PathBuf],
    runner: &dyn Runner,
) -> Result<BTreeMap<PathBuf, String>, Failure> {
    let there: Vec<&PathBuf> = paths.iter().filter(|path| path.is_file()).collect();
    if there.is_empty() {
        return Ok(BTreeMap::new());
    }
    let command = Command::new(program).args(["--zero", "--"]).args(there);
    let output = runner.run(&command).await?;
    whole(&command, &output)?;
    if !output.is_success() {
        let detail = format!("{program}: {}", output.stderr.text().trim());
        return Err(Failure::new(FailureKind::Io, detail));
    }
    Ok(sums(&output.stdout.text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together by hand, in the form of dpkg-query 1.21.22 with [`FORMAT`]: one file of a package is
    /// obsolete, one package is of another architecture, one without config files.
    const SAMPLE: &str = "\
package|adduser|all

 /etc/adduser.conf cc3493ecd2d09837ffdcc3e25fdfff18
 /etc/with blank.conf 11a06baf8245fd8d690b99024d228c1f
package|dpkg|amd64

 /etc/cron.daily/dpkg 94bb6c1363245e46256908a5d52ba4fb obsolete
package|libc6|i386

 /etc/ld.so.conf.d/i386.conf 7be88b21f7e386c8d5a8790c2461c92b
package|tar|amd64

";

    #[test]
    fn config_files_are_read_by_package_with_their_sums() {
        let read = Conffiles::parse(SAMPLE, "amd64").0;
        let counts: Vec<_> = read
            .iter()
            .map(|(name, files)| (name.as_str(), files.len()))
            .collect();
        assert_eq!(counts, [("adduser", 2), ("dpkg", 1), ("libc6:i386", 1)]);
        let blank = &read["adduser"][Path::new("/etc/with blank.conf")];
        assert_eq!(blank, "11a06baf8245fd8d690b99024d228c1f");
    }

    #[test]
    fn lists_and_sums_are_read() {
        // A package's list may take a file away: dpkg 1.21, deb-conffiles(5).
        let list = listed("/etc/a.conf\nremove-on-upgrade /etc/b.conf\n\n/etc/c d.conf\n");
        assert_eq!(list, [Path::new("/etc/a.conf"), Path::new("/etc/c d.conf")]);
        // md5sum of coreutils 9.1, one file with a line's end in its name.
        let read = sums("0cc175b9c0f1b6a831c399e269772661  /etc/a\nb\0no sum\0");
        assert_eq!(read.keys().collect::<Vec<_>>(), [Path::new("/etc/a\nb")]);
    }
}
