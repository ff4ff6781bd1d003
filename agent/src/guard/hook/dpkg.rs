//! What dpkg is about to do, from its command line: its hooks are told nothing else.

use super::transaction::{Target, Transaction};
use crate::guard::asker::printable;
use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// Where a machine's own dpkg has its database.
const DATABASE: &str = "/var/lib/dpkg";

/// Options after which dpkg changes nothing.
const ONLY_SAYS: [&str; 3] = ["--no-act", "--dry-run", "--simulate"];

/// Actions whose arguments are names of packages.
const BY_NAME: [&str; 6] = [
    "--configure",
    "--remove",
    "--purge",
    "-r",
    "-P",
    "--triggers-only",
];

/// Options that have their value in the next word unless an `=` follows (dpkg 1.21, its table of options).
const WITH_VALUE: [&str; 15] = [
    "--root",
    "--instdir",
    "--admindir",
    "--log",
    "--status-fd",
    "--command-fd",
    "--status-logger",
    "--pre-invoke",
    "--post-invoke",
    "--ignore-depends",
    "--path-exclude",
    "--path-include",
    "--verify-format",
    "--abort-after",
    "--debug",
];

/// A command line as dpkg itself reads it: options end with the first word that is none, so that what looks
/// like one after that is a file's or a package's name, as it is where another option has it for its value.
struct Line<'a> {
    /// Options in order, each with its value. Empty: it has none.
    options: Vec<(&'a str, &'a str)>,
    /// Files, or names of packages.
    words: &'a [String],
}

impl<'a> Line<'a> {
    fn read(mut words: &'a [String]) -> Self {
        let mut options = Vec::new();
        while let Some((word, rest)) = words.split_first() {
            if !word.starts_with('-') || word == "-" {
                break;
            }
            words = rest;
            if word == "--" {
                break;
            }
            let (name, value) = match word.split_once('=') {
                Some(both) => both,
                None if WITH_VALUE.contains(&word.as_str()) => {
                    let value = rest.first().map_or("", String::as_str);
                    words = rest.get(1..).unwrap_or_default();
                    (word.as_str(), value)
                }
                None => (word.as_str(), ""),
            };
            options.push((name, value));
        }
        Self { options, words }
    }

    fn has_any(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(name, _)| names.contains(name))
    }
}

/// Reads dpkg's command line, without the program.
pub fn parse(arguments: &[String]) -> Transaction {
    let line = Line::read(arguments);
    let is_whole = !line.has_any(&["-a", "--pending", "--recursive", "-R"]);
    let names_packages = line.has_any(&BY_NAME) && is_whole;
    let name = |word: &String| word.split(':').next().unwrap_or_default().to_owned();
    Transaction {
        packages: line.words.iter().map(|word| printable(word)).collect(),
        names: names_packages.then(|| line.words.iter().map(name).collect()),
        target: line.target(),
    }
}

/// What a dpkg with these options changes. In doubt, the machine.
pub fn target(options: &[String]) -> Target {
    Line::read(options).target()
}

impl Line<'_> {
    fn target(&self) -> Target {
        if self.has_any(&ONLY_SAYS) {
            return Target::Elsewhere;
        }
        let mut database = None;
        let mut files = None;
        for &(name, value) in &self.options {
            match name {
                "--root" => {
                    database = Some(format!("{value}{DATABASE}"));
                    files = Some(value);
                }
                "--instdir" => files = Some(value),
                "--admindir" => database = Some(value.to_owned()),
                _ => {}
            }
        }
        let is_other = |given: Option<&str>, own: &str| {
            given.is_some_and(|given| are_different(Path::new(given), Path::new(own)))
        };
        if is_other(database.as_deref(), DATABASE) && is_other(files, "/") {
            Target::Elsewhere
        } else {
            Target::Machine
        }
    }
}

/// Whether both are there, and are two.
fn are_different(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).map(|meta| (meta.dev(), meta.ino()));
    match (identity(one), identity(other)) {
        (Ok(one), Ok(other)) => one != other,
        // A machine without a database of dpkg has nothing that could be changed.
        (Ok(_), Err(_)) => true,
        (Err(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn files_are_named_but_prove_no_package() {
        let transaction = parse(&words("--force-confold -i /tmp/tea_2_all.deb"));
        assert_eq!(transaction.packages, ["/tmp/tea_2_all.deb"]);
        assert_eq!(transaction.names, None);
        assert_eq!(transaction.target, Target::Machine);
    }

    #[test]
    fn names_are_names_unless_all_are_meant() {
        let some = parse(&words("--status-fd 9 --purge tea milk:amd64"));
        let names = some.names.unwrap();
        assert_eq!(names, ["tea", "milk"]);
        assert_eq!(parse(&words("--configure -a")).names, None);
        assert_eq!(parse(&words("--configure --pending")).names, None);
    }

    #[test]
    fn only_a_whole_other_root_is_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("var/lib/dpkg")).unwrap();
        let root = folder.path().display();
        for (line, target_of_it) in [
            (format!("--root={root} -i x.deb"), Target::Elsewhere),
            (format!("--root {root} -i x.deb"), Target::Elsewhere),
            (format!("--admindir={root} -i x.deb"), Target::Machine),
            (format!("--instdir={root} -i x.deb"), Target::Machine),
            (format!("--root={root} --root=/ -i x.deb"), Target::Machine),
            ("--root=// -i x.deb".to_owned(), Target::Machine),
            ("--root=/not/there -i x.deb".to_owned(), Target::Machine),
            ("--no-act -i x.deb".to_owned(), Target::Elsewhere),
            (format!("--log {root} -i x.deb"), Target::Machine),
            (format!("--log --root={root} -i x.deb"), Target::Machine),
            ("--log --no-act -i x.deb".to_owned(), Target::Machine),
            (
                "--post-invoke --no-act -i x.deb".to_owned(),
                Target::Machine,
            ),
            ("-i x.deb --no-act".to_owned(), Target::Machine),
            ("-i -- --no-act".to_owned(), Target::Machine),
            (String::new(), Target::Machine),
            ("--root".to_owned(), Target::Machine),
        ] {
            assert_eq!(target(&words(&line)), target_of_it, "{line}");
        }
    }
}
