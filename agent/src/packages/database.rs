//! What dpkg's database says is installed.

use cofferdam_engine::inventory::PackageSet;
use std::collections::BTreeMap;

/// The format in which dpkg-query is asked.
pub const FORMAT: &str = "${db:Status-Abbrev}|${Package}|${Architecture}|${Version}\\n";

/// The packages that are on the host, by name. A package of another architecture than the host's
/// is named with it, as in `libc6:i386`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Database(pub BTreeMap<String, Entry>);

/// One package that is on the host, whole or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its version.
    pub version: String,
    /// Whether it is fully installed.
    pub state: State,
    /// Whether the host's people put it on hold.
    pub on_hold: bool,
}

/// Whether a package is fully installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Unpacked and configured.
    Whole,
    /// Unpacked: dpkg can end its installation without its file.
    Unconfigured,
    /// Its files are there in part: only its own file makes it whole.
    Broken,
}

impl Database {
    /// Reads the answer to [`FORMAT`]. Lines of another form are left out, and so are packages of
    /// which only config files remain.
    pub fn parse(text: &str, architecture: &str) -> Self {
        Self(
            text.lines()
                .filter_map(|line| entry(line, architecture))
                .collect(),
        )
    }

    /// The version of a package that is fully installed. Absent: it is not.
    pub fn version(&self, name: &str) -> Option<&str> {
        let entry = self.0.get(name)?;
        (entry.state == State::Whole).then_some(entry.version.as_str())
    }

    /// The packages that a person may mean by a name, whole or not, in order of names: of every
    /// architecture, or of the one that the name says.
    pub fn called<'a>(
        &'a self,
        name: &'a str,
        native: &str,
    ) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let own = match name.split_once(':') {
            Some((own, architecture)) if architecture == native => own,
            Some(_) | None => name,
        };
        let is_any = !name.contains(':');
        let begin = self.0.range(own.to_owned()..);
        let alike = begin.take_while(move |(found, _)| found.starts_with(own));
        let meant = alike.filter(move |(found, _)| {
            let rest = &found[own.len()..];
            rest.is_empty() || (is_any && rest.starts_with(':'))
        });
        meant.map(|(found, entry)| (found.as_str(), entry))
    }

    /// The names of packages that dpkg can end the installation of.
    pub fn unconfigured(&self) -> impl Iterator<Item = &str> {
        self.names_in(State::Unconfigured)
    }

    /// The names of packages that nothing but their own files make whole.
    pub fn broken(&self) -> impl Iterator<Item = &str> {
        self.names_in(State::Broken)
    }

    fn names_in(&self, state: State) -> impl Iterator<Item = &str> {
        let wanted = self.0.iter().filter(move |(_, entry)| entry.state == state);
        wanted.map(|(name, _)| name.as_str())
    }

    /// Names and versions of all, for inventories.
    pub fn package_set(&self) -> PackageSet {
        let pairs = self.0.iter();
        PackageSet(
            pairs
                .map(|(name, entry)| (name.clone(), entry.version.clone()))
                .collect(),
        )
    }
}

fn entry(line: &str, native: &str) -> Option<(String, Entry)> {
    let mut columns = line.split('|');
    let (status, name, architecture, version) = (
        columns.next()?,
        columns.next()?,
        columns.next()?,
        columns.next()?,
    );
    let mut status = status.chars();
    let (want, is, error) = (status.next()?, status.next()?, status.next());
    let state = match (is, error) {
        // Not installed, or only config files remain.
        ('n' | 'c', _) => return None,
        ('i', None | Some(' ')) => State::Whole,
        ('U' | 'F' | 'W' | 't', None | Some(' ')) => State::Unconfigured,
        _ => State::Broken,
    };
    if name.is_empty() || version.is_empty() {
        return None;
    }
    let name = full_name(name, architecture, native);
    let entry = Entry {
        version: version.to_owned(),
        state,
        on_hold: want == 'h',
    };
    Some((name, entry))
}

/// What dpkg and rpm call the architecture of a package that runs on any.
const RUNS_ANYWHERE: [&str; 2] = ["all", "noarch"];

/// A package's name, with its architecture if that is not the host's.
pub(super) fn full_name(name: &str, architecture: &str, native: &str) -> String {
    match architecture {
        of if of == native || RUNS_ANYWHERE.contains(&of) => name.to_owned(),
        other => format!("{name}:{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together by hand, in the form of dpkg-query 1.21.22 with [`FORMAT`]: a second architecture, one
    /// package on hold, one removed, one whose postinst failed and one half unpacked.
    const SAMPLE: &str = "\
ii |adduser|all|3.134
hi |lone|all|1:2.0~rc1-1
ii |libc6|amd64|2.36-9+deb12u4
ii |libc6|i386|2.36-9+deb12u4
rc |old-conf|amd64|1.0
iF |scr|all|1
iHR|half|amd64|3
un |never||
";

    #[test]
    fn whole_broken_held_and_foreign_packages_are_told_apart() {
        let database = Database::parse(SAMPLE, "amd64");
        assert_eq!(database.version("adduser"), Some("3.134"));
        assert_eq!(database.version("libc6:i386"), Some("2.36-9+deb12u4"));
        assert_eq!(database.version("scr"), None);
        assert!(database.0["lone"].on_hold && !database.0["libc6"].on_hold);
        assert_eq!(database.unconfigured().collect::<Vec<_>>(), ["scr"]);
        assert_eq!(database.broken().collect::<Vec<_>>(), ["half"]);
        assert_eq!(database.package_set().0.len(), 6);
    }

    #[test]
    fn a_name_means_every_architecture_unless_it_says_one() {
        let database = Database::parse(SAMPLE, "amd64");
        for (name, meant) in [
            ("libc6", &["libc6", "libc6:i386"][..]),
            ("libc6:i386", &["libc6:i386"]),
            ("libc6:amd64", &["libc6"]),
            ("scr", &["scr"]),
            ("libc", &[]),
            ("old-conf", &[]),
        ] {
            let found = database.called(name, "amd64").map(|(name, _)| name);
            assert_eq!(found.collect::<Vec<_>>(), meant, "{name}");
        }
    }

    #[test]
    fn garbage_is_no_package() {
        for garbage in ["", "\n\n", "ii ", "i|||", "|a|b|c", "é|a|all|1", "ii |a"] {
            assert_eq!(
                Database::parse(garbage, "amd64"),
                Database::default(),
                "{garbage}"
            );
        }
    }
}
