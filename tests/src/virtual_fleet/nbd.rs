//! Serves a disk to a virtual machine: as much of the NBD protocol as qemu speaks to one server.
//!
//! Numbers are those of <https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md>.

use super::volatile::VolatileDisk;
use std::{
    io::{self, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

const MAGIC: u64 = 0x4e42_444d_4147_4943;
const OPTION_MAGIC: u64 = 0x4948_4156_454f_5054;
const OPTION_REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;
const REQUEST_MAGIC: u32 = 0x2560_9513;
const REPLY_MAGIC: u32 = 0x6744_6698;

/// `NBD_FLAG_FIXED_NEWSTYLE`, and `NBD_FLAG_NO_ZEROES`.
const HANDSHAKE_FLAGS: u16 = 0b11;
/// `NBD_FLAG_HAS_FLAGS`, `NBD_FLAG_SEND_FLUSH` and `NBD_FLAG_SEND_FUA`.
const TRANSMISSION_FLAGS: u16 = 0b1101;

const OPTION_ABORT: u32 = 2;
const OPTION_GO: u32 = 7;
const REPLY_ACK: u32 = 1;
const REPLY_INFO: u32 = 3;
const REPLY_UNSUPPORTED: u32 = 0x8000_0001;

const COMMAND_READ: u16 = 0;
const COMMAND_WRITE: u16 = 1;
const COMMAND_DISCONNECT: u16 = 2;
const COMMAND_FLUSH: u16 = 3;
const FLAG_FUA: u16 = 1;

const EINVAL: u32 = 22;

/// The longest piece of data that one request may carry: what the protocol has all clients keep to.
const MOST_DATA: u32 = 32 << 20;

/// A disk that is served at a socket, to one machine at a time.
#[derive(Debug, Clone)]
pub struct Served {
    disk: Arc<Mutex<VolatileDisk>>,
}

impl Served {
    /// Serves a disk, until this process ends.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn at(socket: &Path, disk: VolatileDisk) -> io::Result<Self> {
        let listener = UnixListener::bind(socket)?;
        let served = Self {
            disk: Arc::new(Mutex::new(disk)),
        };
        let serving = served.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let ended = serving.serve(stream);
                // A machine that lost its power says no goodbye.
                let cut = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
                if let Err(error) = ended
                    && !cut(&error)
                {
                    eprintln!("a disk is not served any more: {error}");
                }
            }
        });
        Ok(served)
    }

    /// Forgets what was not flushed: how many bytes of it. The machine must be off.
    pub fn lose_power(&self) -> u64 {
        self.disk().lose_power()
    }

    fn disk(&self) -> MutexGuard<'_, VolatileDisk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut stream: UnixStream) -> io::Result<()> {
        stream.write_all(&[MAGIC.to_be_bytes(), OPTION_MAGIC.to_be_bytes()].concat())?;
        stream.write_all(&HANDSHAKE_FLAGS.to_be_bytes())?;
        let _client_flags = u32::from_be_bytes(array(&mut stream)?);
        while !self.negotiated(&mut stream)? {}
        while self.answered(&mut stream)? {}
        Ok(())
    }

    /// Answers one option. Whether transmission begins.
    fn negotiated(&self, stream: &mut UnixStream) -> io::Result<bool> {
        expect(u64::from_be_bytes(array(stream)?) == OPTION_MAGIC)?;
        let option = u32::from_be_bytes(array(stream)?);
        let length = u32::from_be_bytes(array(stream)?);
        data(stream, length)?;
        match option {
            OPTION_GO => {
                // NBD_INFO_EXPORT: its type, the size, and the flags.
                let mut info = vec![0, 0];
                info.extend(self.disk().size().to_be_bytes());
                info.extend(TRANSMISSION_FLAGS.to_be_bytes());
                reply_to_option(stream, option, REPLY_INFO, &info)?;
                reply_to_option(stream, option, REPLY_ACK, &[])?;
                Ok(true)
            }
            OPTION_ABORT => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => reply_to_option(stream, option, REPLY_UNSUPPORTED, &[]).map(|()| false),
        }
    }

    /// Answers one request. Whether another may come.
    fn answered(&self, stream: &mut UnixStream) -> io::Result<bool> {
        expect(u32::from_be_bytes(array(stream)?) == REQUEST_MAGIC)?;
        let flags = u16::from_be_bytes(array(stream)?);
        let command = u16::from_be_bytes(array(stream)?);
        let cookie: [u8; 8] = array(stream)?;
        let offset = u64::from_be_bytes(array(stream)?);
        let length = u32::from_be_bytes(array(stream)?);
        let mut read = Vec::new();
        let done = match command {
            COMMAND_READ => {
                expect(length <= MOST_DATA)?;
                read.resize(length as usize, 0);
                self.disk().read(offset, &mut read)
            }
            COMMAND_WRITE => {
                let data = data(stream, length)?;
                self.written(offset, &data, flags & FLAG_FUA != 0)
            }
            COMMAND_FLUSH => self.disk().flush(),
            COMMAND_DISCONNECT => return Ok(false),
            _ => Err(io::ErrorKind::Unsupported.into()),
        };
        let error = if done.is_ok() { 0 } else { EINVAL };
        let mut reply = [REPLY_MAGIC.to_be_bytes(), error.to_be_bytes()].concat();
        reply.extend(cookie);
        if done.is_ok() {
            reply.extend(read);
        }
        stream.write_all(&reply)?;
        Ok(true)
    }

    /// What is to be kept at once is: with all before it, which is no less than what was asked.
    fn written(&self, offset: u64, data: &[u8], at_once: bool) -> io::Result<()> {
        let mut disk = self.disk();
        disk.write(offset, data)?;
        match at_once {
            true => disk.flush(),
            false => Ok(()),
        }
    }
}

fn reply_to_option(stream: &mut UnixStream, option: u32, kind: u32, data: &[u8]) -> io::Result<()> {
    let mut reply = OPTION_REPLY_MAGIC.to_be_bytes().to_vec();
    reply.extend(option.to_be_bytes());
    reply.extend(kind.to_be_bytes());
    reply.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    reply.extend(data);
    stream.write_all(&reply)
}

fn array<const N: usize>(stream: &mut UnixStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn data(stream: &mut UnixStream, length: u32) -> io::Result<Vec<u8>> {
    expect(length <= MOST_DATA)?;
    let mut bytes = vec![0; length as usize];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn expect(is_so: bool) -> io::Result<()> {
    is_so
        .then_some(())
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}
