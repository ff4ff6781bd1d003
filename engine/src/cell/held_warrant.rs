//! The leave to start hosts that a cell has.

use crate::{
    id::HostId,
    kept::Kept,
    time::Timestamp,
    warrant::{SliceTree, Warrant, WarrantProof},
};
use serde::{Deserialize, Serialize};

/// A warrant, and when it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldWarrant {
    /// The warrant.
    pub warrant: Warrant,
    /// When it was received: its duration counts from here.
    pub received_at: Timestamp,
    /// Whether the machine booted since: it is over, however long that took.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_of_another_boot: bool,
    /// Its hosts as they were signed, where some have left it since. Absent: none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed_hosts: Option<Vec<HostId>>,
    /// The tree over the hosts as they were signed.
    #[serde(skip)]
    tree: Kept<SliceTree>,
}

impl HeldWarrant {
    /// A warrant that came now.
    pub(super) fn new(warrant: Warrant, received_at: Timestamp) -> Self {
        Self {
            warrant,
            received_at,
            is_of_another_boot: false,
            signed_hosts: None,
            tree: Kept::default(),
        }
    }

    /// When it ends: past its duration, or with the boot in which it came.
    pub fn ends_at(&self) -> Timestamp {
        self.ends_by(None)
    }

    /// When it ends at the latest, for who has copied it and whose clock may be ahead of the one by which it was received.
    pub(crate) fn ends_by(&self, copied_at: Option<Timestamp>) -> Timestamp {
        match self.is_of_another_boot {
            true => self.received_at,
            false => {
                let came = self.received_at.max(copied_at.unwrap_or_default());
                came.after(self.warrant.starts_for)
            }
        }
    }

    /// Ends it with the boot in which it came.
    pub(super) fn end_with_boot(&mut self) {
        self.is_of_another_boot = true;
    }

    /// Whether it ended with the boot in which it came.
    pub(super) fn is_of_another_boot(&self) -> bool {
        self.is_of_another_boot
    }

    /// Takes a host out of those that may be started; returns whether it was among them. What was signed
    /// still names it.
    pub(super) fn leave_out(&mut self, host: &HostId) -> bool {
        let hosts = &mut self.warrant.hosts;
        if !hosts.contains(host) {
            return false;
        }
        if self.warrant.seal.is_signed() {
            self.signed_hosts.get_or_insert_with(|| hosts.clone());
        }
        hosts.retain(|other| other != host);
        true
    }

    /// What shows a host's agent that it is named. Nothing: nobody signed, or it is not.
    pub(super) fn proof(&self, host: &HostId) -> Option<WarrantProof> {
        let Warrant { seal, hosts, .. } = &self.warrant;
        if !seal.is_signed() || !hosts.contains(host) {
            return None;
        }
        let signed = self.signed_hosts.as_ref().unwrap_or(hosts);
        let place = signed.iter().position(|other| other == host)?;
        let tree = self.tree.get(|| SliceTree::of(signed));
        Some(WarrantProof {
            seal: seal.clone(),
            path: tree.path(place)?,
        })
    }
}
