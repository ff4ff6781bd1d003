//! A disk with a cache that forgets: what was written and not flushed is in memory, and gone with the power.
//!
//! A file behind a virtual machine does not do that: what the machine wrote is in the cache of the kernel below,
//! which outlives it.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

/// The unit in which it is forgotten: what ext4 writes at least.
const BLOCK: u64 = 4096;

/// A disk with a cache that forgets.
#[derive(Debug)]
pub struct VolatileDisk {
    file: File,
    size: u64,
    /// What was written since the last flush, by the number of its block. Each is whole.
    unflushed: BTreeMap<u64, Vec<u8>>,
}

impl VolatileDisk {
    /// The disk whose kept content is a file's.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            file,
            size,
            unflushed: BTreeMap::new(),
        })
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads what was written last, flushed or not.
    ///
    /// # Errors
    /// When it ends before the buffer does.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.require(offset, buffer.len())?;
        let mut done = 0;
        while done < buffer.len() {
            let (block, within, length) = piece(offset + done as u64, buffer.len() - done);
            let part = &mut buffer[done..done + length];
            match self.unflushed.get(&block) {
                Some(content) => part.copy_from_slice(&content[within..within + length]),
                None => self.read_kept(block * BLOCK + within as u64, part)?,
            }
            done += length;
        }
        Ok(())
    }

    /// Writes, and keeps nothing yet.
    ///
    /// # Errors
    /// When it ends before the data does.
    pub fn write(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.require(offset, data.len())?;
        let mut done = 0;
        while done < data.len() {
            let (block, within, length) = piece(offset + done as u64, data.len() - done);
            let mut content = match self.unflushed.remove(&block) {
                Some(content) => content,
                None => self.kept(block)?,
            };
            content[within..within + length].copy_from_slice(&data[done..done + length]);
            self.unflushed.insert(block, content);
            done += length;
        }
        Ok(())
    }

    /// Keeps all that was written.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        for (block, content) in &self.unflushed {
            let offset = block * BLOCK;
            let whole = usize::try_from(self.size - offset).unwrap_or(usize::MAX);
            let content = &content[..content.len().min(whole)];
            self.file.write_all_at(content, offset)?;
        }
        self.unflushed.clear();
        Ok(())
    }

    /// Forgets what was not flushed: how many bytes of it.
    pub fn lose_power(&mut self) -> u64 {
        let lost = self.unflushed.len() as u64 * BLOCK;
        self.unflushed.clear();
        lost
    }

    fn kept(&self, block: u64) -> io::Result<Vec<u8>> {
        let mut content = vec![0; usize::try_from(BLOCK).unwrap_or_default()];
        self.read_kept(block * BLOCK, &mut content)?;
        Ok(content)
    }

    /// Past the end of the file, which may end within a block, there is nothing.
    fn read_kept(&self, offset: u64, part: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        while done < part.len() {
            match self.file.read_at(&mut part[done..], offset + done as u64)? {
                0 => {
                    part[done..].fill(0);
                    return Ok(());
                }
                read => done += read,
            }
        }
        Ok(())
    }

    fn require(&self, offset: u64, length: usize) -> io::Result<()> {
        let end = offset.checked_add(length as u64);
        match end.is_some_and(|end| end <= self.size) {
            true => Ok(()),
            false => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

/// The block that an offset is in, where in it, and how much of a length lies there.
fn piece(offset: u64, length: usize) -> (u64, usize, usize) {
    let within = usize::try_from(offset % BLOCK).unwrap_or_default();
    let room = usize::try_from(BLOCK).unwrap_or_default() - within;
    (offset / BLOCK, within, room.min(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_flushed_is_gone_with_the_power_and_all_else_is_kept() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(3 * BLOCK).unwrap();
        let mut disk = VolatileDisk::open(file.path()).unwrap();
        let at = BLOCK - 2;
        let read = |disk: &VolatileDisk| {
            let mut found = [0; 4];
            disk.read(at, &mut found).unwrap();
            found
        };
        disk.write(at, b"kept").unwrap();
        disk.flush().unwrap();
        disk.write(at + 1, b"oi").unwrap();
        assert_eq!(&read(&disk), b"koit");
        assert_eq!(disk.lose_power(), 2 * BLOCK);
        assert_eq!(&read(&disk), b"kept");
        assert!(disk.write(3 * BLOCK - 1, b"xy").is_err());
    }
}
