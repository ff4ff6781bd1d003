//! A TOML file read with care: every mistake is found in one go, each with line, column and key.
//!
//! What a file means is its reader's business: it asks a [`Table`] for the keys that it knows, and
//! the keys that nobody asked for are mistakes. `R` is what the reader's own values and rules
//! refuse.

mod places;
mod table;
#[cfg(test)]
mod tests;

pub use places::Places;
pub use table::Table;
pub(crate) use table::nearest;

use std::{cell::RefCell, fmt};
use toml::de::{DeTable, Error};

/// The most bytes of a file that is read: what one gRPC message carries by default. A lock file of
/// ten platforms with a thousand packages each has a third of it.
pub const MAX_FILE_LEN: usize = 4 * 1024 * 1024;

/// The most mistakes that are listed; past that a file is not a slip but the wrong file (guess).
pub const MAX_MISTAKES: usize = 100;

/// All mistakes of one file, in order of their places. Displays one line each, as
/// `FILE:LINE:COLUMN: what is wrong; what to do`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes<R> {
    /// The file's name, as it was given.
    pub file: String,
    /// The mistakes. Not empty, at most [`MAX_MISTAKES`].
    pub mistakes: Vec<Mistake<R>>,
}

/// One mistake of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake<R> {
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: Problem<R>,
}

/// What is wrong at one place of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem<R> {
    /// It is not TOML.
    #[error("{0}")]
    Syntax(String),
    /// It has more bytes than [`MAX_FILE_LEN`].
    #[error("the file has {len} bytes; at most {MAX_FILE_LEN} are read")]
    TooLong {
        /// How many it has.
        len: usize,
    },
    /// No such key is known.
    #[error("unknown key \"{}\"{}{}", key.name, key.place(), hint(nearest.as_deref()))]
    UnknownKey {
        /// The key.
        key: Key,
        /// The known key that is most like it.
        nearest: Option<String>,
    },
    /// The key is known at the top of the file, not in this table.
    #[error(
        "unknown key \"{}\"{}; it belongs at the top of the file, before the first [table]",
        key.name, key.place()
    )]
    BelongsAtTop {
        /// The key.
        key: Key,
    },
    /// The key is known, what it means is not built.
    #[error("\"{}\"{} is not built yet; leave it out", key.name, key.place())]
    NotBuiltYet {
        /// The key.
        key: Key,
    },
    /// A key that must be there is not.
    #[error("\"{}\"{} is missing; write it as in `{example}`", key.name, key.place())]
    Missing {
        /// The key.
        key: Key,
        /// A line that would do.
        example: &'static str,
    },
    /// The value is of another type.
    #[error("{key}: {expected} is expected, this is {found}")]
    OtherType {
        /// The key.
        key: Key,
        /// What is expected.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The reader refuses the value, or how it goes with others.
    #[error("{key}: {why}")]
    Refused {
        /// The key.
        key: Key,
        /// What the reader says.
        why: R,
    },
}

/// Where in a file something stands. Displays as `bake in [[wave]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The table that holds it, as in `[[wave]]`. Empty: the top of the file.
    pub table: String,
    /// The key. Empty: the table as a whole.
    pub name: String,
}

impl Key {
    fn place(&self) -> String {
        if self.table.is_empty() {
            return String::new();
        }
        format!(" in {}", self.table)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            return f.write_str(&self.table);
        }
        write!(f, "{}{}", self.name, self.place())
    }
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || "; leave it out".to_owned(),
        |known| format!("; did you mean \"{known}\"?"),
    )
}

impl<R: fmt::Display> fmt::Display for Mistakes<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mistake) in self.mistakes.iter().enumerate() {
            let newline = if i == 0 { "" } else { "\n" };
            let Mistake {
                line,
                column,
                problem,
            } = mistake;
            write!(f, "{newline}{}:{line}:{column}: {problem}", self.file)?;
        }
        if self.mistakes.len() == MAX_MISTAKES {
            write!(f, "\n{}: and perhaps more", self.file)?;
        }
        Ok(())
    }
}

impl<R: fmt::Debug + fmt::Display> std::error::Error for Mistakes<R> {}

/// What a file's reader works with: the text, and the mistakes found so far.
#[derive(Debug)]
pub struct Log<'t, R> {
    text: &'t str,
    found: RefCell<Vec<(usize, Problem<R>)>>,
}

impl<R> Log<'_, R> {
    /// Notes a mistake at a byte of the text.
    pub fn note(&self, at: usize, problem: Problem<R>) {
        let mut found = self.found.borrow_mut();
        if found.len() < MAX_MISTAKES {
            found.push((at, problem));
        }
    }
}

/// Reads a file: `read` asks the top table for the keys that it knows and makes of them what the
/// file means, or nothing when it noted a mistake that prevents it.
///
/// # Errors
/// [`Mistakes`] when the text is not TOML or any mistake was noted.
///
/// # Panics
/// When `read` returns nothing and noted no mistake.
pub fn read<T, R>(
    file: &str,
    text: &str,
    read: impl FnOnce(Table<'_, R>) -> Option<T>,
) -> Result<T, Mistakes<R>> {
    let log = Log {
        text,
        found: RefCell::default(),
    };
    let meaning = parse(&log).and_then(|top| read(Table::top(&top, &log)));
    let mut found = log.found.into_inner();
    if found.is_empty() {
        return Ok(meaning.expect("a file that means nothing has a mistake"));
    }
    found.sort_by_key(|(at, _)| *at);
    Err(Mistakes {
        file: file.to_owned(),
        mistakes: found
            .into_iter()
            .map(|(at, problem)| mistake(text, at, problem))
            .collect(),
    })
}

/// A text as TOML writes it, with its quotes.
pub fn quote(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// The file as TOML. Nothing when it is none: what could be saved of it would only be wrong in
/// other ways.
fn parse<'t, R>(log: &Log<'t, R>) -> Option<DeTable<'t>> {
    let len = log.text.len();
    if len > MAX_FILE_LEN {
        log.note(0, Problem::TooLong { len });
        return None;
    }
    let (top, errors) = DeTable::parse_recoverable(log.text);
    for error in &errors {
        log.note(start_of(error), Problem::Syntax(one_line(error.message())));
    }
    errors.is_empty().then(|| top.into_inner())
}

fn start_of(error: &Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join(", ")
}

fn mistake<R>(text: &str, at: usize, problem: Problem<R>) -> Mistake<R> {
    let (line, column) = line_and_column(text, at);
    Mistake {
        line,
        column,
        problem,
    }
}

/// The line and the column, both from 1, of a byte of a text.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}
