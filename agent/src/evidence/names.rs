//! The names that systemd-resolved was asked for: what `resolvectl monitor --json=short` prints, a line a
//! question that was answered.

use crate::host::{
    command::{Command, Exit, RunError, Runner},
    printable,
};
use serde::Deserialize;
use std::{io, time::Duration};

/// The most of a name that is kept, in characters: what the DNS allows (RFC 1035, 2.3.4).
const MOST_CHARACTERS: usize = 255;

/// A question to the resolver, as far as it matters here.
#[derive(Deserialize)]
struct Query {
    /// What came of it, as in `success` or `rcode-failure`.
    #[serde(default)]
    state: Option<String>,
    /// What was asked; the same name once for each kind of address.
    #[serde(default)]
    question: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    name: String,
}

/// Why names cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum Untold {
    /// There is nothing to ask.
    #[error("this host has no resolvectl, so no systemd-resolved")]
    NoResolver,
    /// It says no.
    #[error("resolvectl: {0}")]
    Refused(String),
    /// It could not be run.
    #[error(transparent)]
    Run(RunError),
}

/// Listens for a while to what is looked up: names, and what came of them.
///
/// # Errors
/// [`Untold`] when that cannot be told on this host, or not now.
pub async fn listen(runner: &dyn Runner, time: Duration) -> Result<Vec<(String, String)>, Untold> {
    let seconds = time.as_secs().max(1);
    // The monitor never ends by itself. It stays in the group that is killed with this future.
    let command = Command::new("timeout")
        .args(["--foreground", &seconds.to_string()])
        .args(["resolvectl", "monitor", "--json=short"])
        .deadline(time + Duration::from_secs(10));
    let output = match runner.run(&command).await {
        Ok(output) => output,
        Err(RunError::Start { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(Untold::NoResolver);
        }
        Err(error) => return Err(Untold::Run(error)),
    };
    match output.exit {
        // What `timeout` says of a program that it stopped, and of one that is not there.
        Exit::Status(124) => Ok(read(&output.stdout.text())),
        Exit::Status(127) => Err(Untold::NoResolver),
        Exit::Status(_) | Exit::Signal(_) => {
            let said = output.stderr.text();
            let last = said.trim().lines().last().unwrap_or_default();
            Err(Untold::Refused(format!("{last} ({})", output.exit)))
        }
    }
}

/// The names in what the monitor printed. A line that is none of its answers says nothing.
pub fn read(printed: &str) -> Vec<(String, String)> {
    let queries = printed.lines();
    let queries = queries.filter_map(|line| serde_json::from_str::<Query>(line).ok());
    let mut names = Vec::new();
    for query in queries {
        let state = query.state.unwrap_or_else(|| "no answer".to_owned());
        let state = printable::line(&state, MOST_CHARACTERS);
        let asked = query.question.into_iter();
        let name = |key: Key| printable::line(&key.name, MOST_CHARACTERS);
        names.extend(asked.map(|key| (name(key), state.clone())));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `resolvectl monitor --json=short` of systemd 252 on Debian 12, while two names were looked up.
    const PRINTED: &str = concat!(
        r#"{"state":"success","question":[{"class":1,"type":1,"name":"web-1"},{"class":1,"type":28,"name":"web-1"}],"#,
        r#""answer":[{"rr":{"key":{"class":1,"type":1,"name":"web-1"},"address":[127,0,1,1]},"raw":"BXdlYi0xAAABAAEAAAAAAAR/AAEB"}]}"#,
        "\n",
        r#"{"state":"no-servers","question":[{"class":1,"type":1,"name":"nowhere.example.org"},{"class":1,"type":28,"name":"nowhere.example.org"}]}"#,
        "\n",
    );

    #[test]
    fn names_come_with_what_became_of_them() {
        let mut names = read(PRINTED);
        names.dedup();
        let pair = |name: &str, outcome: &str| (name.to_owned(), outcome.to_owned());
        let expected = [
            pair("web-1", "success"),
            pair("nowhere.example.org", "no-servers"),
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn garbage_is_no_name() {
        let garbage = "{\"question\":[{}]}\n{\"question\":1}\n[]\nx\n\u{0}\n{}\n";
        assert!(read(garbage).is_empty());
    }
}
