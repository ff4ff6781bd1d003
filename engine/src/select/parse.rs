//! Reads the text of a selection: words first, then the expression that they make.

use super::{Comparison, Condition, Expr, MAX_SELECTION_DEPTH, MAX_SELECTION_LEN};

/// Why a text selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// Something else stands where the language wants a certain word.
    #[error("at byte {at}: {expected} is expected, {found} stands there")]
    Expected {
        /// The byte at which it stands, from 0.
        at: usize,
        /// What the language wants there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A character that begins no word.
    #[error("at byte {at}: `{found}` means nothing here")]
    Unknown {
        /// The byte at which it stands, from 0.
        at: usize,
        /// The character.
        found: char,
    },
    /// A text without its closing quote.
    #[error("at byte {at}: the text that begins here has no closing `\"`")]
    Unclosed {
        /// The byte of its opening quote, from 0.
        at: usize,
    },
    /// A backslash before a character that needs none.
    #[error("at byte {at}: `\\{found}` is no escape: only `\\\"` and `\\\\` are")]
    Escape {
        /// The byte of the backslash, from 0.
        at: usize,
        /// The character after it.
        found: char,
    },
    /// More parentheses and `not`s within each other than [`MAX_SELECTION_DEPTH`].
    #[error("at byte {at}: more than {MAX_SELECTION_DEPTH} levels of parentheses and `not`")]
    TooDeep {
        /// The byte of the first one too many, from 0.
        at: usize,
    },
    /// More bytes than [`MAX_SELECTION_LEN`].
    #[error("it has {len} bytes; at most {MAX_SELECTION_LEN} are allowed")]
    TooLong {
        /// How many it has.
        len: usize,
    },
}

impl SelectError {
    /// The byte of the text that it is about, from 0.
    pub fn at(&self) -> usize {
        match self {
            Self::Expected { at, .. }
            | Self::Unknown { at, .. }
            | Self::Unclosed { at }
            | Self::Escape { at, .. }
            | Self::TooDeep { at } => *at,
            Self::TooLong { .. } => 0,
        }
    }
}

/// Reads a whole selection.
pub(super) fn expr(text: &str) -> Result<Expr, SelectError> {
    if text.len() > MAX_SELECTION_LEN {
        return Err(SelectError::TooLong { len: text.len() });
    }
    let mut parser = Parser::new(text)?;
    let expr = parser.or(0)?;
    parser.expect(&Word::End, "`and`, `or` or the end")?;
    Ok(expr)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Open,
    Close,
    Comma,
    Equal,
    Unequal,
    And,
    Or,
    Not,
    In,
    Label(String),
    Text(String),
    End,
}

impl Word {
    fn show(&self) -> String {
        let plain = match self {
            Self::Open => "`(`",
            Self::Close => "`)`",
            Self::Comma => "`,`",
            Self::Equal => "`==`",
            Self::Unequal => "`!=`",
            Self::And => "`and`",
            Self::Or => "`or`",
            Self::Not => "`not`",
            Self::In => "`in`",
            Self::End => "the end",
            Self::Label(name) => return format!("`{name}`"),
            Self::Text(text) => return format!("the text \"{text}\""),
        };
        plain.to_owned()
    }
}

/// Reads words from the left, one ahead.
struct Parser<'t> {
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

    fn or(&mut self, depth: usize) -> Result<Expr, SelectError> {
        let mut any = vec![self.and(depth)?];
        while self.take(&Word::Or)? {
            any.push(self.and(depth)?);
        }
        Ok(join(any, Expr::Or, |expr| match expr {
            Expr::Or(inner) => Ok(inner),
            other @ (Expr::And(_) | Expr::Not(_) | Expr::Condition(_)) => Err(other),
        }))
    }

    fn and(&mut self, depth: usize) -> Result<Expr, SelectError> {
        let mut all = vec![self.not(depth)?];
        while self.take(&Word::And)? {
            all.push(self.not(depth)?);
        }
        Ok(join(all, Expr::And, |expr| match expr {
            Expr::And(inner) => Ok(inner),
            other @ (Expr::Or(_) | Expr::Not(_) | Expr::Condition(_)) => Err(other),
        }))
    }

    fn not(&mut self, depth: usize) -> Result<Expr, SelectError> {
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
        self.condition().map(Expr::Condition)
    }

    fn condition(&mut self) -> Result<Condition, SelectError> {
        let Word::Label(label) = self.next.clone() else {
            return Err(self.expected("a label, `not` or `(`"));
        };
        self.advance()?;
        Ok(Condition {
            label,
            comparison: self.comparison()?,
        })
    }

    fn comparison(&mut self) -> Result<Comparison, SelectError> {
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

    /// Goes past the next word if it is this one.
    fn take(&mut self, word: &Word) -> Result<bool, SelectError> {
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

    fn expected(&self, expected: &'static str) -> SelectError {
        SelectError::Expected {
            at: self.at,
            expected,
            found: self.next.show(),
        }
    }

    fn advance(&mut self) -> Result<(), SelectError> {
        let rest = self.text[self.after..].trim_start();
        self.at = self.text.len() - rest.len();
        let (word, len) = word(rest, self.at)?;
        self.next = word;
        self.after = self.at + len;
        Ok(())
    }
}

/// The word that `rest` begins with, and its length. `at` is where `rest` stands in the selection.
fn word(rest: &str, at: usize) -> Result<(Word, usize), SelectError> {
    const MARKS: [(&str, Word); 5] = [
        ("(", Word::Open),
        (")", Word::Close),
        (",", Word::Comma),
        ("==", Word::Equal),
        ("!=", Word::Unequal),
    ];
    let Some(first) = rest.chars().next() else {
        return Ok((Word::End, 0));
    };
    for (mark, word) in MARKS {
        if rest.starts_with(mark) {
            return Ok((word, mark.len()));
        }
    }
    if first == '"' {
        return quoted(rest, at);
    }
    if first == '=' {
        return Err(SelectError::Expected {
            at,
            expected: "`==`",
            found: "`=`".to_owned(),
        });
    }
    let len = rest.find(|c| !is_in_label(c)).unwrap_or(rest.len());
    if len == 0 {
        return Err(SelectError::Unknown { at, found: first });
    }
    let word = match &rest[..len] {
        "and" => Word::And,
        "or" => Word::Or,
        "not" => Word::Not,
        "in" => Word::In,
        label => Word::Label(label.to_owned()),
    };
    Ok((word, len))
}

fn is_in_label(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')
}

/// The text in double quotes that `rest` begins with, and its length with its quotes.
fn quoted(rest: &str, at: usize) -> Result<(Word, usize), SelectError> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return Ok((Word::Text(text), i + 1)),
            '\\' => match chars.next() {
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                Some((_, found)) => return Err(SelectError::Escape { at: at + i, found }),
                None => break,
            },
            other => text.push(other),
        }
    }
    Err(SelectError::Unclosed { at })
}

/// One expression of several, with those of the same kind merged into it; a single one stays as it
/// is.
fn join(
    mut exprs: Vec<Expr>,
    kind: impl Fn(Vec<Expr>) -> Expr,
    inner: impl Fn(Expr) -> Result<Vec<Expr>, Expr>,
) -> Expr {
    if exprs.len() == 1 {
        return exprs.remove(0);
    }
    let merged = exprs
        .into_iter()
        .flat_map(|expr| inner(expr).unwrap_or_else(|other| vec![other]))
        .collect();
    kind(merged)
}
