//! Reads a statement. Others wrote it, and it may be anything.

use super::{Bits, MAX_STATEMENT_LEN, Place, Statement, VERSION, bits::ANYWHERE};
use crate::{
    date::Date,
    digest::Digest,
    id::{Generation, RolloutId},
    inventory::Platform,
    plan::Amends,
    select::Selection,
    spec,
};

/// What every version begins with.
const KIND: &str = "cofferdam-rollout ";

/// Why a text is no statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// It is too long to be one.
    #[error("a statement has at most {MAX_STATEMENT_LEN} bytes, this has {0}")]
    TooLong(usize),
    /// It is of a version that this release does not know.
    #[error("`{KIND}{0}` is of another release: this one reads `{VERSION}`")]
    Version(String),
    /// It is another kind of text.
    #[error("a statement begins with `{VERSION}`")]
    NoStatement,
    /// A line does not say what it should.
    #[error("line {line}: `{key} ..` is expected")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// The word that it begins with.
        key: &'static str,
    },
    /// It says the same in other bytes.
    #[error("it is not written as a statement is: make it with `cofferdam sign`")]
    OtherForm,
}

impl Statement {
    /// Reads a statement.
    ///
    /// # Errors
    /// [`StatementError`] when it is none, of another version, or not in its one form.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        if text.len() > MAX_STATEMENT_LEN {
            return Err(StatementError::TooLong(text.len()));
        }
        let mut lines = Lines::of(text)?;
        let statement = Self {
            rollout: lines.read("rollout", |text| RolloutId::new(text).ok())?,
            made: lines.read("made", date)?,
            until: lines.read("until", date)?,
            amends: lines.read_if("amends", amends)?,
            file: lines.read("file", digest)?,
            lock: lines.read("lock", digest)?,
            selection: lines.read("match", |text| Selection::parse(text).ok())?,
            reboot: lines.read("reboot", |text| of_word(&spec::REBOOTS, text))?,
            restart: lines.read("restart", |text| of_word(&spec::RESTARTS, text))?,
            kernel_fallback: lines.read("kernel-fallback", |text| {
                of_word(&spec::KERNEL_FALLBACKS, text)
            })?,
            conffiles: lines.read("conffiles", |text| match text {
                "none" => Some(None),
                text => digest(text).map(Some),
            })?,
            one_way: lines.read("one-way", |text| match text {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            })?,
            bits: lines.rest("bits", bits)?,
        };
        // What is left over, and what is written in another way, is not what was read.
        match statement.to_string() == text {
            true => Ok(statement),
            false => Err(StatementError::OtherForm),
        }
    }
}

/// The lines of a statement that were not read yet.
struct Lines<'t> {
    lines: Vec<&'t str>,
    next: usize,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Result<Self, StatementError> {
        let lines: Vec<&str> = text.lines().collect();
        match lines.first() {
            Some(first) if *first == VERSION => Ok(Self { lines, next: 1 }),
            Some(first) => Err(match first.strip_prefix(KIND) {
                Some(version) => StatementError::Version(version.escape_debug().take(20).collect()),
                None => StatementError::NoStatement,
            }),
            None => Err(StatementError::NoStatement),
        }
    }

    /// What the next line says after its word. Nothing when it begins with another.
    fn value(&self, key: &str) -> Option<&'t str> {
        let line = self.lines.get(self.next)?;
        line.strip_prefix(key)?.strip_prefix(' ')
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&'t str) -> Option<T>,
    ) -> Result<T, StatementError> {
        let value = self.value(key).and_then(read);
        self.next += 1;
        let line = self.next;
        value.ok_or(StatementError::Line { line, key })
    }

    /// The same of a line that may be absent.
    fn read_if<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&'t str) -> Option<T>,
    ) -> Result<Option<T>, StatementError> {
        match self.value(key) {
            Some(_) => self.read(key, read).map(Some),
            None => Ok(None),
        }
    }

    /// The same of all lines that are left.
    fn rest<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&'t str) -> Option<T>,
    ) -> Result<Vec<T>, StatementError> {
        let mut all = Vec::new();
        while self.next < self.lines.len() {
            all.push(self.read(key, &read)?);
        }
        Ok(all)
    }
}

fn of_word<T: Copy>(words: &[(&str, T)], text: &str) -> Option<T> {
    let known = words.iter().find(|(word, _)| *word == text);
    known.map(|(_, value)| *value)
}

fn date(text: &str) -> Option<Date> {
    Date::parse(text).ok()
}

fn digest(text: &str) -> Option<Digest> {
    Digest::parse(text).ok()
}

fn amends(text: &str) -> Option<Amends> {
    let mut words = text.splitn(3, ' ');
    Some(Amends {
        rollout: RolloutId::new(words.next()?).ok()?,
        generation: Generation(words.next()?.parse().ok()?),
        rollout_digest: digest(words.next()?)?,
    })
}

fn bits(text: &str) -> Option<Bits> {
    let mut words = text.splitn(3, ' ');
    let place = match words.next()? {
        ANYWHERE => Place::Anywhere,
        platform => {
            let (os_release, architecture) = platform.split_once('/')?;
            Place::Platform(Platform {
                os_release: os_release.to_owned(),
                architecture: architecture.to_owned(),
            })
        }
    };
    Some(Bits {
        place,
        digest: digest(words.next()?)?,
        what: words.next()?.to_owned(),
    })
}
