//! The window that a person at the host opens: for a while, every change of packages passes.

use super::{
    asker::Asker,
    lasting::{self, Lasting, LastingError},
    places::Places,
    span::Span,
};
use crate::host::durable::{self, FileError};
use cofferdam_engine::guard::LONGEST_WINDOW;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The most bytes of a reason: it goes with every event.
pub const MOST_REASON_BYTES: usize = 500;

/// A window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// How long it is open.
    #[serde(flatten)]
    pub span: Span,
    /// Why it was opened.
    pub reason: String,
    /// Who opened it, as in `uid 1000`.
    #[serde(default)]
    pub by: String,
}

/// Why no window was opened.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// It would be too long, or no time at all.
    #[error("a window lasts from 1 s to 24 h")]
    Length,
    /// It has no reason, or one that is too long or would disturb a terminal.
    #[error(
        "a reason of 1 to {MOST_REASON_BYTES} bytes in one line, without control characters, is needed: \
         say what is done to the host"
    )]
    Reason,
    /// A file cannot be read or written. Only root can.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Lasting for Window {
    const MENDED_BY: &'static str = "`cofferdam-agent guard deny` removes it";

    fn span(&self) -> &Span {
        &self.span
    }
}

impl Window {
    /// Opens a window now. One that is open already is replaced.
    ///
    /// # Errors
    /// [`WindowError`] when it cannot be.
    pub fn open(
        places: &Places,
        lasts: Duration,
        reason: &str,
        by: &Asker,
    ) -> Result<Self, WindowError> {
        if lasts < Duration::from_secs(1) || lasts > LONGEST_WINDOW {
            return Err(WindowError::Length);
        }
        let reason = reason.trim();
        let is_long = reason.len() > MOST_REASON_BYTES;
        if reason.is_empty() || is_long || reason.contains(char::is_control) {
            return Err(WindowError::Reason);
        }
        let window = Self {
            span: Span::lasting(lasts)?,
            reason: reason.to_owned(),
            by: by.person(),
        };
        lasting::note(&places.window(), &window)?;
        Ok(window)
    }

    /// The window that is open. Absent: none is.
    ///
    /// # Errors
    /// [`LastingError`]: then none is open either.
    pub fn find(places: &Places) -> Result<Option<Self>, LastingError> {
        lasting::find(&places.window())
    }

    /// Closes whatever window is open: whether one was.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be: it may be open still.
    pub fn close(places: &Places) -> Result<bool, FileError> {
        // One that is not understood was not open.
        let was_open = Self::find(places).is_ok_and(|window| window.is_some());
        durable::remove(&places.window())?;
        Ok(was_open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const HOUR: Duration = Duration::from_secs(3600);

    fn places(folder: &tempfile::TempDir) -> Places {
        Places::new(&folder.path().join("state"), &folder.path().join("run"))
    }

    #[test]
    fn a_window_is_open_until_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(&folder);
        assert_eq!(Window::find(&places).unwrap(), None);
        let opened = Window::open(&places, HOUR, " a disk is full ", &Asker::default()).unwrap();
        assert_eq!(opened.reason, "a disk is full");
        assert!(opened.span.left() <= HOUR);
        assert_eq!(Window::find(&places).unwrap(), Some(opened));
        assert!(Window::close(&places).unwrap());
        assert!(!Window::close(&places).unwrap());
        assert_eq!(Window::find(&places).unwrap(), None);
    }

    #[test]
    fn a_window_without_a_reason_or_an_end_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(&folder);
        for (lasts, reason) in [
            (HOUR, "  "),
            (HOUR, "disk\u{1b}[2Jfull"),
            (HOUR, "disk\nmode enforce"),
            (Duration::ZERO, "x"),
            (LONGEST_WINDOW * 2, "x"),
        ] {
            let opened = Window::open(&places, lasts, reason, &Asker::default());
            assert!(opened.is_err(), "{lasts:?}");
        }
        assert!(!places.window().exists());
    }

    #[test]
    fn a_garbled_window_is_not_open_and_can_be_closed() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(&folder);
        for garbage in ["", "{", "{\"until\":99}", "\u{0}"] {
            fs::create_dir_all(places.window().parent().unwrap()).unwrap();
            fs::write(places.window(), garbage).unwrap();
            assert!(Window::find(&places).is_err(), "{garbage:?}");
            assert!(!Window::close(&places).unwrap());
            assert_eq!(Window::find(&places).unwrap(), None);
        }
    }
}
