//! A copy of a region's cells, in parts that fit a message.

use super::frame::{self, FrameError};
use cofferdam_engine::fleet::Copy;
use cofferdam_proto::v1;

/// The bytes of one part: far below the largest message.
const PART: usize = 1 << 20;

/// The most parts: 512 MiB are some 500,000 hosts, far more than a region has (measured: about 1 KiB a
/// host).
const MOST_PARTS: u32 = 512;

/// The parts of a copy.
pub(super) fn parts(copy: &Copy) -> Vec<v1::CopyPart> {
    let bytes = frame::write(copy);
    let chunks: Vec<_> = bytes.chunks(PART).collect();
    let of = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
    let part = |(part, body): (u32, &&[u8])| v1::CopyPart {
        part,
        of,
        body: body.to_vec(),
    };
    (0..).zip(&chunks).map(part).collect()
}

/// Puts parts together that come in order.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    bytes: Vec<u8>,
    next: u32,
}

impl Assembly {
    /// Takes a part in. The copy, with its last part.
    pub(super) fn take(&mut self, part: &v1::CopyPart) -> Result<Option<Copy>, FrameError> {
        if part.part == 0 {
            *self = Self::default();
        }
        let fits = part.part == self.next && part.part < part.of && part.of <= MOST_PARTS;
        if !fits || part.body.len() > PART {
            let (part, of) = (part.part, part.of);
            return Err(FrameError::Part { part, of });
        }
        self.bytes.extend_from_slice(&part.body);
        self.next += 1;
        if self.next < part.of {
            return Ok(None);
        }
        let whole = std::mem::take(self);
        frame::read("a copy of cells", &whole.bytes).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(part: u32, of: u32, body: &[u8]) -> v1::CopyPart {
        let body = body.to_vec();
        v1::CopyPart { part, of, body }
    }

    #[test]
    fn a_copy_comes_together_from_its_parts_and_begins_anew_with_the_first() {
        let text = br#"{"news":7,"cells":{},"package_sets":{}}"#;
        let (head, tail) = text.split_at(9);
        let mut assembly = Assembly::default();
        assert!(assembly.take(&part(0, 2, head)).unwrap().is_none());
        assert!(assembly.take(&part(0, 2, head)).unwrap().is_none());
        let copy = assembly.take(&part(1, 2, tail)).unwrap();
        assert_eq!(copy.map(|copy| copy.news), Some(7));
    }

    #[test]
    fn parts_that_are_missing_too_many_or_no_copy_are_refused() {
        for parts in [
            vec![part(1, 2, b"{")],
            vec![part(0, 3, b"{"), part(2, 3, b"}")],
            vec![part(0, MOST_PARTS + 1, b"{")],
            vec![part(0, 1, b"{}")],
            vec![part(0, 0, b"")],
        ] {
            let mut assembly = Assembly::default();
            let taken: Result<Vec<_>, _> = parts.iter().map(|one| assembly.take(one)).collect();
            assert!(taken.is_err(), "{parts:?}");
        }
    }
}
