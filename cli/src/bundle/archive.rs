//! The tar itself: entries one after the other, each with the one header that we write for it.

use cofferdam_engine::digest::Digest;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read, Write};
use tar::{EntryType, Header};

/// What a tar is made of, in bytes (POSIX, ustar).
const BLOCK: usize = 512;

/// How much is read at once, in bytes (guess: large enough to be fast, small enough to be nothing).
const PIECE: usize = 256 << 10;

/// The most characters of a name that is shown (guess).
const SHOWN: usize = 200;

/// Why a tar is none of ours.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("it cannot be read at byte {at}")]
    Unreadable {
        /// How many bytes came.
        at: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ends early.
    #[error("it is cut off at byte {at}")]
    CutOff {
        /// How long it is.
        at: u64,
    },
    /// Another entry, or another header than we write for it.
    #[error("at byte {at} stands {found}, where {expected} belongs")]
    Other {
        /// Where.
        at: u64,
        /// What is there.
        found: String,
        /// What is expected.
        expected: String,
    },
    /// An entry says that it is larger than we read.
    #[error("{name} has {size} bytes, at most {most} are read")]
    TooLarge {
        /// The entry.
        name: String,
        /// How many bytes it says it has.
        size: u64,
        /// How many it may have.
        most: u64,
    },
    /// What fills an entry up to a whole block.
    #[error("the bytes that end at {at} are not zero, as what fills up an entry is")]
    Filling {
        /// Where the block ends.
        at: u64,
    },
    /// There is more behind the end.
    #[error("it goes on behind its end, at byte {at}")]
    GoesOn {
        /// Where.
        at: u64,
    },
}

/// The header of an entry: a plain file that everybody may read, of nobody and of no time.
fn header(name: &str, size: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_path(name)?;
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

/// How many bytes fill an entry up to a whole block.
fn filling(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}

/// Writes a tar.
#[derive(Debug)]
pub struct Writer<W> {
    to: W,
}

impl<W: Write> Writer<W> {
    /// One that writes from the beginning.
    pub fn new(to: W) -> Self {
        Self { to }
    }

    /// Writes a whole entry.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn entry(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        let size = content.len() as u64;
        self.begin(name, size)?;
        self.write(content)?;
        self.end(size)
    }

    /// Begins an entry of so many bytes, which are to be written next.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&mut self, name: &str, size: u64) -> io::Result<()> {
        self.to.write_all(header(name, size)?.as_bytes())
    }

    /// Writes some of an entry's bytes.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }

    /// Ends an entry that has so many bytes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(&mut self, size: u64) -> io::Result<()> {
        self.to.write_all(&vec![0; filling(size)])
    }

    /// Ends the tar.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.to.write_all(&[0; 2 * BLOCK])?;
        self.to.flush()?;
        Ok(self.to)
    }
}

/// Reads a tar that [`Writer`] wrote.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    at: u64,
}

impl<R: Read> Reader<R> {
    /// One that reads from the beginning.
    pub fn new(from: R) -> Self {
        Self { from, at: 0 }
    }

    /// How many bytes were read.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Reads the header of an entry whose size is not known yet, and says it.
    ///
    /// # Errors
    /// [`ReadError`] when it is another entry, or larger than `most`.
    pub fn unmeasured(&mut self, name: &str, most: u64) -> Result<u64, ReadError> {
        let block = self.block()?;
        let size = Header::from_byte_slice(&block).entry_size();
        let size = size.unwrap_or_default();
        self.compare(&block, name, size)?;
        match size > most {
            true => Err(ReadError::TooLarge {
                name: name.to_owned(),
                size,
                most,
            }),
            false => Ok(size),
        }
    }

    /// Reads the header of an entry of this size.
    ///
    /// # Errors
    /// [`ReadError`] when it is another one.
    pub fn header(&mut self, name: &str, size: u64) -> Result<(), ReadError> {
        let block = self.block()?;
        self.compare(&block, name, size)
    }

