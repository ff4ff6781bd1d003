//! Reads one value of a message, and refuses what it must not be.

use super::{
    bounds::{
        MAX_ENTRIES, MAX_FILE_BYTES, MAX_LABELS, MAX_LINE_BYTES, MAX_PACKAGES, MAX_SIGNATURE_BYTES,
        MAX_SIZE, MAX_WAIT,
    },
    field::{At, FieldError, Problem},
};
use cofferdam_engine::{
    digest::Digest, id::NameError, inventory::Labels, package, time::millis, unit,
};
use std::{
    collections::BTreeMap,
    path::{Component, PathBuf},
    time::Duration,
};

/// A part that must be there.
pub(super) fn required<T>(part: Option<T>) -> Result<T, Problem> {
    part.ok_or(Problem::Missing)
}

/// A message that must be there.
pub(super) fn message<W, T>(part: Option<W>) -> Result<T, FieldError>
where
    T: TryFrom<W, Error = FieldError>,
{
    T::try_from(required(part)?)
}

/// A message that may be absent.
pub(super) fn optional<W, T>(part: Option<W>) -> Result<Option<T>, FieldError>
where
    T: TryFrom<W, Error = FieldError>,
{
    part.map(T::try_from).transpose()
}

/// A list of messages.
pub(super) fn list<W, T>(parts: Vec<W>, max: usize) -> Result<Vec<T>, FieldError>
where
    T: TryFrom<W, Error = FieldError>,
{
    list_of(parts, max, T::try_from)
}

/// A list of names.
pub(super) fn names<T>(texts: Vec<String>) -> Result<Vec<T>, FieldError>
where
    T: TryFrom<String, Error = NameError>,
{
    list_of(texts, MAX_ENTRIES, name)
}

/// A list of lines, none empty.
pub(super) fn lines(texts: Vec<String>) -> Result<Vec<String>, FieldError> {
    list_of(texts, MAX_ENTRIES, filled_line)
}

/// A short list of lines, none empty.
pub(super) fn few_lines(texts: Vec<String>, max: usize) -> Result<Vec<String>, FieldError> {
    list_of(texts, max, filled_line)
}

/// A list.
pub(super) fn list_of<W, T, E>(
    parts: Vec<W>,
    max: usize,
    read: impl Fn(W) -> Result<T, E>,
) -> Result<Vec<T>, FieldError>
where
    E: Into<FieldError>,
{
    at_most(parts.len(), max)?;
    let read_at = |(index, part)| read(part).at_index(index);
    parts.into_iter().enumerate().map(read_at).collect()
}

