//! Writes a fleet file.

use super::{Denied, Kind, ModelledFleet, Names, Out, Person};
use crate::{document::quote, duration::format, id::HostId, inventory::PackageSet};
use std::{collections::BTreeMap, fmt};

/// Where a line of names ends.
const LINE_LEN: usize = 100;

/// Writes the canonical text: a fleet file that reads back as the same fleet, defaults said. What is installed on
/// the hosts of several kinds is said once.
impl fmt::Display for ModelledFleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sets = SharedSets::of(&self.kinds);
        let mut gap = "";
        for kind in &self.kinds {
            f.write_str(gap)?;
            write_kind(f, kind, sets.name(&kind.packages))?;
            gap = "\n";
        }
        for (set, name) in &sets.0 {
            write!(f, "{gap}[packages.{name}]\n{}", entries(&set.0))?;
        }
        for denied in &self.denied {
            f.write_str(gap)?;
            write_denied(f, denied)?;
        }
        Ok(())
    }
}

/// The package sets that several kinds have, each with the name that the file gives it.
struct SharedSets<'f>(BTreeMap<&'f PackageSet, String>);

impl<'f> SharedSets<'f> {
    fn of(kinds: &'f [Kind]) -> Self {
        let mut kinds_with: BTreeMap<&PackageSet, usize> = BTreeMap::new();
        for kind in kinds.iter().filter(|kind| !kind.packages.0.is_empty()) {
            *kinds_with.entry(&kind.packages).or_default() += 1;
        }
        let several = kinds_with.into_iter().filter(|(_, kinds)| *kinds > 1);
        let named = several.enumerate();
        Self(
            named
                .map(|(index, (set, _))| (set, format!("set-{}", index + 1)))
                .collect(),
        )
    }

    /// What the file calls a set. Nothing: it stands with its kind.
    fn name(&self, set: &PackageSet) -> Option<&str> {
        self.0.get(set).map(String::as_str)
    }
}

fn write_kind(f: &mut fmt::Formatter<'_>, kind: &Kind, set: Option<&str>) -> fmt::Result {
    writeln!(f, "[[hosts]]")?;
    match &kind.names {
        Names::Numbered { prefix, count } => {
            writeln!(f, "prefix = {}\ncount = {count}", quote(prefix))?;
        }
        Names::Listed(names) => writeln!(f, "names = {}", list(names))?,
    }
    writeln!(f, "os_release = {}", quote(&kind.platform.os_release))?;
    writeln!(f, "kernel = {}", quote(&kind.kernel))?;
    writeln!(f, "architecture = {}", quote(&kind.platform.architecture))?;
    if let Some(set) = set {
        writeln!(f, "packages = {}", quote(set))?;
    }
    if !kind.state.is_connected {
        writeln!(f, "connected = false")?;
    }
    write!(f, "[hosts.labels]\n{}", entries(&kind.labels))?;
    if set.is_none() && !kind.packages.0.is_empty() {
        write!(f, "[hosts.packages]\n{}", entries(&kind.packages.0))?;
    }
    if let Some(Out { why, person }) = &kind.state.out {
        writeln!(f, "[hosts.out]\nwhy = {}", quote(why))?;
        if let Some(Person { by, lasts }) = person {
            writeln!(f, "by = {}\nfor = \"{}\"", quote(by), format(*lasts))?;
        }
    }
    Ok(())
}

fn write_denied(f: &mut fmt::Formatter<'_>, denied: &Denied) -> fmt::Result {
    writeln!(f, "[[denied]]\nbits = \"{}\"", denied.bits)?;
    if let Some(hosts) = &denied.hosts {
        let hosts: Vec<HostId> = hosts.iter().cloned().collect();
        writeln!(f, "hosts = {}", list(&hosts))?;
    }
    if let Some(by) = &denied.by {
        writeln!(f, "by = {}", quote(by.as_str()))?;
    }
    if !denied.why.is_empty() {
        writeln!(f, "why = {}", quote(&denied.why))?;
    }
    Ok(())
}

/// The lines of a table: keys may need quotes too.
fn entries(texts: &BTreeMap<String, String>) -> toml::Table {
    let text = |(key, text): (&String, &String)| (key.clone(), text.as_str().into());
    texts.iter().map(text).collect()
}

/// A list of names: in one line where they fit.
fn list(names: &[HostId]) -> String {
    let names: Vec<String> = names.iter().map(|name| quote(name.as_str())).collect();
    let line = names.join(", ");
    if line.len() < LINE_LEN - "names = []".len() {
        return format!("[{line}]");
    }
    let (mut text, mut line_len) = ("[".to_owned(), LINE_LEN);
    for name in names {
        line_len += name.len() + 2;
        if line_len > LINE_LEN {
            text += "\n ";
            line_len = 1 + name.len() + 2;
        }
        text += &format!(" {name},");
    }
    text + "\n]"
}
