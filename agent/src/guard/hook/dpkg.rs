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

/// Options that have their value in the next word unless an `=` follows.
const WITH_VALUE: [&str; 9] = [
    "--root",
    "--instdir",
    "--admindir",
    "--log",
    "--status-fd",
    "--status-logger",
    "--ignore-depends",
    "--path-exclude",
    "--path-include",
];

/// Reads dpkg's command line, without the program.
pub fn parse(arguments: &[String]) -> Transaction {
    let plain = plain_words(arguments);
    let by_name = arguments
        .iter()
        .any(|word| BY_NAME.contains(&word.as_str()));
    let is_whole = !arguments
        .iter()
        .any(|word| matches!(word.as_str(), "-a" | "--pending" | "--recursive" | "-R"));
    let name = |word: &&String| word.split(':').next().unwrap_or_default().to_owned();
    Transaction {
        packages: plain.iter().map(|word| printable(word)).collect(),
        names: (by_name && is_whole).then(|| plain.iter().map(name).collect()),
        target: target(arguments),
    }
}

/// What a dpkg with these options changes. In doubt, the machine.
pub fn target(options: &[String]) -> Target {
    if options
        .iter()
        .any(|word| ONLY_SAYS.contains(&word.as_str()))
    {
        return Target::Elsewhere;
    }
    let mut database = None;
    let mut files = None;
    for (name, value) in values(options) {
        match name {
            "--root" => {
                database = Some(format!("{value}{DATABASE}"));
                files = Some(value);
            }
            "--instdir" => files = Some(value),
            "--admindir" => database = Some(value),
            _ => {}
        }
    }
    let is_other = |given: Option<String>, own: &str| {
        given.is_some_and(|given| are_different(Path::new(&given), Path::new(own)))
    };
    if is_other(database, DATABASE) && is_other(files, "/") {
        Target::Elsewhere
    } else {
        Target::Machine
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

/// Options and their values, in order.
fn values(words: &[String]) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some((name, value)) => found.push((name, value.to_owned())),
            None if WITH_VALUE.contains(&word.as_str()) => {
                let value = words.next().cloned().unwrap_or_default();
                found.push((word, value));
            }
            None => {}
        }
    }
    found
}

/// The words that are neither options nor their values.
fn plain_words(words: &[String]) -> Vec<&String> {
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if WITH_VALUE.contains(&word.as_str()) {
            words.next();
        } else if !word.starts_with('-') {
            found.push(word);
        }
    }
    found
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
            (String::new(), Target::Machine),
            ("--root".to_owned(), Target::Machine),
        ] {
            assert_eq!(target(&words(&line)), target_of_it, "{line}");
        }
    }
}