    /// Reads the content of an entry. No more memory is taken than there are bytes.
    ///
    /// # Errors
    /// [`ReadError`] when it is not whole.
    pub fn content(&mut self, size: u64) -> Result<Vec<u8>, ReadError> {
        let mut content = Vec::new();
        self.pieces(size, |piece| content.extend_from_slice(piece))?;
        Ok(content)
    }

    /// Reads the content of an entry, and says its digest.
    ///
    /// # Errors
    /// [`ReadError`] when it is not whole.
    pub fn digest(&mut self, size: u64) -> Result<Digest, ReadError> {
        let mut hasher = Sha256::new();
        self.pieces(size, |piece| hasher.update(piece))?;
        Ok(Digest::from_bytes(hasher.finalize().into()))
    }

    /// Makes sure that the tar ends here.
    ///
    /// # Errors
    /// [`ReadError`] when it does not, or goes on behind its end.
    pub fn finish(mut self) -> Result<(), ReadError> {
        for _ in 0..2 {
            let block = self.block()?;
            if block != [0; BLOCK] {
                let found = self.found(&block);
                return Err(self.other(found, "the end".to_owned()));
            }
        }
        match self.some(&mut [0])? {
            0 => Ok(()),
            _ => Err(ReadError::GoesOn { at: self.at - 1 }),
        }
    }

    fn pieces(&mut self, size: u64, mut take: impl FnMut(&[u8])) -> Result<(), ReadError> {
        let least = |left: u64| usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; least(size)];
        let mut left = size;
        while left > 0 {
            let most = least(left);
            let read = self.some(&mut piece[..most])?;
            if read == 0 {
                return Err(ReadError::CutOff { at: self.at });
            }
            take(&piece[..read]);
            left -= read as u64;
        }
        let mut filled = vec![0; filling(size)];
        self.whole(&mut filled)?;
        match filled.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err(ReadError::Filling { at: self.at }),
        }
    }

    fn block(&mut self) -> Result<[u8; BLOCK], ReadError> {
        let mut block = [0; BLOCK];
        self.whole(&mut block)?;
        Ok(block)
    }

    fn whole(&mut self, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.some(&mut buffer[filled..])? {
                0 => return Err(ReadError::CutOff { at: self.at }),
                read => filled += read,
            }
        }
        Ok(())
    }

    /// Reads what there is. 0: it ends here.
    fn some(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        loop {
            match self.from.read(buffer) {
                Ok(read) => {
                    self.at += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    let at = self.at;
                    return Err(ReadError::Unreadable { at, source });
                }
            }
        }
    }

    fn compare(&self, block: &[u8; BLOCK], name: &str, size: u64) -> Result<(), ReadError> {
        let ours = header(name, size).map_err(|source| {
            let at = self.at;
            ReadError::Unreadable { at, source }
        })?;
        if ours.as_bytes() == block {
            return Ok(());
        }
        let expected = format!("a plain file {name} of {size} bytes");
        Err(self.other(self.found(block), expected))
    }

    fn other(&self, found: String, expected: String) -> ReadError {
        ReadError::Other {
            at: self.at - BLOCK as u64,
            found,
            expected,
        }
    }

    /// What a block is that is not what was expected, for people.
    fn found(&self, block: &[u8; BLOCK]) -> String {
        if *block == [0; BLOCK] {
            return "its end".to_owned();
        }
        let header = Header::from_byte_slice(block);
        let (Ok(size), Some(_)) = (header.entry_size(), header.as_ustar()) else {
            return "nothing that a bundle has".to_owned();
        };
        let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
        let name: String = name.escape_debug().take(SHOWN).collect();
        let kind = in_words(header.entry_type());
        format!("a {kind} {name} of {size} bytes, or with other rights or times")
    }
}

fn in_words(kind: EntryType) -> &'static str {
    if kind.is_file() {
        "file"
    } else if kind.is_symlink() || kind.is_hard_link() {
        "link"
    } else if kind.is_dir() {
        "folder"
    } else {
        "special entry"
    }
}
