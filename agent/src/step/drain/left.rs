//! What is left of a host's traffic: connections to its ports, and the application's own sessions.

use super::sessions::{self, Sessions};
use crate::host::{command::Runner, connections, durable::FileError, settings::HostSettings};
use std::{collections::BTreeMap, fmt, path::Path, time::Duration};

/// What is left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Left {
    /// How many connections are open, by port. Ports without any are not here.
    connections: BTreeMap<u16, usize>,
    /// The sessions that are not over.
    sessions: Vec<Sessions>,
}

impl Left {
    /// What is left now; programs are asked in no more than this time.
    ///
    /// # Errors
    /// [`FileError`] when the kernel's tables cannot be read.
    pub(super) async fn see(
        runner: &dyn Runner,
        settings: &HostSettings,
        within: Duration,
    ) -> Result<Self, FileError> {
        let connections = Self::connections(settings)?.connections;
        let mut sessions = sessions::read_all(runner, settings, within).await;
        sessions.retain(|sessions| !sessions.is_over());
        Ok(Self {
            connections,
            sessions,
        })
    }

    /// The same, of connections alone.
    ///
    /// # Errors
    /// [`FileError`] when the kernel's tables cannot be read.
    pub(super) fn connections(settings: &HostSettings) -> Result<Self, FileError> {
        let connections = connections::open_to(&settings.traffic.ports)
            .map_err(FileError::of("reading", Path::new("/proc/net/tcp")))?;
        Ok(Self {
            connections,
            sessions: Vec::new(),
        })
    }

    /// Whether nothing is.
    pub(super) fn is_nothing(&self) -> bool {
        self.connections.is_empty() && self.sessions.is_empty()
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connections = self.connections.iter().map(|(port, count)| match count {
            1 => format!("1 connection to port {port}"),
            count => format!("{count} connections to port {port}"),
        });
        let sessions = self.sessions.iter().map(ToString::to_string);
        let parts: Vec<String> = connections.chain(sessions).collect();
        f.write_str(&parts.join(", "))
    }
}
