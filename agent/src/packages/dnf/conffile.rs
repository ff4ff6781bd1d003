//! Config files that came with packages of rpm's: its book on them, and what a new package brings.

use super::{Dnf, dotted};
use crate::packages::{
    conffile::{self, Conffiles},
    database::full_name,
    whole,
};
use cofferdam_engine::failure::Failure;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The format in which rpm is asked: a heading, then a line for each file, with its sum and its kinds.
const FORMAT: &str = "package|%{NAME}|%{ARCH}\n[%{FILEDIGESTS}|%{FILEFLAGS:fflags}|%{FILENAMES}\n]";

/// Takes some files out of a package file. Its names are arguments and never part of the script.
const UNPACK: &str = "rpm=$1; into=$2; shift 2; rpm2archive - <\"$rpm\" | \
                      tar --extract --gzip --directory=\"$into\" --file=- -- \"$@\"";

/// Reads the answer to [`FORMAT`]. Lines of another form are left out, and so are files that a package
/// only lays claim to.
pub fn parse(text: &str, architecture: &str) -> Conffiles {
    let mut all = BTreeMap::<String, BTreeMap<PathBuf, String>>::new();
    let mut package = None;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("package|") {
            package = heading
                .split_once('|')
                .map(|(name, of)| full_name(name, of, architecture));
        } else if let (Some(package), Some((path, sum))) = (&package, file(line)) {
            all.entry(package.clone()).or_default().insert(path, sum);
        }
    }
    Conffiles(all)
}

fn file(line: &str) -> Option<(PathBuf, String)> {
    let mut columns = line.splitn(3, '|');
    let (sum, kinds, path) = (columns.next()?, columns.next()?, columns.next()?);
    let is_config = kinds.contains('c') && !kinds.contains('g');
    let is_whole = conffile::is_sum(sum) && conffile::is_path(path);
    (is_config && is_whole).then(|| (PathBuf::from(path), sum.to_owned()))
}

impl Dnf {
    /// The config files that came with these packages, as far as they are installed.
    ///
    /// # Errors
    /// A [`Failure`] when the database cannot be read.
    pub async fn conffiles(&self, names: &[&str]) -> Result<Conffiles, Failure> {
        if names.is_empty() {
            return Ok(Conffiles::default());
        }
        let architecture = self.architecture().await?;
        let command = self
            .rpm()
            .args(["-q", "--qf", FORMAT, "--"])
            .args(names.iter().map(|name| dotted(name)));
        // Its status says only that one of them is not installed.
        let output = self.runner.run(&command).await?;
        whole(&command, &output)?;
        Ok(parse(&output.stdout.text(), &architecture))
    }

    /// The config files that a package file brings.
    ///
    /// # Errors
    /// A [`Failure`] when it is no package, or a damaged one.
    pub async fn conffiles_in(&self, file: &Path) -> Result<Vec<PathBuf>, Failure> {
        let brought = parse(&self.ask_file(file, FORMAT).await?, "");
        Ok(brought
            .0
            .into_values()
            .flat_map(BTreeMap::into_keys)
            .collect())
    }

    /// Takes files of a package file out into a folder, below which they have their own paths.
    ///
    /// # Errors
    /// A [`Failure`] when one is not in it, or cannot be written.
    pub async fn unpack(&self, file: &Path, paths: &[&Path], into: &Path) -> Result<(), Failure> {
        let command = conffile::unpacking(UNPACK, file, paths, into)?;
        self.must(&command).await.map(drop)
    }

    /// The SHA-256 sums of files, which is what rpm's book has. Those that are not there are left out.
    ///
    /// # Errors
    /// A [`Failure`] when they cannot be computed.
    pub async fn sums(&self, paths: &[PathBuf]) -> Result<BTreeMap<PathBuf, String>, Failure> {
        conffile::sums_by("sha256sum", paths, &*self.runner).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of rpm 4.18.0 with [`FORMAT`], of a package that was built for this test.
    const SAMPLE: &str = "\
package|tool|noarch
86feab735ad2165222d543df5418f6850968ea429cc505ae337c1b0eaca5b6fb|cn|/etc/tool.conf
||/usr/share/tool
4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865||/usr/share/tool/version
package nosuch is not installed
";

    #[test]
    fn config_files_are_found_among_the_files_of_a_package() {
        let found = parse(SAMPLE, "x86_64").0;
        let files: Vec<&Path> = found["tool"].keys().map(PathBuf::as_path).collect();
        assert_eq!(files, [Path::new("/etc/tool.conf")]);
        for garbage in ["", "package|a\nx|c|/y", "package|a|b\n|c|/y", "x|c|/y"] {
            assert_eq!(parse(garbage, "x86_64"), Conffiles::default(), "{garbage}");
        }
    }
}
