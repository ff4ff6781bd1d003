//! What an operator signs: a short text that says which bits a rollout installs, how, and on which hosts.
//!
//! ```text
//! cofferdam-rollout 1
//! rollout openssl-2026-11
//! made 2026-11-28
//! until 2027-02-26
//! file 5ab1..                        the digest of what the rollout file means
//! lock 77d0..                        the digest of the lock file
//! match service == "web"
//! reboot if-required
//! restart if-required
//! kernel-fallback one-shot
//! conffiles none
//! one-way no
//! bits debian-12/amd64 90fe.. 3 packages
//! ```
//!
//! It has one form only: whoever reads it writes the same bytes. An agent holds it against each order
//! ([`Statement::covers`]); how it is signed, and by whom, is not its business.

mod bits;
mod cover;
mod read;
#[cfg(test)]
mod tests;

pub use bits::{Bits, Place};
pub use cover::{Change, NotCovered, RunTerms};
pub use read::StatementError;

use crate::{
    date::Date,
    digest::Digest,
    document::quote,
    id::RolloutId,
    patch::{ConffilePolicies, KernelFallback, LockFile, RebootPolicy, RestartPolicy},
    plan::{self, Amends},
    select::Selection,
    spec::{self, Spec},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The version that is written, and the only one that is read.
const VERSION: &str = "cofferdam-rollout 1";

/// The most bytes of a statement: a selection may have 16 KiB, and each platform has some hundred bytes.
pub const MAX_STATEMENT_LEN: usize = 64 * 1024;

/// What an operator signs of one rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The rollout's name.
    pub rollout: RolloutId,
    /// The day it was made, in UTC. Nothing is judged by it.
    pub made: Date,
    /// The last day on which hosts are changed by it, in UTC.
    pub until: Date,
    /// What the rollout amends. Absent: nothing.
    pub amends: Option<Amends>,
    /// The digest of what the rollout file means.
    pub file: Digest,
    /// The digest of the lock file.
    pub lock: Digest,
    /// Which hosts it is for.
    pub selection: Selection,
    /// Whether runs may reboot.
    pub reboot: RebootPolicy,
    /// Whether runs restart units that still run what was replaced.
    pub restart: RestartPolicy,
    /// How hosts come back from a new kernel that does not boot.
    pub kernel_fallback: KernelFallback,
    /// The digest of what becomes of changed config files of packages. Absent: hosts keep theirs.
    pub conffiles: Option<Digest>,
    /// Whether a patch without a proved way back is allowed.
    pub one_way: bool,
    /// What is installed, a line for each platform.
    pub bits: Vec<Bits>,
}

/// A statement as it was signed, and the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The text of the [`Statement`], unread.
    pub statement: String,
    /// The signature over it, as `ssh-keygen -Y sign` writes it.
    pub signature: String,
}

/// From when on a statement is good, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The day it is made.
    pub made: Date,
    /// The last day on which hosts are changed by it.
    pub until: Date,
}

impl Statement {
    /// What is to be signed of a rollout. `amends` says what it amends; absent: nothing.
    pub fn of(spec: &Spec, lock: &LockFile, amends: Option<Amends>, validity: Validity) -> Self {
        Self {
            rollout: spec.name().clone(),
            made: validity.made,
            until: validity.until,
            amends,
            file: spec.digest(),
            lock: lock.digest(),
            selection: spec.selection().clone(),
            reboot: spec.reboot(),
            restart: spec.restart(),
            kernel_fallback: spec.kernel_fallback(),
            conffiles: conffiles(spec.conffiles()),
            one_way: spec.is_one_way(),
            bits: Bits::of_lock(lock, spec.patch()),
        }
    }

    /// From when on it is good, and until when.
    pub fn validity(&self) -> Validity {
        let (made, until) = (self.made, self.until);
        Validity { made, until }
    }

    /// The digest of the rollout that it is of: what orders name.
    pub fn rollout_digest(&self) -> Digest {
        let own = plan::digest_of(self.file, self.lock);
        let amends = self.amends.as_ref();
        amends.map_or(own, |amends| amends.digest_of(own))
    }
}

/// The digest of policies for changed config files. Nothing of none.
fn conffiles(policies: &ConffilePolicies) -> Option<Digest> {
    if policies.is_empty() {
        return None;
    }
    let lines = policies.iter().map(|(package, policy)| {
        format!(
            "{} {}\n",
            quote(package),
            spec::word(&spec::CONFFILE_POLICIES, *policy)
        )
    });
    Some(Digest::of(lines.collect::<String>()))
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{VERSION}\nrollout {}", self.rollout)?;
        writeln!(f, "made {}\nuntil {}", self.made, self.until)?;
        if let Some(amends) = &self.amends {
            let (rollout, digest) = (&amends.rollout, amends.rollout_digest);
            writeln!(f, "amends {rollout} {} {digest}", amends.generation)?;
        }
        writeln!(f, "file {}\nlock {}", self.file, self.lock)?;
        writeln!(f, "match {}", self.selection)?;
        writeln!(f, "reboot {}", spec::word(&spec::REBOOTS, self.reboot))?;
        writeln!(f, "restart {}", spec::word(&spec::RESTARTS, self.restart))?;
        let fallback = spec::word(&spec::KERNEL_FALLBACKS, self.kernel_fallback);
        writeln!(f, "kernel-fallback {fallback}")?;
        match self.conffiles {
            Some(digest) => writeln!(f, "conffiles {digest}")?,
            None => writeln!(f, "conffiles none")?,
        }
        writeln!(f, "one-way {}", if self.one_way { "yes" } else { "no" })?;
        self.bits.iter().try_for_each(|bits| writeln!(f, "{bits}"))
    }
}
