//! What is written: checked, versioned frames around opaque bytes.
//!
//! A frame is `version: 1 byte | CRC-32: 4 bytes | payload`. The checksum (IEEE, big-endian) is
//! taken over the frame's tree, its key and the payload, so that a whole frame under a wrong key
//! is found out too.

/// The layout of frames that this release writes.
pub const FRAME_VERSION: u8 = 1;

/// The most bytes of one record: past them sled spills a page to a blob file, which it never
/// syncs (see [`super::sled`]).
pub const MAX_RECORD_BYTES: usize = 60 * 1024;

const HEADER_BYTES: usize = 5;

/// One thing that happened, as the store keeps it: bytes of at most [`MAX_RECORD_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record(Vec<u8>);

/// The bytes are too many for one record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a record has at most {MAX_RECORD_BYTES} bytes, this one has {len}")]
pub struct RecordTooLong {
    /// The number of bytes.
    pub len: usize,
}

impl Record {
    /// Takes bytes as a record.
    ///
    /// # Errors
    /// [`RecordTooLong`] when they are too many.
    pub fn new(bytes: Vec<u8>) -> Result<Self, RecordTooLong> {
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(RecordTooLong { len: bytes.len() });
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
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

    /// What the first release wrote for the payload `cofferdam` as the first entry of the log.
    const GOLDEN: &[u8] = b"\x01\xf8\xe2\xdd\xb8cofferdam";

    #[test]
    fn a_frame_of_the_first_release_is_read() {
        let key = 1u64.to_be_bytes();
        assert_eq!(open("log", &key, GOLDEN), Ok(&b"cofferdam"[..]));
        assert_eq!(seal("log", &key, b"cofferdam"), GOLDEN);
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
    fn a_record_has_a_limit() {
        assert!(Record::new(vec![0; MAX_RECORD_BYTES]).is_ok());
        assert!(Record::new(vec![0; MAX_RECORD_BYTES + 1]).is_err());
    }
}
