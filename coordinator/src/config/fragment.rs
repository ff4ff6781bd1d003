//! A config file's keys, each read alone.

use super::Mistake;
use std::collections::BTreeMap;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Every key that a config file may have.
const KEYS: [&str; 10] = [
    "listen",
    "http",
    "region",
    "regions",
    "cert",
    "key",
    "ca",
    "trust_domain",
    "data_dir",
    "heartbeat",
];

/// A value with the line that it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OnLine<T> {
    pub(super) line: usize,
    pub(super) value: T,
}

/// The keys of a file. Those that are absent are absent here.
#[derive(Debug, Default)]
pub(super) struct Fragment {
    texts: BTreeMap<&'static str, OnLine<String>>,
    pub(super) regions: Option<OnLine<Vec<String>>>,
}

impl Fragment {
    /// Reads a file's text as far as it can be read, and notes what cannot.
    pub(super) fn read(text: &str, mistakes: &mut Vec<Mistake>) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let line = error.span().map(|span| line_of(text, span.start));
            let message = error.message().to_owned();
            mistakes.push(Mistake { line, message });
        }
        let mut fragment = Self::default();
        for (key, value) in table.get_ref() {
            let line = line_of(text, key.span().start);
            if let Err(message) = fragment.take(key.get_ref(), line, value) {
                let line = Some(line);
                mistakes.push(Mistake { line, message });
            }
        }
        fragment
    }

    /// The text of a key, taken out.
    pub(super) fn text(&mut self, key: &str) -> Option<OnLine<String>> {
        self.texts.remove(key)
    }

    fn take(&mut self, key: &str, line: usize, value: &Spanned<DeValue<'_>>) -> Result<(), String> {
        let Some(known) = KEYS.into_iter().find(|known| *known == key) else {
            return Err(format!(
                "unknown key `{key}`; known are {}",
                KEYS.join(", ")
            ));
        };
        if known == "regions" {
            let value = texts(value.get_ref())
                .ok_or_else(|| "`regions` must be a list of texts".to_owned())?;
            self.regions = Some(OnLine { line, value });
            return Ok(());
        }
        let DeValue::String(value) = value.get_ref() else {
            return Err(format!("`{key}` must be a text in quotes"));
        };
        let value = value.to_string();
        self.texts.insert(known, OnLine { line, value });
        Ok(())
    }
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    let DeValue::Array(items) = value else {
        return None;
    };
    let text = |item: &Spanned<DeValue<'_>>| item.get_ref().as_str().map(str::to_owned);
    items.iter().map(text).collect()
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}
