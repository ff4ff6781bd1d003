//! Why something failed on a host: a small, closed set of kinds, with the detail beside it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The kind of a failure. Decides whether to try again, and clusters identical failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// A repository, the artefact store or another peer could not be reached.
    Network,
    /// Another program held the package manager's lock until the deadline.
    Locked,
    /// No room on a file system, in bytes or inodes.
    DiskFull,
    /// A repository's or package's signature or hash did not match.
    Signature,
    /// A package or version is not to be had.
    NotFound,
    /// Dependencies could not be satisfied.
    Dependency,
    /// A maintainer script failed, or ran past its deadline.
    MaintainerScript,
    /// A config file that the host's people changed is not to be changed by a package, and would be.
    Conffile,
    /// The package manager failed in another way.
    PackageManager,
    /// The bits of the way back could not be proved, and the rollout is not `one_way`.
    NoWayBack,
    /// A config file's validate command said no.
    Validate,
    /// A hook of the host's people said no, ran past its deadline, or is not one that may be run.
    Hook,
    /// A unit could not be reloaded or restarted.
    Service,
    /// A check or probe failed.
    Unhealthy,
    /// Checks or probes gave no answer in time.
    NoData,
    /// Connections or sessions were left at the end of drain.
    Drain,
    /// A step ran past its deadline.
    TimedOut,
    /// The host did not come back from its reboot, or could not reboot.
    Reboot,
    /// A new kernel did not boot, or the old one is not to be had any more.
    Kernel,
    /// The host's own files could not be read or written.
    Io,
    /// What was asked is not possible on this host.
    Unsupported,
    /// What was asked is not what somebody signed whom this host trusts.
    NotSigned,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 22] = [
        Self::Network,
        Self::Locked,
        Self::DiskFull,
        Self::Signature,
        Self::NotFound,
        Self::Dependency,
        Self::MaintainerScript,
        Self::Conffile,
        Self::PackageManager,
        Self::NoWayBack,
        Self::Validate,
        Self::Hook,
        Self::Service,
        Self::Unhealthy,
        Self::NoData,
        Self::Drain,
        Self::TimedOut,
        Self::Reboot,
        Self::Kernel,
        Self::Io,
        Self::Unsupported,
        Self::NotSigned,
    ];

    /// Whether the same try may well succeed later: only these are tried again.
    pub fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Network | Self::Locked | Self::DiskFull | Self::Drain
        )
    }

    /// The kind's name as it stands in files, output and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Locked => "locked",
            Self::DiskFull => "disk-full",
            Self::Signature => "signature",
            Self::NotFound => "not-found",
            Self::Dependency => "dependency",
            Self::MaintainerScript => "maintainer-script",
            Self::Conffile => "conffile",
            Self::PackageManager => "package-manager",
            Self::NoWayBack => "no-way-back",
            Self::Validate => "validate",
            Self::Hook => "hook",
            Self::Service => "service",
            Self::Unhealthy => "unhealthy",
            Self::NoData => "no-data",
            Self::Drain => "drain",
            Self::TimedOut => "timed-out",
            Self::Reboot => "reboot",
            Self::Kernel => "kernel",
            Self::Io => "io",
            Self::Unsupported => "unsupported",
            Self::NotSigned => "not-signed",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failure: its kind, and one line that says what failed on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What sort of failure it is.
    pub kind: FailureKind,
    /// What failed, on what, with the tool's own words where there are any.
    pub detail: String,
}

/// The most characters of detail that travel and are stored; the transcript on the host has all.
pub const MAX_DETAIL_CHARS: usize = 1000;

impl Failure {
    /// A failure with its detail, cut to [`MAX_DETAIL_CHARS`]. Tools' own words come in: what would
    /// drive a terminal or break a line of a log becomes a blank.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        let detail: String = detail.into();
        Self {
            kind,
            detail: detail
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .take(MAX_DETAIL_CHARS)
                .collect(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_one_bounded_line_whatever_a_tool_says() {
        let said = format!("dpkg: \u{1b}[2Jerror\nroot logged in{}", "x".repeat(2000));
        let failure = Failure::new(FailureKind::PackageManager, said);
        assert!(failure.detail.starts_with("dpkg:  [2Jerror root logged in"));
        assert_eq!(failure.detail.chars().count(), MAX_DETAIL_CHARS);
    }
}
