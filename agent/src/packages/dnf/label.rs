//! What a package file of rpm's says of itself.

use super::database::version;
use crate::packages::{database::full_name, stanza::Label};
use std::collections::BTreeSet;

/// The format in which rpm is asked for a label.
pub const FORMAT: &str =
    "%{NAME}|%{ARCH}|%{EPOCHNUM}|%{VERSION}-%{RELEASE}|%{LONGSIZE}|%{FILENAMES:arraysize}\n";

/// The format in which rpm is asked what a package needs and stands for.
pub const RELATIONS: &str =
    "source|%{SOURCERPM}\n[needs|%{REQUIRENAME}\n][stands|%{PROVIDENAME}\n]";

/// What a package needs and stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relations {
    /// The names that it needs: packages, files, libraries.
    pub needs: BTreeSet<String>,
    /// The names that it stands for, its own among them.
    pub stands_for: BTreeSet<String>,
    /// The name and version of its source package, without an epoch. Absent: it does not say.
    pub source: Option<(String, String)>,
}

/// Reads the answer to [`FORMAT`]. Absent: it names no package.
pub fn parse(text: &str) -> Option<Label> {
    let mut columns = text.lines().next()?.split('|');
    let (name, architecture) = (columns.next()?, columns.next()?);
    let version = version(columns.next()?, columns.next()?)?;
    let mut number = || columns.next().and_then(|number| number.parse::<u64>().ok());
    let (bytes, files) = (number(), number());
    if name.is_empty() || architecture.is_empty() {
        return None;
    }
    Some(Label {
        name: name.to_owned(),
        version,
        architecture: architecture.to_owned(),
        installed_kib: bytes.unwrap_or(0).div_ceil(1024),
        files,
    })
}

/// The name of a labelled package on a host of an architecture.
pub fn name(label: &Label, native: &str) -> String {
    full_name(&label.name, &label.architecture, native)
}

/// Reads the answer to [`RELATIONS`]. Lines of another form are left out.
pub fn relations(text: &str) -> Relations {
    let mut relations = Relations::default();
    for (kind, value) in text.lines().filter_map(|line| line.split_once('|')) {
        match kind {
            "needs" => drop(relations.needs.insert(value.to_owned())),
            "stands" => drop(relations.stands_for.insert(value.to_owned())),
            "source" => relations.source = source(value),
            _ => {}
        }
    }
    relations
}

/// Reads the name of a source package's file, as in `openssl-3.0.7-24.el9.src.rpm`.
pub fn source(file: &str) -> Option<(String, String)> {
    let stem = file.strip_suffix(".rpm")?;
    let (stem, _architecture) = stem.rsplit_once('.')?;
    let (stem, release) = stem.rsplit_once('-')?;
    let (name, version) = stem.rsplit_once('-')?;
    let is_whole = ![name, version, release].contains(&"");
    is_whole.then(|| (name.to_owned(), format!("{version}-{release}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_it_is() {
        // Of packages that were built for this test with rpm 4.18.0, and garbage.
        let label = parse("tool|noarch|1|2-1|4097|3\n").unwrap();
        assert_eq!((label.version.as_str(), label.installed_kib), ("1:2-1", 5));
        assert_eq!(
            (label.files, label.architecture.as_str()),
            (Some(3), "noarch")
        );
        assert_eq!(parse("empty|x86_64|0|2-1|0|(none)\n").unwrap().files, None);
        for garbage in ["", "tool|noarch|1", "|noarch|0|1-1|1|1", "tool||0|1-1|1|1"] {
            assert_eq!(parse(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn a_package_says_what_it_needs_and_what_it_is_built_of() {
        let said = relations(
            "source|openssl-3.0.7-24.el9.src.rpm\nneeds|libc.so.6()(64bit)\nstands|openssl\nx\n",
        );
        let source = ("openssl".to_owned(), "3.0.7-24.el9".to_owned());
        assert_eq!(said.source, Some(source));
        assert!(said.needs.contains("libc.so.6()(64bit)") && said.stands_for.contains("openssl"));
        for garbage in ["(none)", "", "a.rpm", "a-1.src.rpm", "-1-1.src.rpm"] {
            assert_eq!(super::source(garbage), None, "{garbage}");
        }
    }
}
