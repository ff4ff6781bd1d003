//! One call of an outside program that fetches: with a deadline, a bound on what it prints, and no way to ask.

use anyhow::{Context as _, Result, bail};
use std::{ffi::OsStr, fmt, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Command,
    time::timeout,
};

/// The most bytes of what a program says of its trouble.
const MAX_WORDS: u64 = 4096;

/// Variables by which a program that asks would find somebody, or git another repository.
const WITHOUT: [&str; 8] = [
    "DISPLAY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_WORK_TREE",
];

/// A program and its arguments.
pub(super) struct Call {
    name: &'static str,
    command: Command,
}

/// How it ended that was not well.
#[derive(Debug)]
pub(super) struct Trouble {
    name: &'static str,
    /// Its exit code. Absent: a signal ended it.
    pub(super) code: Option<i32>,
    /// Its last words.
    pub(super) words: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self
            .code
            .map_or_else(|| "a signal".to_owned(), |c| c.to_string());
        write!(f, "{} ended with {code}: {}", self.name, self.words)
    }
}

impl std::error::Error for Trouble {}

impl Call {
    pub(super) fn new(name: &'static str) -> Self {
        let mut command = Command::new(name);
        command
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for name in WITHOUT {
            command.env_remove(name);
        }
        Self { name, command }
    }

    pub(super) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub(super) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end, within `deadline`. Returns what it printed, at most `most` bytes.
    ///
    /// # Errors
    /// When it cannot be run, runs past its deadline, or prints more; a [`Trouble`] when it ends with it.
    pub(super) async fn run(mut self, most: u64, deadline: Duration) -> Result<Vec<u8>> {
        let name = self.name;
        let mut child = self
            .command
            .spawn()
            .with_context(|| format!("cannot run {name}: is it installed?"))?;
        let (out, words) = (child.stdout.take(), child.stderr.take());
        let end = async {
            let (out, words) = tokio::try_join!(read(out, most + 1), read(words, MAX_WORDS))?;
            if out.len() as u64 > most {
                bail!("it has more than {most} bytes");
            }
            let status = child.wait().await?;
            Ok((out, words, status))
        };
        let (out, words, status) = timeout(deadline, end)
            .await
            .with_context(|| format!("{name} did not end within {} s", deadline.as_secs()))??;
        if status.success() {
            return Ok(out);
        }
        let words = String::from_utf8_lossy(&words);
        let words: String = words.chars().map(plain).collect();
        Err(Trouble {
            name,
            code: status.code(),
            words: words.split_whitespace().collect::<Vec<_>>().join(" "),
        }
        .into())
    }
}

fn plain(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// The first bytes of what comes. What comes after them is left where it is.
async fn read(from: Option<impl AsyncRead + Unpin>, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(most).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// Tries something again that may pass, with growing waits.
pub(super) async fn with_patience<T>(
    tries: u32,
    first_wait: Duration,
    may_pass: impl Fn(&anyhow::Error) -> bool,
    attempt: impl AsyncFn() -> Result<T>,
) -> Result<T> {
    let mut wait = first_wait;
    for _ in 1..tries {
        match attempt().await {
            Err(error) if may_pass(&error) => tokio::time::sleep(wait).await,
            ended => return ended,
        }
        wait *= 2;
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn a_program_that_prints_too_much_or_takes_too_long_is_ended() {
        let endless = || Call::new("sh").args(["-c", "while :; do echo x; done"]);
        let error = endless()
            .run(10, Duration::from_secs(60))
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "it has more than 10 bytes");
        let hangs = Call::new("sleep").args(["600"]);
        let error = hangs.run(10, Duration::from_millis(50)).await.unwrap_err();
        assert!(error.to_string().contains("did not end"), "{error}");
        let fails = Call::new("sh").args(["-c", "printf 'no\\n\\033[2Jway' >&2; exit 7"]);
        let error = fails.run(10, Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(error.to_string(), "sh ended with 7: no [2Jway");
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again_and_nothing_else() {
        for (may_pass, expected) in [(true, 3), (false, 1)] {
            let tried = Cell::new(0);
            let attempt = async || -> Result<()> {
                tried.set(tried.get() + 1);
                bail!("no")
            };
            let ended = with_patience(3, Duration::ZERO, |_| may_pass, attempt).await;
            assert!(ended.is_err());
            assert_eq!(tried.get(), expected);
        }
    }
}
