//! What people said of a rollout: approvals, and bakes that they ended early.

use cofferdam_engine::rollout::{Approval, Promotion, Rollout};
use cofferdam_proto::operator::{ApprovalView, PromotionView};

/// Who approved what needs it, oldest first.
pub(super) fn approvals(rollout: &Rollout) -> Vec<ApprovalView> {
    let view = |Approval { by, reason, at }: &Approval| ApprovalView {
        by: by.clone(),
        reason: reason.clone(),
        at_ms: *at,
    };
    rollout.approvals().iter().map(view).collect()
}

/// The bakes that approvers ended early, oldest first.
pub(super) fn promotions(rollout: &Rollout) -> Vec<PromotionView> {
    let view = |promotion: &Promotion| {
        let wave = rollout.plan().wave(promotion.wave);
        PromotionView {
            wave: wave.map_or_else(|| "?".to_owned(), |wave| wave.name.to_string()),
            by: promotion.by.clone(),
            reason: promotion.reason.clone(),
            at_ms: promotion.at,
        }
    };
    rollout.promotions().iter().map(view).collect()
}
