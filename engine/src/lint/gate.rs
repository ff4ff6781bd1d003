//! Services that no gate watches.

use super::Findings;
use crate::{
    inventory::SERVICE,
    plan::{Plan, PlanInput, list},
};
use std::collections::BTreeSet;

/// The services of the planned hosts. Until gates are built none of them is watched.
pub(super) fn of_plan(plan: &Plan, input: &PlanInput<'_>, found: &mut Findings<'_>) {
    let planned = plan.hosts.keys().filter_map(|host| input.hosts.get(host));
    let services: BTreeSet<&str> = planned.filter_map(|host| host.value(SERVICE)).collect();
    let services: Vec<&str> = services.into_iter().collect();
    found.warn(
        "gate",
        "wave",
        format!(
            "no gate watches the patched hosts of {}: a bake passes when its time is over",
            list(&services)
        ),
    );
}
