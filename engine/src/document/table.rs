//! One table of a file: hands out values by key, and finds the keys that nobody asked for.

use super::{Key, Log, Problem};
use crate::{
    duration::{self, DurationError},
    select::{SelectError, Selection},
    share::{Share, ShareError},
};
use std::{collections::BTreeSet, ops::Range, time::Duration};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A table that is being read.
///
/// Each method that asks for a key returns nothing when the key is not there, and when its value
/// is wrong; the mistake is noted then.
#[derive(Debug)]
pub struct Table<'d, R> {
    name: String,
    /// Where its header stands.
    at: usize,
    entries: &'d DeTable<'d>,
    asked: Vec<&'static str>,
    log: &'d Log<'d, R>,
}

impl<'d, R> Table<'d, R> {
    pub(super) fn top(entries: &'d DeTable<'d>, log: &'d Log<'d, R>) -> Self {
        Self {
            name: String::new(),
            at: 0,
            entries,
            asked: Vec::new(),
            log,
        }
    }

    /// The byte at which the value of a key begins; where the table begins when it is not there.
    pub fn at(&self, key: &str) -> usize {
        self.entries
            .get(key)
            .map_or(self.at, |value| value.span().start)
    }

    /// Whether a key is there, whatever its value.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Whether a key is there, and its value is a text.
    pub fn is_text(&self, key: &str) -> bool {
        let value = self.entries.get(key);
        value.is_some_and(|value| value.get_ref().is_str())
    }

    /// Whether no key is there.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes keys as known whose values are not asked for.
    pub fn know(&mut self, keys: &[&'static str]) {
        self.asked.extend(keys);
    }

    /// Notes that the value of a key, or how it goes with others, is wrong.
    pub fn refuse(&self, key: &str, why: impl Into<R>) {
        self.refuse_at(self.at(key), key, why);
    }

    /// Notes that the table as a whole is wrong.
    pub fn refuse_whole(&self, why: impl Into<R>) {
        self.refuse_at(self.at, "", why);
    }

    /// Notes a missing key; `example` is a line that would do.
    pub fn require(&self, key: &'static str, example: &'static str) {
        if !self.has(key) {
            let key = self.key(key);
            self.log.note(self.at, Problem::Missing { key, example });
        }
    }

    /// A text, as `parse` takes it.
    pub fn text<T, E: Into<R>>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.take(key)?;
        let DeValue::String(text) = value.get_ref() else {
            return self.other_type(key, value, "a text in quotes");
        };
        match parse(text) {
            Ok(parsed) => Some(parsed),
            Err(why) => {
                self.refuse_at(value.span().start, key, why);
                None
            }
        }
    }

    /// A text, whatever it says, with where it stands.
    pub fn plain_text(&mut self, key: &'static str) -> Option<Text<'d>> {
        let value = self.take(key)?;
        let DeValue::String(text) = value.get_ref() else {
            return self.other_type(key, value, "a text in quotes");
        };
        Some(Text {
            text,
            span: value.span(),
        })
    }

    /// A selection; what is wrong with it is noted at its own place within the text.
    pub fn selection(&mut self, key: &'static str) -> Option<Selection>
    where
        R: From<SelectError>,
    {
        let text = self.plain_text(key)?;
        match Selection::parse(text.text) {
            Ok(selection) => Some(selection),
            Err(why) => {
                let mut before = text.text.char_indices().skip(why.at().saturating_sub(1));
                let inner = before.next().map_or(text.text.len(), |(byte, _)| byte);
                self.refuse_at(self.within(&text, inner), key, why);
                None
            }
        }
    }

    /// A duration.
    pub fn duration(&mut self, key: &'static str) -> Option<Duration>
    where
        R: From<DurationError>,
    {
        self.text(key, duration::parse)
    }

    /// A share.
    pub fn share(&mut self, key: &'static str) -> Option<Share>
    where
        R: From<ShareError>,
    {
        self.text(key, Share::parse)
    }

    /// A whole number of at least `least`, and at most what its type holds.
    pub fn count<N: TryFrom<u64>>(&mut self, key: &'static str, least: u64) -> Option<N> {
        let value = self.take(key)?;
        self.number(key, value, least)
    }

    /// A list of whole numbers, each as [`Table::count`] takes it.
    pub fn counts<N: TryFrom<u64>>(&mut self, key: &'static str, least: u64) -> Option<Vec<N>> {
        let value = self.take(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return self.other_type(key, value, "a list of whole numbers");
        };
        let numbers = items.iter().map(|item| self.number(key, item, least));
        numbers.collect()
    }

    /// A yes or no.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        let DeValue::Boolean(flag) = value.get_ref() else {
            return self.other_type(key, value, "true or false");
        };
        Some(*flag)
    }

    /// One of several words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.take(key)?;
        self.word(key, value, choices)
    }

    /// A list of such words. Nothing when one of them is another.
    pub fn choices<T: Copy + Ord>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Option<BTreeSet<T>> {
        let value = self.take(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return self.other_type(key, value, "a list of texts");
        };
        let words = items.iter().map(|item| self.word(key, item, choices));
        words.collect()
    }

    fn word<T: Copy>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let chosen = match value.get_ref() {
            DeValue::String(text) => choices.iter().find(|(word, _)| word == text),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        if let Some((_, meaning)) = chosen {
            return Some(*meaning);
        }
        let words: Vec<_> = choices
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        self.other_type(key, value, &words.join(" or "))
    }

    /// A list of texts.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        const EXPECTED: &str = "a list of texts";
        let value = self.take(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return self.other_type(key, value, EXPECTED);
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            let DeValue::String(text) = item.get_ref() else {
                return self.other_type(key, item, EXPECTED);
            };
            texts.push(text.to_string());
        }
        Some(texts)
    }

