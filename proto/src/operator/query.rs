//! What hosts are asked, and what they answer.

use cofferdam_engine::{failure::Failure, id::HostId};
use serde::Serialize;
use std::time::Duration;

/// Ask hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryRequest {
    /// A [`Query`](cofferdam_engine::query::Query), unread.
    pub text: String,
    /// How long hosts may take to answer. Not zero, at most
    /// [`MAX_QUERY_WAIT`](crate::convert::bounds::MAX_QUERY_WAIT).
    pub within: Duration,
}

/// One of the answers to [`QueryRequest`], as they come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum QueryAnswer {
    /// A host matches.
    Matched(MatchedHost),
    /// A host could not tell.
    Failed(FailedHost),
    /// How many did what: the last one.
    Summary(QuerySummary),
}

/// A host that matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatchedHost {
    /// Which.
    pub host: HostId,
    /// What it found of what was asked. Empty: its labels alone decided.
    pub evidence: String,
}

/// A host that could not tell whether it matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedHost {
    /// Which.
    pub host: HostId,
    /// Why not.
    pub failure: Failure,
}

/// What a query came to. Every host of the fleet is in exactly one of its counts and lists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct QuerySummary {
    /// How many hosts match.
    pub matched: u64,
    /// So many of them by their labels alone: they were not asked.
    pub matched_by_labels: u64,
    /// How many do not.
    pub not_matched: u64,
    /// So many of them by their labels alone: they were not asked.
    pub not_matched_by_labels: u64,
    /// How many could not tell.
    pub failed: u64,
    /// Those that could not be asked, since they had no session. In order.
    pub offline: Vec<HostId>,
    /// Those that were asked and did not answer in time, or lost their session. In order.
    pub silent: Vec<HostId>,
}
