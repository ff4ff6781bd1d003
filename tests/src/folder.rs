//! The folder of one test: gone afterwards, kept when the test failed.

use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder of its own for one test.
#[derive(Debug)]
pub struct Folder {
    dir: Option<TempDir>,
}

impl Folder {
    /// Makes one.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new() -> Self {
        let dir = TempDir::with_prefix("cofferdam-test-").expect("a temporary folder");
        Self { dir: Some(dir) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        let dir = self.dir.as_ref().expect("only drop takes it");
        dir.path()
    }

    /// A path in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let Some(dir) = self.dir.take() else { return };
        if std::thread::panicking() {
            let kept = dir.keep();
            eprintln!("the test's folder is kept: {}", kept.display());
        }
    }
}