/// Versions by source package. Not empty.
pub(super) fn source_versions(
    texts: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, FieldError> {
    if texts.is_empty() {
        return Err(Problem::Empty.into());
    }
    at_most(texts.len(), MAX_PACKAGES)?;
    let checked = texts
        .into_iter()
        .map(|(name, version)| Ok((package_name(name)?, package_version(version)?)));
    checked.collect()
}

/// Texts by name; names must not be empty.
pub(super) fn texts_by_name(
    texts: BTreeMap<String, String>,
    max: usize,
) -> Result<BTreeMap<String, String>, FieldError> {
    at_most(texts.len(), max)?;
    let read = |(name, text)| {
        let name = filled_line(name)?;
        let text = line(text).at(&name)?;
        Ok((name, text))
    };
    texts.into_iter().map(read).collect()
}

/// The labels of a host.
pub(super) fn labels(texts: BTreeMap<String, String>) -> Result<Labels, FieldError> {
    texts_by_name(texts, MAX_LABELS).map(Labels::from)
}

fn at_most(len: usize, max: usize) -> Result<(), Problem> {
    if len > max {
        return Err(Problem::TooMany { len, max });
    }
    Ok(())
}

/// A name.
pub(super) fn name<T>(text: String) -> Result<T, Problem>
where
    T: TryFrom<String, Error = NameError>,
{
    Ok(T::try_from(text)?)
}

/// A line of text, which may be empty.
pub(super) fn line(text: String) -> Result<String, Problem> {
    let len = text.len();
    if len > MAX_LINE_BYTES {
        let max = MAX_LINE_BYTES;
        return Err(Problem::TooLong { len, max });
    }
    if text.chars().any(char::is_control) {
        return Err(Problem::ControlCharacter);
    }
    Ok(text)
}

/// A line of text, which must not be empty.
pub(super) fn filled_line(text: String) -> Result<String, Problem> {
    if text.is_empty() {
        return Err(Problem::Empty);
    }
    line(text)
}

/// A line of text that may be absent, but not empty.
pub(super) fn optional_line(text: Option<String>) -> Result<Option<String>, Problem> {
    text.map(filled_line).transpose()
}

/// A package's name: it goes into a package manager's arguments.
pub(super) fn package_name(text: String) -> Result<String, Problem> {
    package::check_name(&text)?;
    Ok(text)
}

/// Names of packages.
pub(super) fn package_names(texts: Vec<String>) -> Result<Vec<String>, FieldError> {
    list_of(texts, MAX_PACKAGES, package_name)
}

/// A package's version: it goes into a package manager's arguments.
pub(super) fn package_version(text: String) -> Result<String, Problem> {
    package::check_version(&text)?;
    Ok(text)
}

/// A systemd unit's name that may be absent: it goes into systemctl's arguments.
pub(super) fn optional_unit(text: Option<String>) -> Result<Option<String>, Problem> {
    if let Some(text) = &text {
        unit::check(text)?;
    }
    Ok(text)
}

/// How many bytes a file has.
pub(super) fn size(bytes: u64) -> Result<u64, Problem> {
    if bytes > MAX_SIZE {
        let max = MAX_SIZE;
        return Err(Problem::TooLarge { bytes, max });
    }
    Ok(bytes)
}

/// The text of a file.
pub(super) fn file_text(text: String) -> Result<String, Problem> {
    self::text(text, MAX_FILE_BYTES)
}

/// A text of any number of lines, of at most so many bytes.
pub(super) fn text(text: String, max: usize) -> Result<String, Problem> {
    let len = text.len();
    if len > max {
        return Err(Problem::TooLong { len, max });
    }
    Ok(text)
}

/// Where a file is on a host.
pub(super) fn host_path(text: String) -> Result<PathBuf, Problem> {
    let path = PathBuf::from(filled_line(text)?);
    let climbs = path.components().any(|part| part == Component::ParentDir);
    if path.is_absolute() && !climbs && path.file_name().is_some() {
        return Ok(path);
    }
    Err(Problem::NotAPath(path.to_string_lossy().into_owned()))
}

/// A digest.
pub(super) fn digest(bytes: &[u8]) -> Result<Digest, Problem> {
    let len = bytes.len();
    let bytes = bytes.try_into().map_err(|_| Problem::NotADigest { len })?;
    Ok(Digest::from_bytes(bytes))
}

/// A signature or a certificate: not empty.
pub(super) fn seal(bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
    match (bytes.len(), MAX_SIGNATURE_BYTES) {
        (0, _) => Err(Problem::Empty),
        (len, max) if len > max => Err(Problem::TooLong { len, max }),
        (_, _) => Ok(bytes),
    }
}

/// A number that begins at 1.
pub(super) fn from_one<N: From<u8> + PartialEq>(number: N) -> Result<N, Problem> {
    if number == N::from(0) {
        return Err(Problem::Zero);
    }
    Ok(number)
}

/// A duration in milliseconds.
pub(super) fn wait(ms: u64) -> Result<Duration, Problem> {
    wait_within(ms, MAX_WAIT)
}

/// A duration in milliseconds that is at most this long.
pub(super) fn wait_within(ms: u64, longest: Duration) -> Result<Duration, Problem> {
    let max_ms = millis(longest);
    if ms > max_ms {
        return Err(Problem::TooLate { ms, max_ms });
    }
    Ok(Duration::from_millis(ms))
}
