//! The first step of a plan: which hosts it is about, and what is known of each.

use super::{
    PlanError, PlanInput,
    class::Known,
    denied::Denied,
    selected::{Chooser, Chosen},
    strata::Strata,
    unaffected::Unaffected,
};
use crate::{id::HostId, patch::LockFile, spec::Spec};

/// The hosts of an inventory as a rollout looks at them.
pub(super) struct Choice<'a> {
    /// All hosts.
    pub(super) known: Known<'a>,
    /// Those to which the bits are denied.
    pub(super) denied: Denied<'a>,
    /// Those that the patch would not change.
    pub(super) unaffected: Unaffected<'a>,
    /// Those that the rollout may take.
    pub(super) selected: Chosen<'a>,
    /// The strata of those.
    pub(super) strata: Strata<'a>,
}

impl<'a> Choice<'a> {
    /// Chooses among the hosts that `may_be_taken`, and notes why it cannot be for some.
    pub(super) fn make(
        spec: &'a Spec,
        lock: &'a LockFile,
        input: &PlanInput<'a>,
        may_be_taken: &dyn Fn(&HostId) -> bool,
        errors: &mut Vec<PlanError>,
    ) -> Self {
        let known = Known::of(spec, input);
        let denied = Denied::find(spec, lock, input.denials, &known, errors);
        let mut unaffected = Unaffected::new(lock, input.package_sets);
        let mut strata = Strata::new(spec.coverage(), lock, input.package_sets);
        let is_for = |host: &HostId| !spec.is_repair() || input.casualties.contains(host);
        let chooser = Chooser {
            spec,
            lock,
            known: &known,
            denied: &denied,
            unready: input.unready,
            may_be_taken: &|host| is_for(host) && may_be_taken(host),
        };
        let selected = chooser.select(&mut strata, &mut unaffected, errors);
        Self {
            known,
            denied,
            unaffected,
            selected,
            strata,
        }
    }
}
