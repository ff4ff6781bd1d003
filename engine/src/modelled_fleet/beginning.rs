//! How the hosts of a fleet stand when a rehearsal begins, and what is denied to them then.

use crate::{
    digest::Digest,
    id::{HostId, OperatorId},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What a rehearsal begins from, beside the hosts and what is installed on them. The default is a fleet in which
/// every host is connected and serves, and nothing is denied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beginning {
    /// The hosts that do not stand as most do. One that is not there has a session and serves.
    pub states: BTreeMap<HostId, State>,
    /// What is denied, in no order that matters.
    pub denied: Vec<Denied>,
}

/// How a host stands. The default: it has a session, and serves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    /// Whether it has a session.
    pub is_connected: bool,
    /// What has it out of service. Nothing: it serves.
    pub out: Option<Out>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            is_connected: true,
            out: None,
        }
    }
}

/// What has a host out of service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Out {
    /// What fails on it, or what it was taken for: a line, not empty.
    pub why: String,
    /// Who has taken it. Nothing: nobody, it is out by itself, until it is repaired.
    pub person: Option<Person>,
}

/// Who has taken a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// Their name, as a coordinator tells it: a line, not empty.
    pub by: String,
    /// How long still. Longer than nothing, and at most
    /// [`LONGEST_RESERVATION`](crate::policy::LONGEST_RESERVATION).
    pub lasts: Duration,
}

/// Bits that must not be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Which.
    pub bits: Digest,
    /// To which hosts, at least one. Nothing: to the whole fleet.
    pub hosts: Option<BTreeSet<HostId>>,
    /// Who denied them. Nothing: the host itself, on which they failed for good.
    pub by: Option<OperatorId>,
    /// Why, for people: a line. Empty: not said.
    pub why: String,
}
