//! Says when files of a folder change, without looking at them meanwhile: by the kernel's inotify.

use nix::{
    errno::Errno,
    sys::inotify::{AddWatchFlags, InitFlags, Inotify},
};
use std::{
    io,
    os::fd::{AsFd, AsRawFd, RawFd},
    path::Path,
    time::Duration,
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time,
};

/// A watch over one folder.
#[derive(Debug)]
pub(crate) struct Notice(AsyncFd<Watch>);

#[derive(Debug)]
struct Watch(Inotify);

impl AsRawFd for Watch {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Notice {
    /// Watches over a folder that is there.
    ///
    /// # Errors
    /// The system's error: the folder is missing, or the kernel has no watch left.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        // Durable files are renamed into their place; what is written beside them says nothing yet.
        let changes = AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_DELETE;
        watch.add_watch(folder, changes | AddWatchFlags::IN_ONLYDIR)?;
        Ok(Self(registered(Watch(watch))?))
    }

    /// Waits until a file got another content, or is gone; changes that come together are told once. May
    /// be cancelled and called again.
    ///
    /// # Errors
    /// The system's error, or that the folder is gone: nothing more is noticed.
    pub(crate) async fn changed(&mut self) -> io::Result<()> {
        loop {
            let mut ready = self.0.readable_mut().await?;
            let read = ready.try_io(|watch| Ok(watch.get_ref().0.read_events()?));
            let Ok(events) = read else {
                // Somebody else woke it.
                continue;
            };
            let gone = AddWatchFlags::IN_IGNORED;
            if events?.iter().any(|event| event.mask.contains(gone)) {
                return Err(Errno::ENOENT.into());
            }
            return Ok(());
        }
    }
}

/// Waits for so long, or until something is noticed. The watch, unless it is over.
pub(crate) async fn pause(notice: Option<Notice>, wait: Duration) -> Option<Notice> {
    let Some(mut watch) = notice else {
        time::sleep(wait).await;
        return None;
    };
    match time::timeout(wait, watch.changed()).await {
        Ok(Ok(())) | Err(_) => Some(watch),
        Ok(Err(_)) => None,
    }
}

#[expect(
    deprecated,
    reason = "the descriptor is owned and stays open; what replaces this is unsafe code, which is forbidden here"
)]
fn registered(watch: Watch) -> io::Result<AsyncFd<Watch>> {
    AsyncFd::with_interest(watch, Interest::READABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::durable;
    use std::fs;
    use tokio::time::{Duration, timeout};

    const SOON: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn what_is_written_durably_or_removed_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut notice = Notice::of(folder.path()).unwrap();
        let file = folder.path().join("events.json");
        for content in ["a", "b"] {
            durable::write(&file, content.as_bytes()).unwrap();
            timeout(SOON, notice.changed()).await.unwrap().unwrap();
        }
        fs::remove_file(&file).unwrap();
        timeout(SOON, notice.changed()).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_folder_that_goes_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Notice::of(&folder.path().join("none")).is_err());
        let mut notice = Notice::of(folder.path()).unwrap();
        folder.close().unwrap();
        assert!(timeout(SOON, notice.changed()).await.unwrap().is_err());
    }
}
