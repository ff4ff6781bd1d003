//! Reads the text of a selection, or of what is asked of hosts: an expression of conditions.

use super::{
    Comparison, Condition, Expr, MAX_SELECTION_DEPTH, MAX_SELECTION_LEN, SelectError,
    word::{Word, is_in_label, word},
};
use crate::query::Subject;

/// What a condition of a language is, and how it is read.
pub(crate) trait Read: Sized {
    /// Reads one condition.
    fn read(parser: &mut Parser<'_>) -> Result<Self, SelectError>;
}

/// Reads a whole text.
pub(crate) fn expr<C: Read>(text: &str) -> Result<Expr<C>, SelectError> {
    if text.len() > MAX_SELECTION_LEN {
        return Err(SelectError::TooLong { len: text.len() });
    }
    whole(text).map_err(|error| error.in_characters(text))
}

fn whole<C: Read>(text: &str) -> Result<Expr<C>, SelectError> {
    let mut parser = Parser::new(text)?;
    let expr = parser.or(0)?;
    parser.expect(&Word::End, "`and`, `or` or the end")?;
    Ok(expr)
}

/// Reads words from the left, one ahead.
pub(crate) struct Parser<'t> {
    text: &'t str,
    /// Where the next word begins.
    at: usize,
    next: Word,
    /// Where the word after it is looked for.
    after: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, SelectError> {
        let mut parser = Self {
            text,
            at: 0,
            next: Word::End,
            after: 0,
        };
        parser.advance()?;
        Ok(parser)
    }

    fn or<C: Read>(&mut self, depth: usize) -> Result<Expr<C>, SelectError> {
        let first = self.and(depth)?;
        let mut rest = Vec::new();
        while self.take(&Word::Or)? {
            rest.push(self.and(depth)?);
        }
        Ok(Expr::any(first, rest))
    }

    fn and<C: Read>(&mut self, depth: usize) -> Result<Expr<C>, SelectError> {
        let first = self.not(depth)?;
        let mut rest = Vec::new();
        while self.take(&Word::And)? {
            rest.push(self.not(depth)?);
        }
        Ok(Expr::all(first, rest))
    }

    fn not<C: Read>(&mut self, depth: usize) -> Result<Expr<C>, SelectError> {
        let at = self.at;
        if depth > MAX_SELECTION_DEPTH {
            return Err(SelectError::TooDeep { at });
        }
        if self.take(&Word::Not)? {
            return Ok(Expr::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.take(&Word::Open)? {
            let expr = self.or(depth + 1)?;
            self.expect(&Word::Close, "`and`, `or` or `)`")?;
            return Ok(expr);
        }
        C::read(self).map(Expr::Condition)
    }

    /// How the label before is compared.
    pub(crate) fn comparison(&mut self) -> Result<Comparison, SelectError> {
        if self.take(&Word::Equal)? {
            return self.text().map(Comparison::Is);
        }
        if self.take(&Word::Unequal)? {
            return self.text().map(Comparison::IsNot);
        }
        if self.take(&Word::In)? {
            return self.texts().map(Comparison::In);
        }
        if self.take(&Word::Not)? {
            self.expect(&Word::In, "`in`")?;
            return self.texts().map(Comparison::NotIn);
        }
        Err(self.expected("`==`, `!=`, `in` or `not in`"))
    }

    fn texts(&mut self) -> Result<Vec<String>, SelectError> {
        self.expect(&Word::Open, "`(`")?;
        let mut texts = vec![self.text()?];
        while self.take(&Word::Comma)? {
            // A comma may stand after the last text.
            if self.next == Word::Close {
                break;
            }
            texts.push(self.text()?);
        }
        self.expect(&Word::Close, "`,` or `)`")?;
        Ok(texts)
    }

    fn text(&mut self) -> Result<String, SelectError> {
        let Word::Text(text) = self.next.clone() else {
            return Err(self.expected("a text in double quotes"));
        };
        self.advance()?;
        Ok(text)
    }

    /// A label, or what begins a condition in its place.
    pub(crate) fn label(&mut self, expected: &'static str) -> Result<String, SelectError> {
        let Word::Bare(label) = self.next.clone() else {
            return Err(self.expected(expected));
        };
        if let Some((i, found)) = label.char_indices().find(|(_, c)| !is_in_label(*c)) {
            let at = self.at + i;
            return Err(SelectError::Unknown { at, found });
        }
        self.advance()?;
        Ok(label)
    }

    /// A word that may stand in quotes or without.
    pub(crate) fn name(&mut self, expected: &'static str) -> Result<String, SelectError> {
        let (Word::Bare(name) | Word::Text(name)) = self.next.clone() else {
            return Err(self.expected(expected));
        };
        self.advance()?;
        Ok(name)
    }

    /// The next word.
    pub(crate) fn next(&self) -> &Word {
        &self.next
    }

    /// The byte at which it begins.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Goes past the next word if it is this one.
    pub(crate) fn take(&mut self, word: &Word) -> Result<bool, SelectError> {
        if self.next != *word {
            return Ok(false);
        }
        self.advance()?;
        Ok(true)
    }

    fn expect(&mut self, word: &Word, expected: &'static str) -> Result<(), SelectError> {
        if self.next != *word {
            return Err(self.expected(expected));
        }
        self.advance()
    }

    /// That something else stands here.
    pub(crate) fn expected(&self, expected: &'static str) -> SelectError {
        SelectError::Expected {
            at: self.at,
            expected,
            found: self.next.show(),
        }
    }

    /// Goes past the next word.
    pub(crate) fn advance(&mut self) -> Result<(), SelectError> {
        let rest = self.text[self.after..].trim_start();
        self.at = self.text.len() - rest.len();
        let (word, len) = word(rest, self.at)?;
        self.next = word;
        self.after = self.at + len;
        Ok(())
    }
}

/// A condition on a label, and no other: what only a host can tell is no label.
impl Read for Condition {
    fn read(parser: &mut Parser<'_>) -> Result<Self, SelectError> {
        let at = parser.at();
        let label = parser.label("a label, `not` or `(`")?;
        if Subject::of(&label, parser.next()).is_some() {
            let begins = format!("{label} {}", parser.next().show().replace('`', ""));
            return Err(SelectError::ForHosts { at, begins });
        }
        Ok(Self {
            label,
            comparison: parser.comparison()?,
        })
    }
}
