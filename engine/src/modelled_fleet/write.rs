//! Writes a fleet file.

use super::{Kind, ModelledFleet, Names};
use crate::{document::quote, id::HostId};
use std::{collections::BTreeMap, fmt};

/// Where a line of names ends.
const LINE_LEN: usize = 100;

/// Writes the canonical text: a fleet file that reads back as the same fleet, defaults said.
impl fmt::Display for ModelledFleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, kind) in self.kinds.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(f, "{gap}{kind}")?;
        }
        Ok(())
    }
}

/// Writes the `[[hosts]]` of a fleet file that the kind is.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[[hosts]]")?;
        match &self.names {
            Names::Numbered { prefix, count } => {
                writeln!(f, "prefix = {}\ncount = {count}", quote(prefix))?;
            }
            Names::Listed(names) => writeln!(f, "names = {}", list(names))?,
        }
        writeln!(f, "os_release = {}", quote(&self.platform.os_release))?;
        writeln!(f, "kernel = {}", quote(&self.kernel))?;
        writeln!(f, "architecture = {}", quote(&self.platform.architecture))?;
        write!(f, "[hosts.labels]\n{}", entries(&self.labels))?;
        if !self.packages.0.is_empty() {
            write!(f, "[hosts.packages]\n{}", entries(&self.packages.0))?;
        }
        Ok(())
    }
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
