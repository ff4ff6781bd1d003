//! The names that systemd-resolved was asked for: what `resolvectl monitor --json=short` prints, a line a
//! question that was answered.

use crate::host::command::{Command, Exit, RunError, Runner};
use serde::Deserialize;
use std::{io, time::Duration};

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
        let asked = query.question.into_iter();
        names.extend(asked.map(|key| (key.name, state.clone())));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `resolvectl monitor --json=short` of systemd 252, shortened, while `apt-get update` and then a wrong
    /// name were looked up.
    const PRINTED: &str = r#"
{"state":"success","question":[{"class":1,"type":1,"name":"deb.debian.org"},{"class":1,"type":28,"name":"deb.debian.org"}],"answer":[{"rr":{"key":{"class":1,"type":1,"name":"deb.debian.org"},"address":[10,0,0,1]},"raw":"A2Rl","ifindex":2}]}
{"state":"rcode-failure","rcode":3,"question":[{"class":1,"type":1,"name":"nowhere.example.org"}]}
"#;

    #[test]
    fn names_come_with_what_became_of_them() {
        let names = read(PRINTED);
        let shown: Vec<_> = names
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("deb.debian.org", "success"),
                ("deb.debian.org", "success"),
                ("nowhere.example.org", "rcode-failure")
            ]
        );
    }

    #[test]
    fn garbage_is_no_name() {
        let garbage = "{\"question\":[{}]}\n{\"question\":1}\n[]\nx\n\u{0}\n{}\n";
        assert!(read(garbage).is_empty());
    }
}
