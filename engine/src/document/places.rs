//! Where in a file each key stands, for what is found out long after the file was read.

use std::collections::BTreeMap;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The places of a file's keys.
///
/// A key is named by its way from the top: `bake`, `select.match`, `wave[1].match` (from 0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    file: String,
    text: String,
    /// The byte at which the value of each key begins. Lines are counted where somebody asks: a file may have
    /// many keys, and each count goes through all of it.
    keys: BTreeMap<String, usize>,
}

impl Places {
    /// The places of all keys of a file; `file` is what it is called. Of what is not TOML there are
    /// none.
    pub fn of(file: &str, text: &str) -> Self {
        let mut keys = BTreeMap::new();
        let (top, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            table("", top.get_ref(), &mut keys);
        }
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            keys,
        }
    }

    /// What the file is called.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Whether the file says a key.
    pub fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// The line and the column, both from 1, at which the value of a key begins; of the nearest
    /// table around it, when the file leaves it out.
    pub fn find(&self, key: &str) -> (usize, usize) {
        let mut way = key;
        loop {
            if let Some(place) = self.keys.get(way) {
                return super::line_and_column(&self.text, *place);
            }
            let Some(end) = way.rfind(['.', '[']) else {
                return (1, 1);
            };
            way = &way[..end];
        }
    }
}

fn table(way: &str, entries: &DeTable<'_>, keys: &mut BTreeMap<String, usize>) {
    for (key, entry) in entries {
        let key = key.get_ref();
        let way = if way.is_empty() {
            key.to_string()
        } else {
            format!("{way}.{key}")
        };
        value(way, entry, keys);
    }
}

fn value(way: String, entry: &Spanned<DeValue<'_>>, keys: &mut BTreeMap<String, usize>) {
    match entry.get_ref() {
        DeValue::Table(entries) => table(&way, entries, keys),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                value(format!("{way}[{index}]"), item, keys);
            }
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => {}
    }
    keys.insert(way, entry.span().start);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_where_its_value_begins_or_where_it_would_stand() {
        let text = "bake = \"1m\"\n[select]\nmatch = 'a'\n[[wave]]\nto = \"1%\"\n[[wave]]\n  match = 'b'\nlist = [{ x = 1 }]\n";
        let places = Places::of("f.toml", text);
        for (key, place) in [
            ("bake", (1, 8)),
            ("select", (2, 1)),
            ("select.match", (3, 9)),
            ("wave[1].match", (7, 11)),
            ("wave[1].list[0].x", (8, 15)),
            ("wave[0].match", (4, 1)),
            ("wave[7]", (4, 1)),
            ("limits[0].floor", (1, 1)),
        ] {
            assert_eq!(places.find(key), place, "{key}");
        }
        assert!(places.has("wave[1].match") && !places.has("wave[0].match"));
    }

    #[test]
    fn what_is_not_toml_has_no_places() {
        assert_eq!(Places::of("f.toml", "a = \nb = 1").find("b"), (1, 1));
    }
}
