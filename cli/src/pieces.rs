//! A content in pieces that fit a message.

use cofferdam_proto::convert::bounds::MAX_CHUNK_BYTES;
use std::io::{self, Read};

/// What is left to be read of something, in such pieces. One that cannot be read ends it.
#[derive(Debug)]
pub struct Pieces<R>(pub R);

impl<R: Read> Pieces<R> {
    /// The same, with what cannot be read.
    pub fn into_results(mut self) -> impl Iterator<Item = io::Result<Vec<u8>>> {
        std::iter::from_fn(move || self.read().transpose())
    }

    /// The next piece. Nothing: it was all.
    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut piece = Vec::new();
        let most = MAX_CHUNK_BYTES as u64;
        Read::by_ref(&mut self.0)
            .take(most)
            .read_to_end(&mut piece)?;
        Ok((!piece.is_empty()).then_some(piece))
    }
}

impl<R: Read> Iterator for Pieces<R> {
    type Item = Vec<u8>;
    fn next(&mut self) -> Option<Vec<u8>> {
        // What is missing then shows in the digest of what arrived.
        self.read().ok().flatten()
    }
}
