//! Keeps the head and the tail of an output of any length.

use super::command::Captured;
use std::collections::VecDeque;

/// The most bytes kept from the beginning. The longest honest answer, all packages of a large
/// host, has under 1 MiB.
pub const HEAD_BYTES: usize = 8 << 20;
/// The most bytes kept from the end: where programs say why they failed.
pub const TAIL_BYTES: usize = 32 << 10;

/// Takes an output piece by piece and keeps its two ends.
#[derive(Debug)]
pub struct Ends {
    head: Vec<u8>,
    head_limit: usize,
    tail: VecDeque<u8>,
    tail_limit: usize,
    missing: u64,
}

impl Default for Ends {
    fn default() -> Self {
        Self::within(HEAD_BYTES, TAIL_BYTES)
    }
}

impl Ends {
    /// Keeps at most so many bytes of each end.
    pub fn within(head_limit: usize, tail_limit: usize) -> Self {
        Self {
            head: Vec::new(),
            head_limit,
            tail: VecDeque::new(),
            tail_limit,
            missing: 0,
        }
    }

    /// Takes the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        let room = self.head_limit - self.head.len();
        let (first, rest) = piece.split_at(room.min(piece.len()));
        self.head.extend_from_slice(first);
        self.tail.extend(rest);
        let over = self.tail.len().saturating_sub(self.tail_limit);
        self.tail.drain(..over);
        self.missing += over as u64;
    }

    /// What was kept of the end, and whether that is all there was.
    pub fn into_tail(self) -> (Vec<u8>, bool) {
        let is_all = self.missing == 0 && self.head.is_empty();
        (self.tail.into(), is_all)
    }

    /// What was kept.
    pub fn finish(self) -> Captured {
        let mut bytes = self.head;
        if self.missing > 0 {
            let note = format!("\n[... {} bytes left out ...]\n", self.missing);
            bytes.extend_from_slice(note.as_bytes());
        }
        bytes.extend(self.tail);
        Captured {
            bytes,
            missing: self.missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_output_is_kept_whole() {
        let mut ends = Ends::within(4, 4);
        ends.push(b"abc");
        ends.push(b"defgh");
        let kept = ends.finish();
        assert_eq!((kept.text().as_str(), kept.missing), ("abcdefgh", 0));
    }

    #[test]
    fn a_long_output_keeps_its_ends_and_says_how_much_is_missing() {
        let mut ends = Ends::within(2, 2);
        for byte in b'a'..=b'z' {
            ends.push(&[byte]);
        }
        let kept = ends.finish();
        assert_eq!(kept.text(), "ab\n[... 22 bytes left out ...]\nyz");
        assert_eq!(kept.missing, 22);
    }
}
