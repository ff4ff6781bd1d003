//! Operator messages come back as they went.

use crate::sample::{cell, host, over_the_wire, rollout, signed, text};
use cofferdam_engine::{
    advisory::Advisory,
    denial::Scope,
    digest::Digest,
    exception::Word,
    failure::FailureKind,
    id::{OperatorId, OwnerEpoch, ServiceName},
    lint::{Finding, Severity},
    plan::ImpactKind,
    time::Timestamp,
};
use cofferdam_proto::{
    operator::{
        Action, ApprovalView, ArtefactStored, ChangeRequest, Coverage, Description, ExceptRequest,
        ExplainRequest, Explanation, Fact, FailureCluster, Findings, ForgetHostRequest, GroupView,
        HoldView, ImpactView, NeededApproval, PackageChangeView, PlanReply, PlanRequest, PlanView,
        PlannedRegion, PlannedSlice, PlannedStep, PlannedWave, PlatformChangeView, PromotionView,
        RolloutLine, RolloutRequest, RolloutState, RolloutView, StartRequest, StratumView,
        SubjectKind, WaivedView, WaveState, WaveView, Whom,
    },
    v1,
};
use std::collections::BTreeMap;

#[test]
pub(super) fn requests_arrive_unchanged() {
    let sources = || BTreeMap::from([(text("curl"), text("8-1")), (text("ssl"), text("1:3"))]);
    let advisory = Advisory {
        id: text("DSA-5678-1"),
        fixes: ["debian-11", "debian-12"]
            .map(|release| (text(release), sources()))
            .into(),
    };
    for (lock_text, advisory) in [(None, Some(advisory)), (Some(text("lock = 1\n")), None)] {
        let plan = PlanRequest {
            file_name: text("openssl.toml"),
            spec_text: text("name = \"x\"\n"),
            lock_text,
            advisory,
        };
        assert_eq!(over_the_wire::<v1::PlanRequest, _>(plan.clone()), Ok(plan));
    }
    let start = StartRequest {
        file_name: text("openssl.toml"),
        spec_text: text("name = \"x\"\n"),
        lock_text: text("lock = 1\n"),
        signed: Some(signed()),
    };
    assert_eq!(
        over_the_wire::<v1::StartRequest, _>(start.clone()),
        Ok(start)
    );
    let which = RolloutRequest { rollout: rollout() };
    assert_eq!(
        over_the_wire::<v1::StatusRequest, _>(which.clone()),
        Ok(which.clone())
    );
    assert_eq!(
        over_the_wire::<v1::WatchRequest, _>(which.clone()),
        Ok(which)
    );
    let explain = ExplainRequest {
        subject: text("web-1"),
    };
    assert_eq!(
        over_the_wire::<v1::ExplainRequest, _>(explain.clone()),
        Ok(explain)
    );
    let forget = ForgetHostRequest {
        host: host(),
        force: true,
    };
    assert_eq!(
        over_the_wire::<v1::ForgetHostRequest, _>(forget.clone()),
        Ok(forget)
    );
}

#[test]
pub(super) fn every_action_arrives_unchanged() {
    for action in [
        Action::Pause,
        Action::Resume,
        Action::Abort,
        Action::Rollback,
        Action::Promote,
        Action::Approve,
    ] {
        let change = ChangeRequest {
            rollout: rollout(),
            action,
            reason: text("errors rise"),
            reach: Scope::Cell,
        };
        assert_eq!(
            over_the_wire::<v1::ChangeRequest, _>(change.clone()),
            Ok(change)
        );
    }
}

#[test]
pub(super) fn every_word_on_hosts_arrives_unchanged() {
    let everybody = [
        Whom::Hosts(vec![host()]),
        Whom::Matching(text("service == \"web\"")),
        Whom::Stratum(text("zone=r1/a")),
        Whom::Failed,
    ];
    for (word, whom) in [Word::Exclude, Word::Skip, Word::Retry, Word::Skip]
        .into_iter()
        .zip(everybody)
    {
        let request = ExceptRequest {
            rollout: rollout(),
            word,
            whom,
            reason: text("too big"),
        };
        assert_eq!(
            over_the_wire::<v1::ExceptRequest, _>(request.clone()),
            Ok(request)
        );
    }
    let nobody = v1::ExceptRequest {
        rollout: text("ssl"),
        word: v1::Word::Skip.into(),
        whom: Some(v1::except_request::Whom::Hosts(v1::HostNames::default())),
        ..v1::ExceptRequest::default()
    };
    let refused = ExceptRequest::try_from(nobody).unwrap_err().to_string();
    assert_eq!(refused, "whom.hosts: is empty");
}

