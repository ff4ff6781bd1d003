//! The durable store: sled in a directory of its own, off the async threads.
//!
//! What stands where on disk, and why it survives a power cut: see `database.rs`.

use super::{
    Loaded, Record, Store, StoreError,
    database::Database,
    lock::{DirectoryLock, LockError},
};
use std::{
    any::Any,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory could not be locked.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// What is in the directory could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A store in a directory. Blocking work runs on the runtime's blocking threads.
#[derive(Debug)]
pub struct SledStore {
    database: Arc<Mutex<Database>>,
    path: PathBuf,
}

impl SledStore {
    /// Opens the store in a directory, which is made when it is not there, and locks it.
    ///
    /// Blocks; [`Store::load`] reads what it holds.
    ///
    /// # Errors
    /// [`OpenError`] when another process has it, or when what is there cannot be opened.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        fs::create_dir_all(dir).map_err(|source| StoreError::Io {
            action: "create",
            path: dir.to_owned(),
            source,
        })?;
        let lock = DirectoryLock::take(dir)?;
        let path = dir.join("sled");
        let database = catch_unwind(AssertUnwindSafe(|| Database::open(dir, &path, lock)))
            .unwrap_or_else(|panic| Err(panicked(&path, panic.as_ref())))?;
        Ok(Self {
            database: Arc::new(Mutex::new(database)),
            path,
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = Arc::clone(&self.database);
        let blocking = move || work(&mut database.lock().unwrap_or_else(PoisonError::into_inner));
        match tokio::task::spawn_blocking(blocking).await {
            Ok(result) => result,
            Err(failed) => Err(match failed.try_into_panic() {
                Ok(panic) => panicked(&self.path, panic.as_ref()),
                Err(cancelled) => StoreError::Panicked {
                    path: self.path.clone(),
                    message: cancelled.to_string(),
                },
            }),
        }
    }
}

impl Store for SledStore {
    async fn load(&mut self) -> Result<Loaded, StoreError> {
        self.run(Database::load).await
    }

    async fn append(&mut self, records: Vec<Record>) -> Result<(), StoreError> {
        self.run(move |database| database.append(&records)).await
    }

    async fn checkpoint(&mut self, state: Vec<u8>) -> Result<(), StoreError> {
        self.run(move |database| database.checkpoint(&state)).await
    }
}

fn panicked(path: &Path, panic: &(dyn Any + Send)) -> StoreError {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    StoreError::Panicked {
        path: path.to_owned(),
        message: message.unwrap_or("no message").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, process::Command};

    const COMMITS: &str = "COFFERDAM_TEST_COMMITS_IN";

    #[tokio::test]
    async fn a_store_keeps_what_it_was_given() {
        let dir = tempfile::tempdir().unwrap();
        let record = Record(b"a".to_vec());
        let mut store = SledStore::open(dir.path()).unwrap();
        store.append(vec![record.clone()]).await.unwrap();
        store.checkpoint(b"state".to_vec()).await.unwrap();
        store.append(vec![record.clone()]).await.unwrap();
        drop(store);

        let loaded = SledStore::open(dir.path()).unwrap().load().await.unwrap();

        assert_eq!(loaded.checkpoint.unwrap(), b"state");
        assert_eq!(loaded.records, [record]);
    }

    #[test]
    fn a_second_process_on_the_store_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let first = SledStore::open(dir.path()).unwrap();

        let refusal = SledStore::open(dir.path()).unwrap_err().to_string();

        assert!(refusal.contains("is in use by process"), "{refusal}");
        drop(first);
    }

    /// Commits three times where the variable says; the test below watches it do so.
    #[tokio::test]
    async fn commits_thrice_when_told_where() {
        let Ok(dir) = env::var(COMMITS) else {
            return;
        };
        let mut store = SledStore::open(Path::new(&dir)).unwrap();
        for text in ["a", "b", "c"] {
            let record = Record(text.into());
            store.append(vec![record]).await.unwrap();
            eprintln!("appended");
        }
    }

    #[test]
    fn each_commit_syncs_the_database_file() {
        if Command::new("strace").arg("-V").output().is_err() {
            eprintln!("left out: strace is not installed");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let trace = Command::new("strace")
            .args([
                "-f",
                "-y",
                "-e",
                "trace=fdatasync,write",
                "-e",
                "signal=none",
            ])
            .arg(env::current_exe().unwrap())
            .args([
                "--exact",
                "store::sled::tests::commits_thrice_when_told_where",
            ])
            .arg("--nocapture")
            .env(COMMITS, dir.path())
            .output()
            .unwrap();
        let trace = String::from_utf8_lossy(&trace.stderr).into_owned();

        let file = format!("{}>", dir.path().join("sled/db").display());
        let mut synced = false;
        let mut commits = 0;
        for line in trace.lines() {
            synced |= line.contains("fdatasync(") && line.contains(&file);
            if line.contains("\"appended") {
                assert!(synced, "acknowledged before it was synced:\n{trace}");
                synced = false;
                commits += 1;
            }
        }
        assert_eq!(commits, 3, "{trace}");
    }
}