    /// A set of texts, each as `parse` takes it. Nothing when one is wrong.
    pub fn names<T: Ord, E: Into<R>>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<BTreeSet<T>> {
        let texts = self.texts(key)?;
        let mut is_whole = true;
        let mut names = BTreeSet::new();
        for text in texts {
            match parse(&text) {
                Ok(name) => drop(names.insert(name)),
                Err(why) => {
                    is_whole = false;
                    self.refuse(key, why);
                }
            }
        }
        is_whole.then_some(names)
    }

    /// The tables of a table whose keys the file's writer chose; each is called `[key.NAME]`.
    pub fn named_tables(&mut self, key: &'static str) -> Vec<(&'d str, Self)> {
        let Some(outer) = self.table(key, &format!("[{key}]")) else {
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (name, value) in outer.entries {
            let DeValue::Table(entries) = value.get_ref() else {
                outer.other_type::<()>(name.get_ref(), value, "a table");
                continue;
            };
            let name = name.get_ref().as_ref();
            let called = format!("[{key}.{name}]");
            tables.push((name, self.inner(&called, value.span().start, entries)));
        }
        tables
    }

    /// A list of lists of texts, each text with where it stands.
    pub fn text_lists(&mut self, key: &'static str) -> Option<Vec<Vec<Text<'d>>>> {
        const EXPECTED: &str = "a list of lists of texts";
        let value = self.take(key)?;
        let DeValue::Array(lists) = value.get_ref() else {
            return self.other_type(key, value, EXPECTED);
        };
        let read = lists.iter().map(|list| {
            let DeValue::Array(items) = list.get_ref() else {
                return self.other_type(key, list, EXPECTED);
            };
            let texts = items.iter().map(|item| {
                let DeValue::String(text) = item.get_ref() else {
                    return self.other_type(key, item, EXPECTED);
                };
                let span = item.span();
                Some(Text { text, span })
            });
            texts.collect()
        });
        read.collect()
    }

    /// A table within this one; `name` is what it is called.
    pub fn table(&mut self, key: &'static str, name: &str) -> Option<Self> {
        let value = self.take(key)?;
        let DeValue::Table(entries) = value.get_ref() else {
            return self.other_type(key, value, "a table");
        };
        Some(self.inner(name, value.span().start, entries))
    }

    /// Tables within this one, of the same kind; `name` is what each is called. Nothing when the
    /// key is not there, which is not the same as none.
    pub fn tables(&mut self, key: &'static str, name: &str) -> Option<Vec<Self>> {
        const EXPECTED: &str = "a list of tables";
        let value = self.take(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return self.other_type(key, value, EXPECTED);
        };
        let mut tables = Vec::new();
        for item in items.iter() {
            let DeValue::Table(entries) = item.get_ref() else {
                return self.other_type(key, item, EXPECTED);
            };
            tables.push(self.inner(name, item.span().start, entries));
        }
        Some(tables)
    }

    /// All entries of a table whose keys the file's writer chose, each a text.
    pub fn all_texts(&self) -> Vec<(&'d str, Text<'d>)> {
        let mut texts = Vec::new();
        for (key, value) in self.entries {
            let key = key.get_ref().as_ref();
            let DeValue::String(text) = value.get_ref() else {
                self.other_type::<()>(key, value, "a text in quotes");
                continue;
            };
            let span = value.span();
            texts.push((key, Text { text, span }));
        }
        texts
    }

    /// Notes every key that nobody asked for. Of those, `not_built` are known; `at_top` are known
    /// at the top of the file.
    pub fn finish(self, not_built: &[&str], at_top: &[&str]) {
        for (key, value) in self.entries {
            let at = key.span().start;
            let name = key.get_ref().as_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let key = self.key(name);
            let problem = if not_built.contains(&name) {
                Problem::NotBuiltYet { key }
            } else if at_top.contains(&name) && !value.get_ref().is_table() {
                Problem::BelongsAtTop { key }
            } else {
                let nearest = nearest(name, &self.asked);
                Problem::UnknownKey { key, nearest }
            };
            self.log.note(at, problem);
        }
    }

    /// Notes that something within the value of a key is wrong, at a byte of the file.
    pub fn refuse_at(&self, at: usize, key: &str, why: impl Into<R>) {
        let why = why.into();
        let key = self.key(key);
        self.log.note(at, Problem::Refused { key, why });
    }

    /// The byte of the file at which byte `inner` of a text stands; where the text begins, when it
    /// is written with escapes.
    pub fn within(&self, text: &Text<'_>, inner: usize) -> usize {
        let written = self.log.text.get(text.span.clone()).unwrap_or_default();
        let quotes = written
            .find(|c| c != '"' && c != '\'')
            .unwrap_or(written.len());
        if written[quotes..].starts_with(text.text) {
            return text.span.start + quotes + inner;
        }
        text.span.start
    }

    fn inner(&self, name: &str, at: usize, entries: &'d DeTable<'d>) -> Self {
        let name = if self.name.is_empty() {
            name.to_owned()
        } else {
            format!("{} {name}", self.name)
        };
        Self {
            name,
            at,
            entries,
            asked: Vec::new(),
            log: self.log,
        }
    }

    fn take(&mut self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.asked.push(key);
        self.entries.get(key)
    }

    fn number<N: TryFrom<u64>>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        least: u64,
    ) -> Option<N> {
        let count = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            DeValue::String(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        let count = count.filter(|count| *count >= least);
        count.and_then(|count| N::try_from(count).ok()).or_else(|| {
            let expected = format!("a whole number of at least {least}");
            self.other_type(key, value, &expected)
        })
    }

    fn key(&self, name: &str) -> Key {
        Key {
            table: self.name.clone(),
            name: name.to_owned(),
        }
    }

    fn other_type<T>(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) -> Option<T> {
        let problem = Problem::OtherType {
            key: self.key(key),
            expected: expected.to_owned(),
            found: show(value.get_ref()),
        };
        self.log.note(value.span().start, problem);
        None
    }
}

/// A text of a file, and where it stands.
#[derive(Debug, Clone)]
pub struct Text<'d> {
    /// The text.
    pub text: &'d str,
    /// The bytes of the file that it is written in, with its quotes.
    pub span: Range<usize>,
}

fn show(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Float(_) => "a fraction".to_owned(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// The longest key that is compared with the known ones, which are all far shorter.
const MAX_COMPARED: usize = 64;

/// The known key that an unknown one is most likely meant to be: at most a third of its letters
/// differ.
pub(crate) fn nearest(unknown: &str, known: &[&str]) -> Option<String> {
    if unknown.len() > MAX_COMPARED {
        return None;
    }
    let most = (unknown.chars().count() / 3).max(1);
    known
        .iter()
        .map(|key| (strsim::damerau_levenshtein(unknown, key), *key))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, key)| key.to_owned())
}
