//! The files of a log that is rotated.

use super::pattern::gone_is_none;
use crate::host::{captured::Ends, root::Root};
use flate2::read::MultiGzDecoder;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// How much of the end of each file is read (measured: a month of a server that is upgraded is some 300 KB
/// of dpkg's).
pub const MOST_BYTES: usize = 1024 * 1024;

/// How much of a packed file is unpacked: whoever writes logs must not cost a host its memory or its time.
const MOST_UNPACKED: u64 = 64 * 1024 * 1024;

/// How many rotated files there may be: Debian keeps twelve months.
const ROTATED: usize = 12;

/// Where a log and its rotated files are, oldest first: most of them packed, the newest mostly not yet.
pub fn generations(log: &str) -> Vec<String> {
    let packed = (1..=ROTATED).rev().map(|age| format!("{log}.{age}.gz"));
    packed.chain([format!("{log}.1"), log.to_owned()]).collect()
}

/// The end of a file, from the first whole line on. Empty: there is no such file.
///
/// # Errors
/// The system's error when there is one that cannot be read, or unpacked.
pub fn end_of(root: &Root, path: &Path) -> io::Result<String> {
    let Some(file) = gone_is_none(File::open(root.resolve(path)?))? else {
        return Ok(String::new());
    };
    let is_packed = path.extension().is_some_and(|extension| extension == "gz");
    let (bytes, is_whole) = match is_packed {
        true => end_of_packed(file)?,
        false => end_of_plain(file)?,
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if is_whole {
        return Ok(text);
    }
    let whole = text.split_once('\n');
    Ok(whole.map_or(String::new(), |(_, whole)| whole.to_owned()))
}

/// The end of a file, and whether that is all of it.
fn end_of_plain(mut file: File) -> io::Result<(Vec<u8>, bool)> {
    let most = MOST_BYTES as u64;
    let skipped = file.metadata()?.len().saturating_sub(most);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok((bytes, skipped == 0))
}

fn end_of_packed(file: File) -> io::Result<(Vec<u8>, bool)> {
    let mut unpacked = MultiGzDecoder::new(file).take(MOST_UNPACKED);
    let mut end = Ends::within(0, MOST_BYTES);
    let mut piece = [0; 8192];
    loop {
        match unpacked.read(&mut piece)? {
            0 => return Ok(end.into_tail()),
            length => end.push(&piece[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::{fs, io::Write as _};

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// What is read of a file of this name and content.
    fn read(name: &str, content: &[u8]) -> io::Result<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), content).unwrap();
        end_of(&Root::new(folder.path()).unwrap(), Path::new(name))
    }

    #[test]
    fn a_log_is_read_with_a_year_of_its_past_oldest_first() {
        let all = generations("/var/log/dpkg.log");
        assert_eq!(all.len(), 14);
        assert_eq!(all[0], "/var/log/dpkg.log.12.gz");
        assert_eq!(
            all[11..],
            [
                "/var/log/dpkg.log.1.gz",
                "/var/log/dpkg.log.1",
                "/var/log/dpkg.log"
            ]
        );
    }

    #[test]
    fn a_packed_file_reads_as_a_plain_one() {
        let text = "a\nb\n";
        assert_eq!(read("l", text.as_bytes()).unwrap(), text);
        assert_eq!(read("l.gz", &packed(text.as_bytes())).unwrap(), text);
    }

    #[test]
    fn of_a_long_file_the_end_is_read_from_a_whole_line_on() {
        let mut long = vec![b'x'; MOST_BYTES];
        long.extend(b"\nlast\n");
        assert_eq!(read("l", &long).unwrap(), "last\n");
        assert_eq!(read("l.gz", &packed(&long)).unwrap(), "last\n");
    }

    #[test]
    fn a_damaged_file_is_an_error_and_a_bomb_has_an_end() {
        assert!(read("l.gz", b"no gzip").is_err());
        let mut cut = packed(&[b'x'; 4096]);
        cut.truncate(20);
        assert!(read("l.gz", &cut).is_err());
        let bomb = packed(&vec![0; 2 * usize::try_from(MOST_UNPACKED).unwrap()]);
        assert!(read("l.gz", &bomb).is_ok());
    }
}
