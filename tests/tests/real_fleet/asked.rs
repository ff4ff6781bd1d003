//! What a host says, to whoever asks.

use cofferdam_tests::{
    patience::eventually,
    real_fleet::host::{BOOTED_WITHIN, Host},
};

/// Asks a host's responder for its page for load balancers, and shows its status.
pub(super) const READY: &str =
    "curl --silent --max-time 5 --write-out ' %{http_code}' 127.0.0.1:9100/ready";

/// Asks it as HAProxy's agent-check does.
pub(super) const LINE: &str = "timeout 5 cat </dev/tcp/127.0.0.1/9101";

/// What a line of shell says on a host, where it must succeed.
pub(super) async fn said(host: &Host, line: &str) -> String {
    host.run(line).await.unwrap().well().trim().to_owned()
}

/// What a line of shell says once it holds a part.
pub(super) async fn eventually_says(host: &Host, line: &str, part: &str) -> String {
    eventually(part, BOOTED_WITHIN, async || {
        let said = host.run(line).await.map_err(|error| error.to_string())?;
        let said = said.printed;
        let found = said.contains(part);
        found.then(|| said.clone()).ok_or(said)
    })
    .await
}
