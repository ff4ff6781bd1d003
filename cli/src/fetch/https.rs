//! A file by HTTPS, by way of curl: it knows the machine's proxies and authorities.

use super::{
    DEADLINE, FIRST_WAIT, MAX_SOURCE, TRIES,
    call::{Call, Trouble, with_patience},
};
use anyhow::Result;

/// How a fetch is bound: no `.curlrc`, nothing but HTTPS whatever a server answers, few redirects, no
/// password from `.netrc`.
const BOUNDS: [&str; 14] = [
    "--disable",
    "--globoff",
    "--silent",
    "--show-error",
    "--fail",
    "--location",
    "--proto",
    "=https",
    "--proto-redir",
    "=https",
    "--max-redirs",
    "5",
    "--connect-timeout",
    "10",
];

/// curl's exit codes for what may pass: a name that was not resolved, no connection, a transfer that broke off or
/// timed out.
const MAY_PASS: [i32; 8] = [5, 6, 7, 18, 28, 52, 55, 56];

/// curl's exit code where the server's answer was an error; [`SERVER`] is how it is told that it was its own.
const REFUSED: i32 = 22;

/// What is written after each transfer: the answer's class.
const STATUS: &str = "%{stderr} (answer %{http_code})";
const SERVER: &str = "(answer 5";

pub(super) async fn fetch(address: &str) -> Result<Vec<u8>> {
    with_patience(TRIES, FIRST_WAIT, may_pass, async || {
        Call::new("curl")
            .args(BOUNDS)
            .args(["--write-out", STATUS, "--url", address])
            .run(MAX_SOURCE, DEADLINE)
            .await
    })
    .await
}

/// Whether the server may answer otherwise the next time. What curl writes of the answer is in a form that is
/// given to it here.
fn may_pass(error: &anyhow::Error) -> bool {
    let Some(trouble) = error.downcast_ref::<Trouble>() else {
        return false;
    };
    match trouble.code {
        Some(REFUSED) => trouble.words.contains(SERVER),
        Some(code) => MAY_PASS.contains(&code),
        None => false,
    }
}