#[test]
pub(super) fn a_plan_arrives_unchanged() {
    let reply = PlanReply {
        lock_text: text("lock = 1\n"),
        findings: vec![finding()],
        plan: PlanView {
            rollout: rollout(),
            digest: Digest::of("rollout"),
            lock_digest: Digest::of("lock"),
            severity: text("critical"),
            profile: text("emergency"),
            waves: vec![planned_wave()],
            warnings: vec![text("stratum kernel=6.1.0-27 has one host")],
            estimate_ms: 3_600_000,
            changes: vec![PlatformChangeView {
                platform: text("debian-12/amd64"),
                advisory: Some(text("DSA-5678-1")),
                hosts: 3,
                unaffected: 1,
                packages: vec![PackageChangeView {
                    name: text("curl"),
                    from: vec![text("7"), text("7.1")],
                    to: text("8"),
                    replaced: 2,
                    added: 0,
                }],
            }],
            coverage: Coverage {
                strata: vec![StratumView {
                    stratum: text("instance_type=r5.large"),
                    hosts: 8,
                    in_canary: 1,
                }],
                groups: vec![GroupView {
                    group: text("service=web zone=a"),
                    members: 8,
                    may_be_out: 2,
                    more_load_permille: Some(334),
                }],
                waived: vec![WaivedView {
                    stratum: text("zone=r1/a"),
                    hosts: 3,
                    reason: text("moved by hand"),
                    expires: text("2026-12-31"),
                }],
            },
            impacts: impacts(),
            approvals: vec![needed_approval()],
        },
    };
    assert_eq!(over_the_wire::<v1::PlanReply, _>(reply.clone()), Ok(reply));
}

fn planned_wave() -> PlannedWave {
    PlannedWave {
        name: text("canary"),
        bake_ms: 900_000,
        hosts: 2,
        slices: vec![PlannedSlice {
            cell: cell(),
            hosts: 2,
        }],
        steps: vec![
            PlannedStep::Hosts(vec![host()]),
            PlannedStep::Regions(vec![PlannedRegion {
                zones: vec![vec![cell(), cell()], vec![cell()]],
            }]),
        ],
        cells_at_once: 10,
        gap_ms: 500,
        zone_bake_ms: 60_000,
    }
}

fn needed_approval() -> NeededApproval {
    NeededApproval {
        host: host(),
        group: text("service=web zone=a in r1-a-1"),
        by: vec![OperatorId::new("ana").unwrap()],
    }
}

fn impacts() -> Vec<ImpactView> {
    let impact = |kind| ImpactView {
        service: ServiceName::new("web").unwrap(),
        kind,
        tier: 1,
        owners: vec![OperatorId::new("ana").unwrap()],
        hosts: 8,
    };
    let kinds = [
        ImpactKind::Patched,
        ImpactKind::Direct,
        ImpactKind::Indirect,
    ];
    kinds.map(impact).to_vec()
}

fn finding() -> Finding {
    Finding {
        file: text("openssl.toml"),
        line: 3,
        column: 9,
        severity: Severity::Warning,
        rule: text("brake"),
        message: text("it never fires"),
    }
}

#[test]
pub(super) fn findings_arrive_unchanged_and_have_a_place() {
    let severe = Finding {
        severity: Severity::Error,
        ..finding()
    };
    let found = Findings(vec![finding(), severe]);
    assert_eq!(over_the_wire::<v1::LintReply, _>(found.clone()), Ok(found));
    let nowhere = Finding {
        line: 0,
        ..finding()
    };
    let refused = over_the_wire::<v1::LintReply, Findings>(Findings(vec![nowhere])).unwrap_err();
    assert!(refused.to_string().contains("line"), "{refused}");
}

