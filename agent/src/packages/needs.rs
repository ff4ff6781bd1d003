//! Which packages need which others, by dpkg's database.

use super::{Apt, stanza::base};
use cofferdam_engine::failure::Failure;
use std::collections::{BTreeMap, BTreeSet};

/// A package's name, and what it needs: with what apt installs beside it where it is let.
const FORMAT: &str = "${Package}\t${Pre-Depends}, ${Depends}, ${Recommends}\n";

/// What each of some packages names as needed, without architectures. Of alternatives all are there.
pub type Needs = BTreeMap<String, BTreeSet<String>>;

impl Apt {
    /// What each of some installed packages needs.
    ///
    /// # Errors
    /// A [`Failure`] when the database cannot be read.
    pub async fn needs(&self, names: &[&str]) -> Result<Needs, Failure> {
        Ok(parse(&self.query_of(FORMAT, names).await?))
    }
}

fn parse(answer: &str) -> Needs {
    let lines = answer.lines().filter_map(|line| line.split_once('\t'));
    let of = |(name, needed): (&str, &str)| {
        let names = needed.split([',', '|']);
        let names = names.filter_map(|one| one.split_whitespace().next());
        let names = names.map(|name| base(name).to_owned()).collect();
        (name.to_owned(), names)
    };
    lines.map(of).collect()
}

/// Those of `new` that came because others need them: reached from packages that were there before, `old`, or
/// from new ones that none of these needs, for which somebody wished.
pub fn came_along<'a>(new: &[&'a str], old: &[&str], needs: &Needs) -> BTreeSet<&'a str> {
    let needed = |by: &str| needs.get(base(by)).into_iter().flatten();
    let all: BTreeSet<&String> = new.iter().chain(old).flat_map(|by| needed(by)).collect();
    let is_wished = |name: &&&str| !all.iter().any(|needed| *needed == base(name));
    let mut open: Vec<&str> = old.to_vec();
    open.extend(new.iter().filter(is_wished));
    let mut reached = BTreeSet::new();
    while let Some(by) = open.pop() {
        for name in new {
            let is_needed = needed(by).any(|needed| needed == base(name));
            if is_needed && reached.insert(*name) {
                open.push(name);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the form of `dpkg-query` 1.21.22.
    const ANSWER: &str = "linux-image-amd64\t, linux-image-6.1.0-49-amd64 (= 6.1.174-1), \n\
        linux-image-6.1.0-49-amd64\t, kmod, linux-base (>= 4.3~) | other:any, firmware-linux-free\nodd\n";

    #[test]
    fn what_a_package_needs_is_read_from_its_lines() {
        let needs = parse(ANSWER);
        let of = |name: &str| needs[name].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(of("linux-image-amd64"), ["linux-image-6.1.0-49-amd64"]);
        let image = ["firmware-linux-free", "kmod", "linux-base", "other"];
        assert_eq!(of("linux-image-6.1.0-49-amd64"), image);
        assert_eq!(needs.len(), 2);
    }

    #[test]
    fn what_somebody_wished_for_did_not_come_along() {
        let needs = |pairs: &[(&str, &str)]| {
            let mut needs = Needs::new();
            for (by, needed) in pairs {
                let of = needs.entry((*by).to_owned()).or_default();
                of.insert((*needed).to_owned());
            }
            needs
        };
        let came = |new: &[&'static str], old: &[&str], pairs| {
            Vec::from_iter(came_along(new, old, &needs(pairs)))
        };
        // A meta package that was there brings a new kernel, and that one what it needs.
        let chain = &[("meta", "image"), ("image", "firmware")];
        assert_eq!(
            came(&["firmware", "image"], &["meta"], chain),
            ["firmware", "image"]
        );
        assert_eq!(
            came(&["firmware", "image", "meta"], &[], chain),
            ["firmware", "image"]
        );
        assert_eq!(came(&["image:i386"], &["meta"], chain), ["image:i386"]);
        assert_eq!(came(&["image"], &[], chain), [""; 0]);
        // Two that need each other: which of them was wished for cannot be told.
        assert_eq!(came(&["a", "b"], &[], &[("a", "b"), ("b", "a")]), [""; 0]);
    }
}
