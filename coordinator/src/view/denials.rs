//! What is denied, and what was.

use super::Situation;
use cofferdam_engine::denial::Denial;
use cofferdam_proto::operator::{DenialView, LiftView};

/// Every denial, held or lifted: those that hold first, the newest first.
pub(crate) fn denials(situation: Situation<'_>) -> Vec<DenialView> {
    let all = situation.fleet.denials().iter();
    let mut views: Vec<DenialView> = all
        .map(|(bits, place, denial)| {
            let Denial {
                by,
                rollout,
                reason,
                at,
                lifted,
            } = denial.clone();
            DenialView {
                bits: *bits,
                place,
                by,
                rollout,
                reason,
                at_ms: at,
                lifted: lifted.map(|lift| LiftView {
                    by: lift.by,
                    reason: lift.reason,
                    at_ms: lift.at,
                }),
            }
        })
        .collect();
    views.sort_by_key(|view| (view.lifted.is_some(), std::cmp::Reverse(view.at_ms)));
    views
}
