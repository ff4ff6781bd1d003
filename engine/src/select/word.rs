//! The words of the language.

use super::SelectError;

/// One word, and what it looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    Open,
    Close,
    Comma,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    And,
    Or,
    Not,
    In,
    /// A label, a package, a version, a unit: whoever takes it says which.
    Bare(String),
    /// A text in double quotes, without them.
    Text(String),
    End,
}

impl Word {
    /// What a message calls it.
    pub(crate) fn show(&self) -> String {
        let plain = match self {
            Self::Open => "`(`",
            Self::Close => "`)`",
            Self::Comma => "`,`",
            Self::Equal => "`==`",
            Self::Unequal => "`!=`",
            Self::Less => "`<`",
            Self::AtMost => "`<=`",
            Self::Greater => "`>`",
            Self::AtLeast => "`>=`",
            Self::And => "`and`",
            Self::Or => "`or`",
            Self::Not => "`not`",
            Self::In => "`in`",
            Self::End => "the end",
            Self::Bare(word) => return format!("`{word}`"),
            Self::Text(text) => return format!("the text \"{text}\""),
        };
        plain.to_owned()
    }
}

/// The word that `rest` begins with, and its length. `at` is where `rest` stands in the whole.
pub(super) fn word(rest: &str, at: usize) -> Result<(Word, usize), SelectError> {
    /// Longer ones first.
    const MARKS: [(&str, Word); 9] = [
        ("(", Word::Open),
        (")", Word::Close),
        (",", Word::Comma),
        ("==", Word::Equal),
        ("!=", Word::Unequal),
        ("<=", Word::AtMost),
        (">=", Word::AtLeast),
        ("<", Word::Less),
        (">", Word::Greater),
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
    let len = rest.find(|c| !is_bare(c)).unwrap_or(rest.len());
    if len == 0 {
        return Err(SelectError::Unknown { at, found: first });
    }
    let bare = &rest[..len];
    let word = keyword(bare).unwrap_or_else(|| Word::Bare(bare.to_owned()));
    Ok((word, len))
}

/// The word that stands for itself wherever it stands without quotes.
pub(crate) fn keyword(bare: &str) -> Option<Word> {
    match bare {
        "and" => Some(Word::And),
        "or" => Some(Word::Or),
        "not" => Some(Word::Not),
        "in" => Some(Word::In),
        _ => None,
    }
}

/// What may stand in a label.
pub(super) fn is_in_label(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')
}

/// What may stand in a label, in a package's name or version, or in the name of a unit.
fn is_bare(c: char) -> bool {
    is_in_label(c) || matches!(c, '+' | ':' | '~' | '^' | '@' | '\\')
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
