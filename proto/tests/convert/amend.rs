//! What is asked of an amendment, and what is answered.

use crate::sample::{over_the_wire, rollout, signed, text};
use cofferdam_engine::digest::Digest;
use cofferdam_proto::{
    operator::{AmendReply, AmendRequest, Coverage, PlanView},
    v1,
};

#[test]
pub(super) fn an_amendment_arrives_unchanged() {
    for (lock_text, seen) in [(None, None), (Some(text("lock")), Some(Digest::of("plan")))] {
        let request = AmendRequest {
            rollout: rollout(),
            file_name: text("fix.toml"),
            spec_text: text("name = \"fix\""),
            lock_text,
            reason: text("too new"),
            signed: seen.map(|_| signed()),
            seen,
        };
        assert_eq!(
            over_the_wire::<v1::AmendRequest, _>(request.clone()),
            Ok(request)
        );
    }
    let long = format!("+{}", "x".repeat(10_000));
    let reply = AmendReply {
        started: true,
        amends: rollout(),
        generation: 2,
        plan: PlanView {
            rollout: rollout(),
            digest: Digest::of("rollout"),
            lock_digest: Digest::of("lock"),
            severity: text("medium"),
            profile: text("default"),
            waves: Vec::new(),
            warnings: Vec::new(),
            estimate_ms: 1,
            coverage: Coverage {
                strata: Vec::new(),
                groups: Vec::new(),
                waived: Vec::new(),
            },
            changes: Vec::new(),
            impacts: Vec::new(),
            approvals: Vec::new(),
        },
        passed: 1,
        amended_digest: Some(Digest::of("amended")),
        away: 2,
        file_diff: vec![text(" a"), text(" "), long],
        lock_diff: Vec::new(),
        lock_text: text("lock"),
    };
    assert_eq!(over_the_wire::<v1::AmendReply, _>(reply.clone()), Ok(reply));
}
