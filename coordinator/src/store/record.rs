//! What is written: checked, versioned frames around opaque bytes.
//!
//! A frame is `version: 1 byte | CRC-32: 4 bytes | payload`. The checksum (IEEE, big-endian) is
//! taken over the frame's tree, its key and the payload, so that a whole frame under a wrong key
//! is found out too.
//!
//! A record of the log is cut into pieces, one a frame, each `more: 1 byte | bytes`: `more` is 1
//! when the record goes on in the next piece, else 0.

/// The layout of frames that this release writes.
pub const FRAME_VERSION: u8 = 1;

/// The most payload bytes of one frame: past them sled spills a page to a blob file, which it
/// never syncs (see `database.rs`).
pub const MAX_PAYLOAD_BYTES: usize = 60 * 1024;

const HEADER_BYTES: usize = 5;

const LAST: u8 = 0;
const MORE: u8 = 1;

/// One thing that happened, as the store keeps it: bytes that it does not look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record(pub Vec<u8>);

impl Record {
    /// The payloads that the record is cut into. At least one.
    pub fn pieces(&self) -> impl Iterator<Item = Vec<u8>> {
        let most = MAX_PAYLOAD_BYTES - 1;
        let count = self.0.len().div_ceil(most).max(1);
        (0..count).map(move |i| {
            let bytes = &self.0[i * most..self.0.len().min((i + 1) * most)];
            let more = if i + 1 < count { MORE } else { LAST };
            let mut payload = Vec::with_capacity(1 + bytes.len());
            payload.push(more);
            payload.extend_from_slice(bytes);
            payload
        })
    }
}

/// Puts records together again from their pieces.
#[derive(Debug, Default)]
pub struct Joiner {
    pending: Option<Vec<u8>>,
}

impl Joiner {
    /// Whether no record waits for its next piece.
    pub fn is_between_records(&self) -> bool {
        self.pending.is_none()
    }

    /// Takes the next piece; returns the record that it ends. Nothing when the record goes on.
    ///
    /// # Errors
    /// [`FrameError::Content`] when the payload is no piece.
    pub fn take(&mut self, payload: &[u8]) -> Result<Option<Record>, FrameError> {
        let [more, bytes @ ..] = payload else {
            return Err(FrameError::Content);
        };
        let mut joined = self.pending.take().unwrap_or_default();
        joined.extend_from_slice(bytes);
        match *more {
            LAST => Ok(Some(Record(joined))),
            MORE => {
                self.pending = Some(joined);
                Ok(None)
            }
            _ => Err(FrameError::Content),
        }
    }
}

/// Why stored bytes are not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// There are fewer bytes than a frame has at least.
    #[error("it has {len} bytes, a record has at least {HEADER_BYTES}")]
    TooShort {
        /// How many there are.
        len: usize,
    },
    /// A later release wrote it, or the byte is damaged.
    #[error("its layout is version {found}, this release reads up to {FRAME_VERSION}")]
    Version {
        /// The version that it says.
        found: u8,
    },
    /// The bytes are not those that were written under this key.
    #[error("its checksum is {found:08x}, its content gives {computed:08x}")]
    Checksum {
        /// The checksum that it says.
        found: u32,
        /// The checksum of what it holds.
        computed: u32,
    },
    /// The checksum is right, but key or payload are not of the form that belongs there.
    #[error("its key or content is malformed")]
    Content,
}

/// Wraps a payload for a place in the store.
pub fn seal(tree: &str, key: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER_BYTES + payload.len());
    frame.push(FRAME_VERSION);
    frame.extend_from_slice(&checksum(tree, key, payload).to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Reads the payload back from a frame found at a place in the store.
///
/// # Errors
/// [`FrameError`] when the frame is not what was written there.
pub fn open<'a>(tree: &str, key: &[u8], frame: &'a [u8]) -> Result<&'a [u8], FrameError> {
    let [version, c0, c1, c2, c3, payload @ ..] = frame else {
        return Err(FrameError::TooShort { len: frame.len() });
    };
    if *version != FRAME_VERSION {
        return Err(FrameError::Version { found: *version });
    }
    let found = u32::from_be_bytes([*c0, *c1, *c2, *c3]);
    let computed = checksum(tree, key, payload);
    if found != computed {
        return Err(FrameError::Checksum { found, computed });
    }
    Ok(payload)
}

fn checksum(tree: &str, key: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(tree.as_bytes());
    hasher.update(key);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the first release wrote for the record `cofferdam` as the first entry of the log.
    const GOLDEN: &[u8] = b"\x01\x6c\xb0\xc0\xdf\0cofferdam";

    #[test]
    fn a_frame_of_the_first_release_is_read() {
        let key = 1u64.to_be_bytes();
        let record = Record(b"cofferdam".to_vec());

        let payload = open("log", &key, GOLDEN).unwrap();
        assert_eq!(Joiner::default().take(payload), Ok(Some(record.clone())));

        let payload = record.pieces().next().unwrap();
        assert_eq!(seal("log", &key, &payload), GOLDEN);
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let frame = seal("log", b"key", b"payload");
        for bit in 0..frame.len() * 8 {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(open("log", b"key", &damaged).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_frame_in_a_wrong_place_is_found() {
        let frame = seal("log", b"key", b"payload");
        assert!(open("log", b"kez", &frame).is_err());
        assert!(open("meta", b"key", &frame).is_err());
    }

    #[test]
    fn what_is_shorter_than_a_frame_is_damaged() {
        for len in 0..HEADER_BYTES {
            let bytes = &seal("log", b"key", b"")[..len];
            assert_eq!(
                open("log", b"key", bytes),
                Err(FrameError::TooShort { len })
            );
        }
    }

    #[test]
    fn a_record_of_any_length_is_cut_and_joined_again() {
        let most = MAX_PAYLOAD_BYTES - 1;
        for (len, pieces) in [(0, 1), (1, 1), (most, 1), (most + 1, 2), (3 * most, 3)] {
            let record = Record((0..len).map(|i| i as u8).collect());
            let payloads: Vec<_> = record.pieces().collect();
            assert_eq!(payloads.len(), pieces, "{len}");
            assert!(payloads.iter().all(|p| p.len() <= MAX_PAYLOAD_BYTES));

            let mut joiner = Joiner::default();
            let joined: Vec<_> = payloads
                .iter()
                .filter_map(|payload| joiner.take(payload).unwrap())
                .collect();
            assert_eq!(joined, [record]);
        }
    }

    #[test]
    fn what_is_no_piece_is_damaged() {
        assert_eq!(Joiner::default().take(b""), Err(FrameError::Content));
        assert_eq!(Joiner::default().take(b"\x02x"), Err(FrameError::Content));
    }
}
