//! What of a plan waits for somebody's yes.

use crate::render::table::{indented, table};
use cofferdam_engine::id::OperatorId;
use cofferdam_proto::operator::PlanView;

/// The hosts that are taken only once somebody approved it, one line each. Empty when there is none.
pub(crate) fn approvals(plan: &PlanView) -> String {
    let rows = plan.approvals.iter().map(|needed| {
        let by: Vec<&str> = needed.by.iter().map(OperatorId::as_str).collect();
        [needed.host.to_string(), needed.group.clone(), by.join(", ")]
    });
    let headings = ["host", "the only one of", "one of these approves"];
    let shown = table(headings, rows.collect());
    if shown.is_empty() {
        return shown;
    }
    let name = &plan.rollout;
    format!(
        "\nWhat needs `cofferdam approve {name}` before it is taken\n{}",
        indented(&shown)
    )
}
