//! Writes one value of a message so that the other side accepts it.

use super::bounds::{MAX_LINE_BYTES, MAX_WAIT};
use cofferdam_engine::{digest::Digest, time::millis};
use std::{path::Path, time::Duration};

/// Free text as a line: control characters become blanks, and it is cut to what a line may have.
pub(super) fn line(text: &str) -> String {
    let blank_control = |c: char| if c.is_control() { ' ' } else { c };
    let mut line: String = text.chars().map(blank_control).collect();
    line.truncate(line.floor_char_boundary(MAX_LINE_BYTES));
    line
}

/// Lines.
pub(super) fn lines(texts: Vec<String>) -> Vec<String> {
    texts.iter().map(|text| line(text)).collect()
}

/// The first so many lines, without those that are empty.
pub(super) fn first_lines(texts: Vec<String>, max: usize) -> Vec<String> {
    let filled = texts.iter().filter(|text| !text.is_empty());
    filled.take(max).map(|text| line(text)).collect()
}

/// A list of messages, of which the other side takes so many.
pub(super) fn first<T, W: From<T>>(parts: Vec<T>, max: usize) -> Vec<W> {
    parts.into_iter().take(max).map(W::from).collect()
}

/// A list of messages.
pub(super) fn list<T, W: From<T>>(parts: Vec<T>) -> Vec<W> {
    parts.into_iter().map(W::from).collect()
}

/// Names.
pub(super) fn names<T: Into<String>>(names: Vec<T>) -> Vec<String> {
    names.into_iter().map(Into::into).collect()
}

/// A digest.
pub(super) fn digest(digest: Digest) -> Vec<u8> {
    digest.as_bytes().to_vec()
}

/// A duration in milliseconds, at most the longest wait.
pub(super) fn wait(duration: Duration) -> u64 {
    millis(duration.min(MAX_WAIT))
}

/// A path. Paths come from TOML and from the wire, so they are UTF-8.
pub(super) fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
