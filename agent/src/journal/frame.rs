//! How records stand in a file: one line a unit, `VERSION CRC32 JSON`.
//!
//! The version is the format's, in decimal; the checksum is of the JSON's bytes, in eight
//! hexadecimal digits; the JSON is an array of records and has no line break in it.

use super::Record;

/// The format that this release writes, and the newest that it reads.
pub(super) const VERSION: u32 = 1;

/// Why a line is no unit of records.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// It is not of the form `VERSION CRC32 JSON`.
    #[error("not a record")]
    Malformed,
    /// The checksum does not match.
    #[error("the checksum does not match")]
    Checksum,
    /// The checksum matches, and a newer release wrote it.
    #[error("written in format {0}")]
    Newer(u32),
    /// The checksum matches, and the records in it are not known.
    #[error("the records in it are not known")]
    Unknown(#[source] serde_json::Error),
}

/// Writes records as one line, with its line break.
pub(super) fn encode(records: &[Record]) -> String {
    let json = serde_json::to_string(records)
        .expect("records hold text only: names, numbers, paths that came as text");
    let checksum = crc32fast::hash(json.as_bytes());
    format!("{VERSION} {checksum:08x} {json}\n")
}

/// Reads one line without its line break.
pub(super) fn decode(line: &[u8]) -> Result<Vec<Record>, FrameError> {
    let text = str::from_utf8(line).map_err(|_| FrameError::Malformed)?;
    let mut parts = text.splitn(3, ' ');
    let mut part = || parts.next().ok_or(FrameError::Malformed);
    let (version, checksum, json) = (part()?, part()?, part()?);
    let version: u32 = version.parse().map_err(|_| FrameError::Malformed)?;
    let checksum = u32::from_str_radix(checksum, 16).map_err(|_| FrameError::Malformed)?;
    if checksum != crc32fast::hash(json.as_bytes()) {
        return Err(FrameError::Checksum);
    }
    if version > VERSION {
        return Err(FrameError::Newer(version));
    }
    serde_json::from_str(json).map_err(FrameError::Unknown)
}