#[test]
pub(super) fn a_rollout_arrives_unchanged_in_every_state() {
    for state in [
        RolloutState::Planned,
        RolloutState::Running,
        RolloutState::Paused,
        RolloutState::Done,
        RolloutState::Aborting,
        RolloutState::Aborted,
        RolloutState::RollingBack,
        RolloutState::RolledBack,
    ] {
        let view = rollout_view(state);
        assert_eq!(over_the_wire::<v1::RolloutView, _>(view.clone()), Ok(view));
        let lines = vec![RolloutLine {
            name: rollout(),
            state,
            reason: String::new(),
            wave: Some(text("canary")),
            hosts: 24,
            passed: 3,
            failed: 1,
            started_at_ms: Some(Timestamp(1)),
            ended_at_ms: None,
            amends: Some(rollout()),
            amended_by: vec![rollout()],
        }];
        assert_eq!(over_the_wire::<v1::ListReply, _>(lines.clone()), Ok(lines));
    }
}

fn rollout_view(state: RolloutState) -> RolloutView {
    let wave = |state| WaveView {
        name: text("canary"),
        state,
        hosts: 10,
        running: 1,
        passed: 2,
        failed: 3,
        timed_out: 7,
        unreachable: 8,
        left_out: 4,
        skipped: 6,
        rolled_back: 5,
        bake_until_ms: Some(Timestamp(6)),
    };
    RolloutView {
        name: rollout(),
        state,
        reason: text("the brake stopped it"),
        waves: vec![
            wave(WaveState::Pending),
            wave(WaveState::Running),
            wave(WaveState::Baking),
            wave(WaveState::Passed),
            wave(WaveState::Stopped),
            wave(WaveState::RollingBack),
            wave(WaveState::RolledBack),
        ],
        failures: vec![FailureCluster {
            kind: FailureKind::Unhealthy,
            detail: text("check type failed"),
            hosts: vec![host()],
        }],
        holds: vec![hold()],
        hosts: 24,
        slow_hosts: vec![host()],
        warnings: vec![text("one host has no zone")],
        started_at_ms: Some(Timestamp(1)),
        ended_at_ms: Some(Timestamp(2)),
        amends: Some(rollout()),
        amended_by: vec![rollout()],
        approvals: vec![ApprovalView {
            by: OperatorId::new("ana").unwrap(),
            reason: text("the standby is warm"),
            at_ms: Timestamp(3),
        }],
        promotions: vec![PromotionView {
            wave: text("canary"),
            by: OperatorId::new("ana").unwrap(),
            reason: String::new(),
            at_ms: Timestamp(4),
        }],
        alarms: Vec::new(),
        signed_by: Some(text("alice@example.org")),
        effective: None,
        changed_hosts: 3,
    }
}

#[test]
fn a_step_that_takes_no_host_is_refused() {
    let takes = Some(v1::planned_step::Takes::Hosts(v1::HostNames::default()));
    let refused = PlannedStep::try_from(v1::PlannedStep { takes }).unwrap_err();
    assert_eq!(refused.to_string(), "hosts: is empty");
}

fn hold() -> HoldView {
    HoldView {
        subject: text("rollout x host web-1"),
        reason: text("the host is not connected"),
        rule: text("unreachable"),
        since_ms: Timestamp(5),
        hosts: 1,
        until_ms: Some(Timestamp(6)),
    }
}

#[test]
pub(super) fn explanations_descriptions_and_artefacts_arrive_unchanged() {
    for kind in [SubjectKind::Rollout, SubjectKind::Cell, SubjectKind::Host] {
        let explanation = Explanation {
            kind,
            subject: text("web-1"),
            headline: text("web-1 waits for its turn"),
            lines: vec![hold()],
            facts: vec![Fact {
                key: text("cell"),
                value: String::new(),
            }],
        };
        assert_eq!(
            over_the_wire::<v1::Explanation, _>(explanation.clone()),
            Ok(explanation)
        );
    }
    let description = Description {
        version: text("0.1.0"),
        epoch: OwnerEpoch(3),
        trust_domain: text("example.org"),
        store: text("sled /var/lib/cofferdam"),
        started_at_ms: Timestamp(1),
        connected: 2,
        hosts: 3,
        cells: 4,
        rollouts: 5,
    };
    assert_eq!(
        over_the_wire::<v1::Description, _>(description.clone()),
        Ok(description)
    );
    let stored = ArtefactStored {
        digest: Digest::of("bits"),
        size: 4,
    };
    assert_eq!(
        over_the_wire::<v1::ArtefactStored, _>(stored.clone()),
        Ok(stored)
    );
}
