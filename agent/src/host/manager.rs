//! Who started this service and listens to what it says: systemd, by the protocol of `sd_notify(3)`.

use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};
use std::{
    env,
    ffi::OsStr,
    io::{self, IoSlice},
    os::{
        fd::{AsRawFd as _, RawFd},
        unix::{ffi::OsStrExt as _, net::UnixDatagram},
    },
};

/// Who started this service.
#[derive(Debug)]
pub(crate) struct Manager {
    address: UnixAddr,
    socket: UnixDatagram,
}

impl Manager {
    /// Who started this process. Absent: nobody who listens.
    ///
    /// # Errors
    /// The system's error when there is somebody who cannot be spoken to.
    pub(crate) fn of_this_process() -> io::Result<Option<Self>> {
        let at = env::var_os("NOTIFY_SOCKET");
        at.map(|at| Self::at(&at)).transpose()
    }

    /// `at`: a path, or `@` and an abstract name.
    pub(crate) fn at(at: &OsStr) -> io::Result<Self> {
        let address = match at.as_bytes() {
            [b'@', name @ ..] => UnixAddr::new_abstract(name)?,
            path => UnixAddr::new(path)?,
        };
        let socket = UnixDatagram::unbound()?;
        // Somebody who does not listen any more must not hold up who speaks.
        socket.set_nonblocking(true)?;
        Ok(Self { address, socket })
    }

    /// Says something, and gives sockets with it.
    ///
    /// # Errors
    /// The system's error when it is not heard.
    pub(crate) fn say(&self, text: &str, sockets: &[RawFd]) -> io::Result<()> {
        let passed = [ControlMessage::ScmRights(sockets)];
        let passed = if sockets.is_empty() { &[][..] } else { &passed };
        sendmsg(
            self.socket.as_raw_fd(),
            &[IoSlice::new(text.as_bytes())],
            passed,
            MsgFlags::MSG_NOSIGNAL,
            Some(&self.address),
        )?;
        Ok(())
    }
}
